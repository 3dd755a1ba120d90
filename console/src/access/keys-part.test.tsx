// @vitest-environment happy-dom

import { cleanup, screen, waitFor, within } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { acts, press, problem, serve, show, type } from "../acts/testing.tsx";
import { keyRow, LOCAL, meAs } from "../model/testing.ts";
import { AccessPage } from "./access-page.tsx";

vi.mock("../live/stream.ts", () => ({
  useConnection: () => ({ state: "live", asOf: null, retryAt: null }),
}));

const copied = vi.fn(async (_text: string) => undefined);
const SECRET = `sw_b7mx2kq9ta_${"c".repeat(56)}`;
const RUNNER = keyRow({ name: "checkout <b>", role: "worker", namespace: "shop" });
const OWN = keyRow({ id: "a4dqobyha4", name: "admin key", role: "admin" });
const GONE = keyRow({ id: "zzzzzzzzzz", name: "old", state: "revoked", revokedAt: "2026-11-22" });

beforeEach(() => {
  localStorage.clear();
  copied.mockClear();
  vi.stubGlobal("navigator", { ...navigator, clipboard: { writeText: copied } });
});
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
  history.replaceState(null, "", "/");
});

function open(query = "", me = meAs("admin"), key = RUNNER) {
  const asked = serve(({ path, body }) => {
    if (body !== null) return Response.json({ ...key, key: SECRET }, { status: 201 });
    if (path.startsWith("/api/v1/namespaces")) {
      const of = { createdAt: "", createdBy: "", closedAt: null, keys: 1 };
      return Response.json({ namespaces: ["default", "shop"].map((name) => ({ name, ...of })) });
    }
    return Response.json({ keys: [GONE, key, OWN] });
  });
  history.replaceState(null, "", `/access${query}`);
  show(<AccessPage part="keys" />, me);
  return asked;
}

const key = (name: RegExp) => screen.findByRole("row", { name });

test("keys are rows with what they may and when they were used; those that are over have no acts", async () => {
  open();
  const runner = await key(/checkout/);
  expect(runner.textContent).toContain("checkout <b>");
  expect(runner.textContent).toMatch(/worker.*shop.*by ann.*never.*never/);
  expect(within(runner).getByRole("button", { name: "Revoke checkout <b>" })).toBeTruthy();
  const old = await key(/old/);
  expect(old.textContent).toContain("revoked");
  expect(within(old).queryByRole("button")).toBe(null);
});

test("a text narrows them", async () => {
  open("?q=SHOP");
  await key(/checkout/);
  expect(screen.queryByRole("row", { name: /old/ })).toBe(null);
});

test("a key is made with role, namespace and expiry, and shown once", async () => {
  const asked = open("?act=make");
  press("Make the key Ctrl ↵");
  expect(await screen.findByText("The key needs a name.")).toBeTruthy();
  type("Name", " shop runner ");
  screen.getByRole("radio", { name: /^worker/ }).click();
  await screen.findByRole("option", { name: "shop" });
  type("Namespace", "shop");
  type("Ends", "other");
  type("How long", "14d");
  type("Reason", "a new shop");
  expect(
    screen.getByText(
      "stepwell keys create --name 'shop runner' --role worker --namespace shop --expires 14d --reason 'a new shop'",
    ),
  ).toBeTruthy();
  press(/^Make the key/);
  expect((await screen.findByLabelText("The key")).textContent).toBe(SECRET);
  expect(acts(asked).map(({ path, body }) => [path, JSON.parse(body ?? "")])).toEqual([
    [
      "/api/v1/keys",
      {
        name: "shop runner",
        role: "worker",
        namespace: "shop",
        expiresIn: "14d",
        reason: "a new shop",
      },
    ],
  ]);
  expect(location.search).toBe("");
  // It is in no address and in nothing that the browser keeps.
  expect(JSON.stringify(localStorage)).not.toContain(SECRET);
});

test("a key that was not copied is not left in one go", async () => {
  open("?act=make");
  type("Name", "x");
  type("Reason", "because");
  press(/^Make the key/);
  await screen.findByLabelText("The key");
  press("I have kept it");
  expect(screen.getByText(/It was not copied/)).toBeTruthy();
  press("Copy the key");
  await screen.findByText("Copied");
  expect(copied).toHaveBeenCalledWith(SECRET);
  press("I have kept it");
  expect(screen.queryByLabelText("The key")).toBe(null);
});

test("a key without an end is made by saying so", async () => {
  const asked = open("?act=make", meAs("admin", "acme"));
  type("Name", "x");
  type("Ends", "never");
  type("Reason", "because");
  expect(screen.getByText("acme", { selector: "dialog bdi" })).toBeTruthy();
  press(/^Make the key/);
  await screen.findByLabelText("The key");
  expect(JSON.parse(acts(asked)[0]?.body ?? "")).toEqual({
    name: "x",
    role: "client",
    namespace: "acme",
    reason: "because",
  });
});

test("a key is rotated, and the new secret shown", async () => {
  const asked = open(`?act=rotate&of=${RUNNER.id}`);
  await screen.findByRole("dialog");
  type("The secret before is taken", "1h");
  type("Reason", "every year");
  press(/^Rotate the key/);
  expect((await screen.findByLabelText("The key")).textContent).toBe(SECRET);
  expect(acts(asked)).toEqual([
    {
      path: `/api/v1/keys/${RUNNER.id}/rotate`,
      body: '{"overlap":"1h","reason":"every year"}',
    },
  ]);
});

test("a key is revoked once its name was typed", async () => {
  const asked = open(`?act=revoke&of=${RUNNER.id}`);
  await screen.findByRole("dialog");
  type("Reason", "left on a train");
  press(/^Revoke the key/);
  expect(await screen.findByText("This is not its name")).toBeTruthy();
  expect(acts(asked)).toEqual([]);
  type(/^Type/, RUNNER.name);
  press(/^Revoke the key/);
  await waitFor(() => expect(location.search).toBe(""));
  expect(acts(asked)).toEqual([
    { path: `/api/v1/keys/${RUNNER.id}/revoke`, body: '{"reason":"left on a train"}' },
  ]);
});

test("who revokes the own key is told that the session ends", async () => {
  open("?act=revoke&of=a4dqobyha4");
  expect(await screen.findByText("You are signed in with this key.")).toBeTruthy();
});

test("what the server refuses is said, and nothing is shown as a key", async () => {
  serve(({ body }) =>
    body === null ? Response.json({ keys: [] }) : problem(409, "SW1014", "the name is taken"),
  );
  history.replaceState(null, "", "/access?act=make");
  show(<AccessPage part="keys" />, meAs("admin", "acme"));
  type("Name", "x");
  type("Reason", "because");
  press(/^Make the key/);
  expect(await screen.findByText("Not done: the name is taken.")).toBeTruthy();
  expect(screen.queryByLabelText("The key")).toBe(null);
});

test("who may not manage keys sees why, and asks for nothing", () => {
  const asked = open("?act=make", meAs("viewer"));
  const why = "Your key has the role viewer; managing keys needs admin.";
  expect(screen.getByText(why)).toBeTruthy();
  const make = screen.getByRole("button", { name: /^Make a key/ });
  expect(make.getAttribute("aria-disabled")).toBe("true");
  expect(make.title).toBe(why);
  expect(screen.queryByRole("dialog")).toBe(null);
  expect(asked).toEqual([]);
});

test("a server that asks for no key says so", async () => {
  open("", LOCAL);
  expect(await screen.findByText("This server asks for no key.")).toBeTruthy();
  await key(/checkout/);
});
