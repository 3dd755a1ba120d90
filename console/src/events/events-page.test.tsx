// @vitest-environment happy-dom

import { QueryClientProvider } from "@tanstack/react-query";
import { act, cleanup, fireEvent, render, screen, waitFor } from "@testing-library/react";
import type { ReactNode } from "react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { makeQueryClient } from "../api/query-client.ts";
import { session } from "../api/session.ts";
import type { Change } from "../live/stream.ts";
import { iso, meAs } from "../model/testing.ts";
import { EventPage } from "./event-page.tsx";
import { EventsPage } from "./events-page.tsx";

const listeners = vi.hoisted(() => new Set<(change: Change) => void>());
vi.mock("../live/stream.ts", () => ({
  onChanges: (listener: (change: Change) => void) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
  useConnection: () => ({ state: "live", asOf: null, retryAt: null }),
}));

const event = (n: number, more: object = {}) => ({
  id: `e-${n}`,
  event: "order.paid",
  acceptedAt: iso(n * 1000),
  data: { order: n },
  match: null,
  app: null,
  workflow: null,
  run: null,
  key: null,
  started: 0,
  woke: 0,
  more: false,
  ...more,
});

let events: readonly object[] = [];
let detail: object | null = null;
const asked: string[] = [];

beforeEach(() => {
  session.assume(meAs("operator"));
  asked.length = 0;
  vi.stubGlobal("fetch", (input: string) => {
    const path = input.replace("/api/v1", "");
    asked.push(path);
    const body = path.startsWith("/events?") ? { events } : detail;
    return Promise.resolve(
      body === null
        ? new Response(JSON.stringify({ detail: "there is no event" }), { status: 404 })
        : new Response(JSON.stringify(body)),
    );
  });
  vi.spyOn(HTMLElement.prototype, "clientHeight", "get").mockReturnValue(800);
  vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(1400);
});

afterEach(() => {
  cleanup();
  listeners.clear();
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

function show(page: ReactNode, path = "/events"): void {
  history.replaceState(null, "", path);
  render(<QueryClientProvider client={makeQueryClient()}>{page}</QueryClientProvider>);
}

test("events are rows with their data and what they did", async () => {
  events = [event(2, { started: 1, woke: 2 }), event(1)];
  show(<EventsPage />);
  const done = await screen.findByRole("row", { name: /started 1.run, woke 2.waits/ });
  expect(done.textContent).toContain('{"order": 2}');
  expect(screen.getByRole("row", { name: /nothing/ })).toBeDefined();
});

test("a name in the address asks for its events alone", async () => {
  events = [];
  show(<EventsPage />, "/events?event=stock.low");
  await screen.findByText(/No event has the name/);
  expect(asked.every((path) => path.includes("event=stock.low"))).toBe(true);
  fireEvent.click(screen.getByRole("button", { name: "All names" }));
  expect(location.search).toBe("");
});

test("a new event comes in as the server tells of it", async () => {
  vi.useFakeTimers({ shouldAdvanceTime: true });
  events = [event(1)];
  show(<EventsPage />);
  await screen.findByRole("row", { name: /nothing/ });
  events = [event(2, { started: 1 }), event(1)];
  for (const listener of listeners) {
    listener({ runs: new Map(), others: false, events: true, runners: false, flows: false });
  }
  await act(() => vi.advanceTimersByTimeAsync(1100));
  await screen.findByRole("row", { name: /started 1.run/ });
});

test("an event shows what it did, and on both sides what nearly matched", async () => {
  detail = {
    ...event(1),
    runsStarted: ["run_0000000000000000000000000000000a"],
    waitsWoken: [{ run: "run_0000000000000000000000000000000b", step: "pay" }],
    more: false,
    nearMisses: [
      { run: "run_000000000000000c", step: "wait", path: "order", expected: "2", found: "1" },
    ],
  };
  show(<EventPage id="e-1" />);
  await screen.findByText(/Started 1.run, woke 1.wait/);
  const link = screen.getByRole("link", { name: "…0000a" });
  expect(link.getAttribute("href")).toBe("/runs/run_0000000000000000000000000000000a");
  const miss = screen.getByRole("row", { name: /wait/ });
  expect(miss.textContent).toContain("order 2");
  expect(miss.textContent).toContain("order 1");
});

test("an event that is not there is said to be gone", async () => {
  detail = null;
  show(<EventPage id="e-9" />);
  const alert = await screen.findByRole("alert");
  await waitFor(() => expect(alert.textContent).toContain("No event e-9 in default."));
});
