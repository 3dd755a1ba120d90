import { expect, test } from "vitest";
import {
  ACCESS_PARTS,
  accessHref,
  eventHref,
  flowHref,
  observedHref,
  routeOf,
  runHref,
  withQuery,
} from "./route.ts";

test.each([
  ["/", { page: "runs", starting: false }],
  ["/runs", { page: "runs", starting: false }],
  ["/runs/new", { page: "runs", starting: true }],
  ["/runs/run_01", { page: "run", run: "run_01", view: null }],
  ["/runs/run_01/list", { page: "run", run: "run_01", view: "list" }],
  ["/runs/a%2Fb/list", { page: "run", run: "a/b", view: "list" }],
  ["/runs/%E0%A4%A", { page: "run", run: "%E0%A4%A", view: null }],
  ["/runs/run_01/graph", { page: "run", run: "run_01", view: "graph" }],
  ["/runs/a%2Fb/log", { page: "log", run: "a/b" }],
  ["/runs/new/log", { page: "unknown" }],
  ["/runs/run_01/log/7", { page: "unknown" }],
  ["/runs/run_01/pie", { page: "unknown" }],
  ["/runs/new/list", { page: "unknown" }],
  ["/events", { page: "events" }],
  ["/events/order%2F7", { page: "event", event: "order/7" }],
  ["/events/a/b", { page: "unknown" }],
  ["/access", { page: "access", part: "keys" }],
  ["/access/namespaces", { page: "access", part: "namespaces" }],
  ["/access/audit", { page: "access", part: "audit" }],
  ["/access/audit/7", { page: "unknown" }],
  ["/access/doors", { page: "unknown" }],
  ["/runners", { page: "runners" }],
  ["/runners/blue", { page: "unknown" }],
  ["/flows", { page: "flows" }],
  ["/flows/import%2Forders", { page: "flow", flow: "import/orders" }],
  ["/flows/a/runs", { page: "unknown" }],
  ["/flows/a/calls/b", { page: "unknown" }],
  ["/flows/a/runs/b%2Fc", { page: "observed", flow: "a", run: "b/c", view: null }],
  ["/flows/a/runs/b/graph", { page: "observed", flow: "a", run: "b", view: "graph" }],
  ["/flows/a/runs/b/pie", { page: "unknown" }],
  ["/flows/a/runs/b/graph/c", { page: "unknown" }],
  ["/reference", { page: "reference" }],
  ["/reference/runs", { page: "unknown" }],
  ["/elsewhere", { page: "unknown" }],
])("%s leads to its page", (path, route) => {
  expect(routeOf(path)).toEqual(route);
});

test("an address leads back to the run that it was made of", () => {
  expect(routeOf(runHref("a/b c?#", "list"))).toEqual({
    page: "run",
    run: "a/b c?#",
    view: "list",
  });
});

test("an address leads back to the event that it was made of", () => {
  expect(routeOf(eventHref("order/7 ?#"))).toEqual({ page: "event", event: "order/7 ?#" });
});

test("an address leads back to the part of access that it was made of", () => {
  for (const part of ACCESS_PARTS) {
    expect(routeOf(accessHref(part))).toEqual({ page: "access", part });
  }
});

test("members of the query that nobody knows are kept", () => {
  expect(withQuery("?later=1&step=a", { step: "b&c" })).toBe("?later=1&step=b%26c");
  expect(withQuery("?step=a", { step: null })).toBe("");
});

test("the addresses of flows and observed runs lead back to them, whatever their names hold", () => {
  const [flow, run] = ["a/b?c#d", "2026-11-21T15:00 é/x"];
  expect(routeOf(flowHref(flow))).toEqual({ page: "flow", flow });
  expect(routeOf(observedHref(flow, run))).toEqual({ page: "observed", flow, run, view: null });
  expect(routeOf(observedHref(flow, run, "list"))).toMatchObject({ run, view: "list" });
});
