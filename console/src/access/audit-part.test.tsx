// @vitest-environment happy-dom

import { cleanup, screen, waitFor, within } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { serve, show } from "../acts/testing.tsx";
import type { AuditRow } from "../model/access.ts";
import { auditRow, keyRow, meAs } from "../model/testing.ts";
import { AccessPage } from "./access-page.tsx";

vi.mock("../live/stream.ts", () => ({
  useConnection: () => ({ state: "live", asOf: null, retryAt: null }),
}));
// Without a layout every element has no height, and a table draws nothing.
vi.mock("../ui/grid-table.tsx", async (original) => ({
  ...(await original<object>()),
  useRows: ({ count }: { count: number }) => ({
    scroller: { current: null },
    drawn: Array.from({ length: count }, (_, index) => ({ index, slot: index })),
    first: 0,
    last: count - 1,
    offset: 0,
    total: 0,
    scrollTo: () => undefined,
    page: () => 10,
  }),
}));

beforeEach(() => {
  vi.stubGlobal("matchMedia", () => ({
    matches: false,
    addEventListener: () => undefined,
    removeEventListener: () => undefined,
  }));
});
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
  history.replaceState(null, "", "/");
});

const RUN = "run_0193b5e4000070008000000000000000";

function open(query: string, pages: readonly (readonly AuditRow[])[], me = meAs("admin", "acme")) {
  const asked = serve(({ path }) => {
    if (path.startsWith("/api/v1/keys")) return Response.json({ keys: [keyRow()] });
    const before = new URLSearchParams(path.split("?")[1]).get("before");
    const at = before === null ? 0 : pages.findIndex((page) => `${page.at(-1)?.n}` === before) + 1;
    const next = at + 1 < pages.length ? pages[at]?.at(-1)?.n : null;
    return Response.json({ rows: pages[at] ?? [], next });
  });
  history.replaceState(null, "", `/access/audit${query}`);
  show(<AccessPage part="audit" />, me);
  return asked;
}

const rows = () => screen.getAllByRole("row").slice(1);
const questions = (asked: readonly { readonly path: string }[]) =>
  asked.map(({ path }) => path).filter((path) => path.startsWith("/api/v1/audit"));

test("acts are read page by page, and an act whose rows are on two pages is one", async () => {
  const asked = open("", [
    [auditRow({ n: 4, act: "runs.pause", of: 2, object: RUN }), auditRow({ n: 3, of: 1 })],
    [
      auditRow({ n: 2, outcome: "asked", of: null }),
      auditRow({ n: 1, outcome: "asked", of: null }),
    ],
  ]);
  await screen.findByText("runs.pause");
  await waitFor(() => expect(questions(asked)).toHaveLength(2));
  expect(questions(asked)[1]).toContain("before=3");
  await screen.findByText(/2\sacts, read at/u);
  expect(rows()).toHaveLength(2);
  expect(
    within(rows()[0] as HTMLElement)
      .getByRole("link", { name: RUN })
      .getAttribute("href"),
  ).toBe(`/runs/${RUN}`);
});

test("a row says who, what, on what, why and what came of it", async () => {
  open("", [
    [
      auditRow({ n: 9, outcome: "asked", of: null, keyName: "<i>mara</i>" }),
      auditRow({ n: 8, outcome: "SW2005", of: 7, reason: "stock count" }),
    ],
  ]);
  await screen.findByText("stock count");
  const [first, second] = rows();
  expect(first?.textContent).toContain("<i>mara</i>");
  expect(within(first as HTMLElement).getByText("no answer")).toBeTruthy();
  expect(second?.textContent).toMatch(
    /ann.*keys\.create.*b7mx2kq9ta.*stock count.*default.*SW2005/,
  );
  expect(within(second as HTMLElement).getByRole("img", { name: "failed" })).toBeTruthy();
});

test("what the address narrows it by is asked for", async () => {
  const asked = open("?key=b7mx2kq9ta&do=keys&from=2026-11-20", [[auditRow()]]);
  await screen.findByText("keys.create");
  const [path = ""] = questions(asked);
  expect(path).toContain("key=b7mx2kq9ta");
  expect(path).toContain("act=keys");
  expect(path).toContain(`from=${encodeURIComponent(new Date(2026, 10, 20).toISOString())}`);
  const choice = (await screen.findByLabelText("Key")) as HTMLSelectElement;
  expect(choice.value).toBe("b7mx2kq9ta");
});

test("nothing that fits is told apart from nothing at all", async () => {
  open("?do=backups", [[]]);
  expect(await screen.findByText("No act matches these filters.")).toBeTruthy();
  cleanup();
  open("", [[]]);
  expect(await screen.findByText("Nobody has acted yet.")).toBeTruthy();
});

test("all of a row stands in its dialog", async () => {
  open("?n=8", [[auditRow({ n: 8, of: 7, reason: "stock count", hash: "c0ffee" })]]);
  const dialog = await screen.findByRole("dialog");
  await within(dialog).findByText("stock count");
  expect(dialog.textContent).toContain("192.0.2.7");
  expect(dialog.textContent).toContain("7 asked, 8 answered");
  expect(dialog.textContent).toContain("c0ffee");
});

test("who may not read it sees why, and asks for nothing", () => {
  const asked = open("", [[]], meAs("operator"));
  expect(
    screen.getByText("Your key has the role operator; reading the audit log needs admin."),
  ).toBeTruthy();
  expect(asked).toEqual([]);
});
