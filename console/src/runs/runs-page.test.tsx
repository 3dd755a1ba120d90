// @vitest-environment happy-dom

import { QueryClientProvider } from "@tanstack/react-query";
import { act, cleanup, fireEvent, render, screen, waitFor, within } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { makeQueryClient } from "../api/query-client.ts";
import { session } from "../api/session.ts";
import type { Change } from "../live/stream.ts";
import type { FlowRow } from "../model/flows.ts";
import type { ObservedRow } from "../model/observed.ts";
import type { RunRow } from "../model/run.ts";
import { iso, LOCAL, meAs, rowOf } from "../model/testing.ts";
import { flowRow, observedRow } from "../model/testing-observed.ts";
import { forgetList } from "./came-from.ts";
import { RunsPage } from "./runs-page.tsx";

const listeners = vi.hoisted(() => new Set<(change: Change) => void>());
vi.mock("../live/stream.ts", () => ({
  onChanges: (listener: (change: Change) => void) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
  useConnection: () => ({ state: "live", asOf: null, retryAt: null }),
}));

let rows: readonly (RunRow | ObservedRow)[] = [];
let flows: readonly FlowRow[] | null = null;
let withCounts = true;
const asked: string[] = [];

function answer(path: string, params: URLSearchParams): unknown {
  if (path === "/runs") {
    const status = params.get("status")?.split(",");
    return { runs: rows.filter((row) => status?.includes(row.status) !== false), next: null };
  }
  if (path === "/runs/counts" && withCounts) {
    const of = (status: string) => ({
      runs: params.get("app") === "none" ? 0 : rows.filter((row) => row.status === status).length,
      orMore: status === "completed",
    });
    return { counts: { running: of("running"), failed: of("failed"), completed: of("completed") } };
  }
  if (path === "/flows" && flows !== null) return { flows };
  if (path === "/workflows") return { workflows: [{ app: "shop", name: "checkout" }] };
  return null;
}

function serve(input: string): Promise<Response> {
  const url = new URL(input, "http://stepwell.test");
  const path = url.pathname.replace("/api/v1", "");
  asked.push(path + url.search);
  const body = answer(path, url.searchParams);
  return Promise.resolve(
    body === null ? new Response("{}", { status: 404 }) : new Response(JSON.stringify(body)),
  );
}

function open(path: string): void {
  history.replaceState(null, "", path);
  render(
    <QueryClientProvider client={makeQueryClient()}>
      <RunsPage starting={location.pathname === "/runs/new"} />
    </QueryClientProvider>,
  );
}

function press(key: string): void {
  fireEvent.keyDown(document.body, { key, code: `Key${key.toUpperCase()}` });
}

beforeEach(() => {
  session.assume(meAs("operator"));
  rows = [
    rowOf({ id: "run_3aaaaaa", createdAt: iso(3), workflow: "checkout" }),
    rowOf({ id: "run_2bbbbbb", createdAt: iso(2), status: "failed", workflow: "<b>refund</b>" }),
    rowOf({ id: "run_1cccccc", createdAt: iso(1), status: "completed", durationMs: 4320 }),
  ];
  withCounts = true;
  flows = null;
  asked.length = 0;
  vi.stubGlobal("fetch", serve);
  // What is not laid out has no height, and no row would be seen.
  vi.spyOn(HTMLElement.prototype, "clientHeight", "get").mockReturnValue(800);
  vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(1400);
});

afterEach(() => {
  cleanup();
  forgetList();
  listeners.clear();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

test("runs are rows with status, workflow and how long they took", async () => {
  open("/runs");
  const row = await screen.findByRole("row", { name: /Completed/ });
  expect(row.textContent).toContain("checkout…ccccc");
  expect(row.textContent).toContain("4.32\u00a0s");
});

test("names are text, whatever they look like", async () => {
  open("/runs");
  const row = await screen.findByRole("row", { name: /Failed/ });
  expect(row.textContent).toContain("<b>refund</b>");
});

test("statuses are counted, and pressing one filters by it in the address", async () => {
  open("/runs?later=1");
  const failed = await screen.findByRole("button", { name: "Failed 1" });
  expect(screen.getByRole("button", { name: "Completed 1+" })).toBeDefined();
  fireEvent.click(failed);
  expect(location.search).toBe("?later=1&status=failed");
  await waitFor(() => expect(screen.getAllByRole("row")).toHaveLength(2));
});

test("without counts the statuses are still there to filter by", async () => {
  withCounts = false;
  open("/runs");
  await screen.findByRole("row", { name: /Failed/ });
  expect(screen.getByRole("button", { name: "Failed" })).toBeDefined();
});

test("filters of the address are chips that can be removed", async () => {
  open("/runs?app=shop&attr.tier=gold");
  await waitFor(() =>
    expect(asked).toContain("/runs?app=shop&search=tier%3Dgold&kind=all&limit=100"),
  );
  fireEvent.click(screen.getByRole("button", { name: /Remove the filter tier/ }));
  expect(location.search).toBe("?app=shop");
});

test("where nothing matches each filter can go, with what there would be without it", async () => {
  rows = rows.filter((row) => row.status !== "failed");
  open("/runs?status=failed&app=shop");
  await screen.findByText("No run matches these 2 filters.");
  const way = screen.getByRole("button", { name: "failed" }).closest("li");
  if (way === null) throw new Error("no way out");
  await within(way).findByText("2+ runs without it");
  fireEvent.click(within(way).getByRole("button"));
  expect(location.search).toBe("?app=shop");
});

test("an empty namespace teaches, and shows the first run by itself", async () => {
  const later = rows;
  rows = [];
  open("/runs");
  await screen.findByText("No runs yet.");
  rows = later;
  for (const listener of listeners) {
    listener({ runs: new Map(), others: true, events: false, runners: false, flows: false });
  }
  await screen.findByRole("row", { name: /Failed/ });
});

test("who needs a key is taught to show one, and where it is made", async () => {
  rows = [];
  session.assume(meAs("admin"));
  open("/runs");
  await screen.findByText("No runs yet.");
  expect(screen.getByText(/^STEPWELL_KEY=WORKER_KEY STEPWELL_URL=/)).toBeTruthy();
  expect(screen.getByText(/^STEPWELL_KEY=CLIENT_KEY npx stepwell runs start/)).toBeTruthy();
  const link = screen.getByRole("link", { name: "Make a key" });
  expect(link.getAttribute("href")).toBe("/access?act=make");
  act(() => session.assume(meAs("viewer")));
  expect(screen.getByText(/Who has the role admin makes them/)).toBeTruthy();
});

test("no key is taught where none is asked for", async () => {
  rows = [];
  session.assume(LOCAL);
  open("/runs");
  await screen.findByText("No runs yet.");
  expect(screen.queryByText(/STEPWELL_KEY/)).toBe(null);
});

test("the form that starts a run lies over the list, and leaves it as it was", async () => {
  open("/runs/new?app=shop");
  // It is loaded when it is asked for, which takes its time on a busy machine.
  const loaded = { timeout: 10_000 };
  const dialog = await screen.findByRole("dialog", { name: /Start a run/ }, loaded);
  fireEvent.click(within(dialog).getByRole("button", { name: "Close Esc" }));
  expect(location.pathname + location.search).toBe("/runs?app=shop");
}, 15_000);

test("keys walk the rows and open one", async () => {
  open("/runs");
  await screen.findByRole("row", { name: /Failed/ });
  press("j");
  press("j");
  expect(screen.getByRole("row", { selected: true }).textContent).toContain("Failed");
  fireEvent.keyDown(document.body, { key: "Enter", code: "Enter" });
  expect(location.pathname).toBe("/runs/run_2bbbbbb");
});

test("an error says what was asked and why there is no answer", async () => {
  vi.stubGlobal("fetch", () =>
    Promise.resolve(
      new Response(JSON.stringify({ detail: "the disk is full", code: "SW3001" }), { status: 507 }),
    ),
  );
  open("/runs");
  const alert = await screen.findByRole("alert");
  expect(alert.textContent).toContain("Could not read the runs: the disk is full.");
  expect(alert.textContent).toContain("SW3001");
  vi.stubGlobal("fetch", serve);
  fireEvent.click(within(alert).getByRole("button", { name: "Try again" }));
  await screen.findByRole("row", { name: /Failed/ });
});

const STUCK = observedRow({
  run: "req_7",
  status: "stuck",
  startedAt: iso(4),
  endedAt: null,
  durationMs: null,
  strip: ["completed", "stuck"],
});

test("observed runs stand among the others, say what they are, and lead to their own page", async () => {
  rows = [STUCK, ...rows];
  flows = [flowRow({ now: { running: 0, stuck: 1 } })];
  open("/runs");
  const row = await screen.findByRole("row", { name: /Stuck/ });
  expect(row.textContent).toContain("import-ordersreq_7observed");
  expect(within(row).getByRole("link").getAttribute("href")).toBe(
    "/flows/import-orders/runs/req_7",
  );
  expect(within(row).getByRole("img").getAttribute("aria-label")).toMatch(/1 completed, 1 stuck/);
  expect(screen.getByRole("row", { name: /Failed/ })).toBeTruthy();
  expect(asked.filter((path) => path.startsWith("/runs/glance")).join()).not.toContain("req_7");
});

test("one kind alone is shown where it is asked for, and stuck ones are counted", async () => {
  rows = [STUCK, ...rows];
  flows = [flowRow({ now: { running: 0, stuck: 3 } })];
  open("/runs");
  expect((await screen.findByRole("button", { name: /^Stuck/ })).textContent).toBe("Stuck3");
  expect(screen.getByText("Counts are of durable runs")).toBeTruthy();
  fireEvent.click(await screen.findByRole("button", { name: "Observed" }));
  expect(location.search).toBe("?kind=observed");
  await waitFor(() => expect(asked).toContain("/runs?kind=observed&limit=100"));
  fireEvent.click(screen.getByRole("button", { name: "Durable" }));
  await waitFor(() => expect(asked).toContain("/runs?limit=100"));
  expect(screen.queryByRole("button", { name: /^Stuck/ })).toBeNull();
});

test("where nothing is observed nothing speaks of it", async () => {
  flows = [];
  open("/runs");
  await screen.findByRole("row", { name: /Failed/ });
  await waitFor(() => expect(asked).toContain("/flows"));
  expect(screen.queryByRole("group", { name: "Kind of runs" })).toBeNull();
  expect(screen.queryByRole("button", { name: /^Stuck/ })).toBeNull();
});
