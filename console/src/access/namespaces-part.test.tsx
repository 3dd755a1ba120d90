// @vitest-environment happy-dom

import { cleanup, fireEvent, screen, waitFor, within } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import { acts, press, problem, serve, show, type } from "../acts/testing.tsx";
import { iso, meAs } from "../model/testing.ts";
import { AccessPage } from "./access-page.tsx";

vi.mock("../live/stream.ts", () => ({
  useConnection: () => ({ state: "live", asOf: null, retryAt: null }),
}));

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
  history.replaceState(null, "", "/");
});

const row = (name: string, closedAt: string | null = null) => ({
  name,
  createdAt: iso(0),
  createdBy: "ann",
  closedAt,
  keys: 2,
});

function open(query: string, answer: () => Response, me = meAs("admin")) {
  const asked = serve(({ path, body }) =>
    body === null && path === "/api/v1/namespaces"
      ? Response.json({ namespaces: [row("default"), row("shop"), row("old", iso(0))] })
      : answer(),
  );
  history.replaceState(null, "", `/access/namespaces${query}`);
  show(<AccessPage part="namespaces" />, me);
  return asked;
}

const never = () => problem(500, "SW9001", "nobody asked");
const deletes = (asked: readonly { readonly path: string }[]) =>
  asked.map(({ path }) => path).filter((path) => path.startsWith("/api/v1/namespaces/"));

test("namespaces are rows; the one that is always there cannot be deleted", async () => {
  open("", never);
  const shop = await screen.findByRole("row", { name: /^shop/ });
  expect(shop.textContent).toMatch(/2.*by ann.*open/);
  expect(screen.getByRole("row", { name: /^old/ }).textContent).toContain("closed");
  const own = within(screen.getByRole("row", { name: /^default/ })).getByRole("button");
  expect(own.title).toBe("The namespace default is always there.");
  fireEvent.click(own);
  expect(location.search).toBe("");
});

test("one is made by its name", async () => {
  const asked = open("?act=make", () => Response.json(row("bank"), { status: 201 }));
  type("Name", "bank");
  expect(screen.getByText("stepwell namespaces create bank")).toBeTruthy();
  press(/^Make the namespace/);
  await waitFor(() => expect(location.search).toBe(""));
  expect(acts(asked)).toEqual([{ path: "/api/v1/namespaces", body: '{"name":"bank"}' }]);
});

test("one is deleted once its name was typed, and no run is ended unasked", async () => {
  const gone = { name: "shop", gone: true, active: 0, ended: 0 };
  const asked = open("?act=delete&of=shop", () => Response.json(gone));
  await screen.findByRole("dialog");
  press(/^Delete the namespace/);
  expect(await screen.findByText("This is not its name")).toBeTruthy();
  expect(deletes(asked)).toEqual([]);
  type(/^Type/, "shop");
  press(/^Delete the namespace/);
  expect(await screen.findByText("The reason needs 3 characters or more")).toBeTruthy();
  expect(deletes(asked)).toEqual([]);
  type("Reason", "it moved");
  press(/^Delete the namespace/);
  await waitFor(() => expect(location.search).toBe(""));
  expect(deletes(asked)).toEqual(["/api/v1/namespaces/shop?reason=it+moved"]);
});

test("one with runs is refused in the server's words, then closed, and what stays is told", async () => {
  const told = "the namespace `shop` has 3 runs that have not ended";
  let answer = problem(409, "SW1014", told);
  const asked = open("?act=delete&of=shop", () => answer);
  await screen.findByRole("dialog");
  type("Reason", "it moved");
  type(/^Type/, "shop");
  press(/^Delete the namespace/);
  expect(await screen.findByText(`Not done: ${told}.`)).toBeTruthy();
  answer = Response.json({ name: "shop", gone: false, active: 3, ended: 1 });
  screen.getByRole("checkbox").click();
  await screen.findByText("stepwell namespaces delete shop --force --reason 'it moved'");
  press(/^Delete the namespace/);
  const left = await screen.findByText(/^shop is closed/);
  expect(left.textContent).toMatch(
    /3\s+runs of it are being ended, and 1\s+run that ended stays for the retention/u,
  );
  expect(deletes(asked)).toEqual([
    "/api/v1/namespaces/shop?reason=it+moved",
    "/api/v1/namespaces/shop?force=true&reason=it+moved",
  ]);
});

test("admins of another namespace see why they do not administer them", () => {
  const asked = open("?act=make", never, meAs("admin", "acme"));
  expect(
    screen.getByText(
      "Your key has the role admin; managing namespaces needs admin in the namespace default.",
    ),
  ).toBeTruthy();
  expect(asked).toEqual([]);
});
