// @vitest-environment happy-dom

import { cleanup, fireEvent, screen, waitFor, within } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { session } from "../api/session.ts";
import { iso, LOCAL } from "../model/testing.ts";
import { flowStep, flowView, observedRow } from "../model/testing-observed.ts";
import { FlowPage } from "./flow-page.tsx";
import { serve, show, WorkerHere } from "./testing.tsx";

vi.mock("../live/stream.ts", () => ({
  onChanges: () => () => undefined,
  useConnection: () => ({ state: "live", asOf: null, retryAt: null }),
}));
vi.mock("../graph/make-worker.ts", () => ({ makeWorker: () => new WorkerHere() }));

const COUNTS = { ok: 900, failed: 14, skipped: 0, missing: 0, notReached: 12 };
const VIEW = flowView([
  flowStep("fetch"),
  flowStep("write", { counts: COUNTS, firstFailed: 14, p50Ms: 1270, p95Ms: 22_000, p99Ms: 30_000 }),
  flowStep("map-sku", { declared: false, p50Ms: null, p95Ms: null, p99Ms: null }),
]);
const ERRORS = [
  {
    fingerprint: "a",
    step: "write",
    name: "TimeoutError",
    message: "no answer within 30 s",
    count: 14,
    firstAt: iso(0),
    lastAt: iso(9000),
    lastRun: "req_9",
  },
  {
    fingerprint: "b",
    step: "fetch",
    name: "Error",
    message: "",
    count: 1,
    firstAt: iso(0),
    lastAt: iso(100),
    lastRun: "req/1",
  },
];
const ROWS = [
  observedRow({
    run: "req_9",
    status: "failed",
    error: { step: "write", name: "TimeoutError", message: "no answer within 30 s" },
    strip: ["completed", "failed", "not_reached"],
    steps: 3,
    metadata: { region: "eu", nested: {} },
  }),
  observedRow({ run: "req_8" }),
];

function serveFlow(view = VIEW): readonly string[] {
  const at = "/flows/import-orders";
  return serve({
    [at]: view,
    [`${at}/errors`]: { errors: ERRORS },
    [`${at}/runs`]: { runs: ROWS, next: "more", stale: false },
  });
}

/** The row of what `write` threw. */
async function errors(): Promise<HTMLElement> {
  const region = within(await screen.findByRole("region", { name: "Errors" }));
  return await region.findByRole("row", { name: /TimeoutError.*no answer/ });
}

beforeEach(() => {
  session.assume(LOCAL);
  history.replaceState(null, "", "/flows/import-orders");
});
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

test("each step stands in the graph with how it did, and where runs break first is marked", async () => {
  serveFlow();
  show(<FlowPage flow="import-orders" />);
  const graph = within(await screen.findByRole("region", { name: "Steps as a graph" }));
  const write = await graph.findByRole("button", { name: /write/ });
  expect(write.textContent).toBe("writep95 22\u00a0s900 completed14 failed12 not reached");
  expect(write.className).toContain("is-failed");
  expect(graph.getByRole("button", { name: /fetch/ }).className).not.toContain("is-failed");
  expect(graph.getByText("Not declared")).toBeDefined();
});

test("the table tells how long calls take, half, nearly all and all but one in a hundred", async () => {
  serveFlow();
  show(<FlowPage flow="import-orders" />);
  const row = await screen.findByRole("row", { name: /fails first/ });
  const took = [...row.querySelectorAll("td.n")].map((cell) => cell.textContent);
  expect(took).toEqual(["1.27\u00a0s", "22\u00a0s", "30\u00a0s"]);
  const unknown = screen.getByRole("row", { name: /map-sku/ });
  expect([...unknown.querySelectorAll("td.n")].map((cell) => cell.textContent)).toEqual(
    Array(3).fill("–"),
  );
});

test("errors that are the same are one row, with the last run that each was thrown in", async () => {
  serveFlow();
  show(<FlowPage flow="import-orders" />);
  const row = await errors();
  expect(within(row).getByText("14")).toBeDefined();
  expect(within(row).getByRole("link").getAttribute("href")).toBe(
    "/flows/import-orders/runs/req_9?step=write&tab=error",
  );
});

test("a step that is pressed narrows the errors to its own, and stands in the address", async () => {
  serveFlow();
  show(<FlowPage flow="import-orders" />);
  await errors();
  const table = within(screen.getByRole("region", { name: "Latency of the steps" }));
  fireEvent.click(table.getByRole("button", { name: "fetch" }));
  expect(location.search).toBe("?step=fetch");
  await waitFor(() => expect(document.querySelectorAll(".errors-table tbody tr")).toHaveLength(1));
  fireEvent.click(screen.getByRole("button", { name: "Of all steps" }));
  await errors();
});

test("its runs are rows that lead to them; a status narrows them, and more are asked for", async () => {
  const asked = serveFlow();
  show(<FlowPage flow="import-orders" />);
  const grid = within(await screen.findByRole("grid", { name: "Runs, newest first" }));
  const failed = grid.getByRole("row", { name: /Failed/ });
  expect(failed.textContent).toContain("req_9write: TimeoutError: no answer within 30 s");
  expect(failed.textContent).toContain("region eu");
  expect(within(failed).getByRole("link").getAttribute("href")).toBe(
    "/flows/import-orders/runs/req_9",
  );
  const runs = within(screen.getByRole("region", { name: "Runs" }));
  fireEvent.click(runs.getByRole("button", { name: "Stuck" }));
  await waitFor(() => expect(asked).toContain("/flows/import-orders/runs?limit=25&status=stuck"));
  fireEvent.click(runs.getByRole("button", { name: "Show more" }));
  await waitFor(() => expect(asked).toContain("/flows/import-orders/runs?limit=200&status=stuck"));
});

test("the window stands in the address, and is asked for", async () => {
  const asked = serveFlow();
  show(<FlowPage flow="import-orders" />);
  await screen.findByText("p50");
  fireEvent.click(screen.getByRole("button", { name: /^7.d$/ }));
  expect(location.search).toBe("?window=7d");
  await waitFor(() => expect(asked).toContain("/flows/import-orders?window=7d"));
});

test("a flow that nobody declared says that it was learned, and how it is declared", async () => {
  serveFlow({ ...VIEW, declared: false, learned: true });
  show(<FlowPage flow="import-orders" />);
  await screen.findByText("Learned from its runs");
  expect(screen.queryByText("Not declared")).toBeNull();
  expect(document.body.textContent).toContain("stepwell flows init");
});

test("a flow that is not there is told from a server that does not answer", async () => {
  serve({});
  show(<FlowPage flow="nobody" />);
  expect((await screen.findByRole("alert")).textContent).toContain("No flow nobody in default.");
});
