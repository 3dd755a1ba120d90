// @vitest-environment happy-dom

import { act, cleanup, fireEvent, screen, waitFor, within } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { session } from "../api/session.ts";
import type { Change } from "../live/stream.ts";
import type { ObservedRun, ObservedStep } from "../model/observed.ts";
import { LOCAL } from "../model/testing.ts";
import { BROKEN, call, flowStep, flowView, observed, seen } from "../model/testing-observed.ts";
import { ObservedPage } from "./observed-page.tsx";
import { serve, show } from "./testing.tsx";

const listeners = vi.hoisted(() => new Set<(change: Change) => void>());
vi.mock("../live/stream.ts", () => ({
  onChanges: (listener: (change: Change) => void) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
  useConnection: () => ({ state: "live", asOf: null, retryAt: null }),
}));

const AT = "/flows/import-orders/runs/req_1";
const COUNTS = { ok: 900, failed: 14, skipped: 0, missing: 0, notReached: 12 };
const DAY = flowView([flowStep("write", { counts: COUNTS })]);

function open(run: ObservedRun, query = ""): readonly string[] {
  history.replaceState(null, "", `${AT}/list${query}`);
  const asked = serve({ [AT]: run, "/flows/import-orders": DAY });
  show(<ObservedPage flow="import-orders" run="req_1" view="list" />);
  return asked;
}

beforeEach(() => {
  session.assume(LOCAL);
  localStorage.clear();
});
afterEach(() => {
  cleanup();
  listeners.clear();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  history.replaceState(null, "", "/");
});

const grid = () => within(screen.getByRole("grid"));

test("the header says how the run is, why, and that it is only observed", async () => {
  open(BROKEN);
  expect((await screen.findByRole("heading", { level: 1 })).textContent).toBe("Import orders");
  const header = document.querySelector(".run-header");
  expect(header?.textContent).toContain("Observed only: this code runs outside Stepwell");
  expect(header?.textContent).toContain("Failed in write: its last call threw TimeoutError");
  expect(header?.textContent).toContain("import-orders, 5\u00a0steps declared");
  expect(document.title).toBe("Import orders failed, Stepwell");
});

test("it has no act but copy", async () => {
  open(BROKEN, "?step=write");
  await screen.findByRole("heading", { level: 1 });
  for (const act of ["Pause", "Cancel", "Rerun", "Fork from here"]) {
    expect(screen.queryByRole("button", { name: new RegExp(act) })).toBeNull();
  }
  expect(screen.getByRole("button", { name: "Copy link" })).toBeDefined();
});

test("the list has every step, called or not, and those that nobody declared under a heading", async () => {
  open(BROKEN);
  await screen.findByRole("grid");
  const rows = grid().getAllByRole("row");
  expect(rows.map((row) => row.textContent)).toEqual([
    expect.stringContaining("fetch1\u00a0call"),
    expect.stringMatching(/^–.*dedupemissing: not called, not skipped/),
    expect.stringContaining("TimeoutError: no answer within 30 s"),
    expect.stringContaining("auditskipped"),
    expect.stringContaining("publishnot reached, behind write"),
    expect.stringContaining("Not declaredcalled, but not in the flow file"),
    expect.stringContaining("map-sku"),
  ]);
});

test("a failed step opens on its error; its calls are told the latest first", async () => {
  open(BROKEN, "?step=write");
  const inspector = within(await screen.findByRole("region", { name: "Step write" }));
  expect(inspector.getAllByRole("tab").map((tab) => tab.textContent)).toEqual([
    "Error",
    "Calls3",
    "Raw",
  ]);
  expect(inspector.getByRole("tabpanel").textContent).toContain("TimeoutError");
  fireEvent.click(inspector.getByRole("tab", { name: /Calls/ }));
  const calls = await inspector.findAllByRole("listitem");
  expect(calls.map((one) => one.querySelector("strong")?.textContent)).toEqual([
    ...["Call 3", "Call 2", "Call 1"],
  ]);
});

test("the foot tells how the step does in a day, and when it counts as stuck", async () => {
  open(BROKEN, "?step=write");
  const inspector = within(await screen.findByRole("region", { name: "Step write" }));
  await inspector.findByText("14 failed");
  expect(inspector.getByText("10 m")).toBeDefined();
});

test("of 10,000 calls only those that are seen are drawn", async () => {
  vi.spyOn(HTMLElement.prototype, "offsetHeight", "get").mockReturnValue(62);
  const calls = Array.from({ length: 1000 }, (_, n) => call(9001 + n, n, n + 1));
  const many: ObservedStep = seen("parse", calls, { attemptsTotal: 10_000 });
  open(observed([many]), "?step=parse&tab=calls");
  await screen.findByText("The latest 1,000 of 10,000 calls.");
  expect(screen.getByText("Call 10,000")).toBeDefined();
  expect(document.querySelectorAll(".call").length).toBeLessThan(60);
});

test("what is heard of is asked for again, and shown", async () => {
  const asked = open(observed([seen("charge", [call(1, 0, null)])], { status: "running" }));
  await screen.findByRole("grid");
  const before = asked.filter((path) => path === AT).length;
  act(() => {
    for (const tell of listeners) {
      tell({ runs: new Map(), others: false, events: false, runners: false, flows: true });
    }
  });
  await waitFor(() => expect(asked.filter((path) => path === AT).length).toBeGreaterThan(before), {
    timeout: 30_000,
  });
});

test("keys change the view and narrow to failures", async () => {
  open(BROKEN);
  await screen.findByRole("grid");
  fireEvent.keyDown(document.body, { key: "e", code: "KeyE" });
  await waitFor(() => expect(grid().getAllByRole("row")).toHaveLength(2));
  fireEvent.keyDown(document.body, { key: "2", code: "Digit2" });
  expect(location.pathname).toBe(`${AT}/graph`);
});

test("a run that is not there says so", async () => {
  history.replaceState(null, "", AT);
  serve({});
  show(<ObservedPage flow="import-orders" run="req_1" view="list" />);
  expect((await screen.findByRole("alert")).textContent).toContain("No run req_1 of import-orders");
});
