// @vitest-environment happy-dom

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Connection } from "../live/stream.ts";
import { AskError, ask } from "./ask.ts";
import { SessionStore } from "./session.ts";

const stream = vi.hoisted(() => ({
  halt: vi.fn(),
  listeners: new Set<(connection: Connection) => void>(),
}));
vi.mock("../live/stream.ts", () => ({
  haltStream: stream.halt,
  onConnection: (listener: (connection: Connection) => void) => stream.listeners.add(listener),
}));

const CI = { access: "keys", namespace: "acme", role: "viewer", rights: ["any", "read"] };
const ME = { ...CI, key: { id: "a4dqobyha4", name: "ci" } };
const REFUSED = { status: 401, code: "SW1010", detail: "the key was revoked" };

let me: Response | (() => Response);
const asked: { path: string; method: string; key: string | null }[] = [];

beforeEach(() => {
  asked.length = 0;
  me = () => Response.json(ME);
  stream.halt.mockReset();
  stream.listeners.clear();
  vi.stubGlobal("fetch", async (path: string, { method = "GET", headers }: RequestInit) => {
    asked.push({ path, method, key: new Headers(headers).get("authorization") });
    if (path !== "/api/v1/me") return new Response(null, { status: 204 });
    return typeof me === "function" ? me() : me;
  });
});
afterEach(() => vi.unstubAllGlobals());

const refuse = () => Response.json(REFUSED, { status: 401 });

/** A tab, and what was done with its browser. */
function tab() {
  const channel = { postMessage: vi.fn(), onmessage: null as (() => void) | null };
  const reload = vi.fn();
  const store = new SessionStore({ channel: () => channel as never, reload });
  const states: string[] = [];
  store.subscribe(() => states.push(store.session().state));
  store.begin();
  return { store, channel, reload, states };
}

test("the server says who is signed in", async () => {
  const { store } = tab();
  await vi.waitFor(() => expect(store.session().state).toBe("signedIn"));
  expect(store.session()).toMatchObject({ me: { namespace: "acme", key: { name: "ci" } } });
});

test("nobody is signed in where the server knows nobody", async () => {
  me = refuse;
  const { store, reload } = tab();
  await vi.waitFor(() => expect(store.session()).toEqual({ state: "signedOut", ended: null }));
  expect(reload).not.toHaveBeenCalled();
});

test("a session ends with the first answer that says so, and with it the stream", async () => {
  const { store } = tab();
  await vi.waitFor(() => expect(store.session().state).toBe("signedIn"));
  me = refuse;
  await expect(ask("/me", new AbortController().signal)).rejects.toBeInstanceOf(AskError);
  expect(store.session()).toEqual({ state: "signedOut", ended: "the key was revoked" });
  expect(stream.halt).toHaveBeenCalledOnce();
});

test("a stream that ended has the server asked whether the session did", async () => {
  const { store } = tab();
  await vi.waitFor(() => expect(store.session().state).toBe("signedIn"));
  me = refuse;
  for (const tell of stream.listeners) tell({ state: "away", asOf: 0, retryAt: 0 });
  await vi.waitFor(() => expect(store.session().state).toBe("signedOut"));
});

test("a server that is away ends no session", async () => {
  const { store } = tab();
  await vi.waitFor(() => expect(store.session().state).toBe("signedIn"));
  vi.stubGlobal("fetch", () => Promise.reject(new TypeError("failed")));
  await store.check();
  expect(store.session().state).toBe("signedIn");
});

test("a key is sent once and kept nowhere, and the page begins anew in every tab", async () => {
  me = refuse;
  const { store, channel, reload } = tab();
  await vi.waitFor(() => expect(store.session().state).toBe("signedOut"));
  await store.signIn("sw_secret", new AbortController().signal);
  expect(asked.at(-1)).toEqual({
    path: "/api/v1/session",
    method: "POST",
    key: "Bearer sw_secret",
  });
  expect(reload).toHaveBeenCalledOnce();
  expect(channel.postMessage).toHaveBeenCalledOnce();
  expect(JSON.stringify(channel.postMessage.mock.calls)).not.toContain("secret");
  expect(JSON.stringify({ ...localStorage, ...sessionStorage })).not.toContain("secret");
});

test("a page of somebody else is not gone on with", async () => {
  const { store, channel, reload } = tab();
  await vi.waitFor(() => expect(store.session().state).toBe("signedIn"));
  channel.onmessage?.();
  await vi.waitFor(() => expect(asked).toHaveLength(2));
  expect(reload).not.toHaveBeenCalled();
  me = () => Response.json({ ...ME, namespace: "other" });
  channel.onmessage?.();
  await vi.waitFor(() => expect(reload).toHaveBeenCalledOnce());
  expect(store.session()).toMatchObject({ me: { namespace: "acme" } });
});

test("signing out ends the session on the server", async () => {
  const { store, reload } = tab();
  await vi.waitFor(() => expect(store.session().state).toBe("signedIn"));
  await store.signOut();
  expect(asked.at(-1)).toMatchObject({ path: "/api/v1/session", method: "DELETE" });
  expect(reload).toHaveBeenCalledOnce();
});
