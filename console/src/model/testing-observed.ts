/** Observed runs and flows for tests. */

import type { FlowRow, FlowStep, FlowView } from "./flows.ts";
import type { ObservedAttempt, ObservedRow, ObservedRun, ObservedStep } from "./observed.ts";
import { iso } from "./testing.ts";

/** Makes a call from one offset to another; null as the end leaves it open. */
export function call(
  n: number,
  from: number,
  to: number | null,
  more: Partial<ObservedAttempt> = {},
): ObservedAttempt {
  return {
    n,
    call: `c${n}`,
    status: to === null ? "running" : "success",
    startedAt: iso(from),
    endedAt: to === null ? null : iso(to),
    durationMs: to === null ? null : to - from,
    process: "shop-1",
    error: null,
    metadata: null,
    metadataDropped: false,
    ...more,
  };
}

/** Makes a call that threw. */
export function thrown(n: number, from: number, to: number): ObservedAttempt {
  const error = { name: "TimeoutError", message: "no answer within 30 s", stack: null };
  return call(n, from, to, { status: "error", error });
}

/** Makes a step of calls. */
export function seen(
  key: string,
  attempts: readonly ObservedAttempt[],
  more: Partial<ObservedStep> = {},
): ObservedStep {
  const last = attempts.at(-1);
  const status = last === undefined ? "not_reached" : undefined;
  const ended = { running: "running", success: "completed", error: "failed" } as const;
  return {
    key,
    name: key,
    declared: true,
    terminal: false,
    status: status ?? ended[last?.status ?? "success"],
    why: "",
    startedAt: attempts[0]?.startedAt ?? null,
    endedAt: last?.endedAt ?? null,
    durationMs: last?.durationMs ?? null,
    skippedAt: null,
    attemptsTotal: attempts.length,
    attempts,
    ...more,
  };
}

/** Makes a run of steps that follow each other. */
export function observed(
  steps: readonly ObservedStep[],
  more: Partial<ObservedRun> = {},
): ObservedRun {
  const keys = steps.filter((step) => step.declared).map((step) => step.key);
  return {
    kind: "observed",
    flow: "import-orders",
    name: "Import orders",
    run: "req_1",
    status: "completed",
    why: "Completed: every declared terminal step ended.",
    startedAt: iso(0),
    lastAt: iso(1000),
    endedAt: iso(1000),
    durationMs: 1000,
    processes: ["shop-1"],
    events: 4,
    eventsDropped: 0,
    declared: true,
    metadata: {},
    trace: null,
    durableRun: null,
    stuckAfterMs: 600_000,
    quietAfterMs: 60_000,
    firstFailed: null,
    steps,
    edges: keys.slice(1).map((key, at) => [keys[at] ?? "", key] as const),
    ...more,
  };
}

/** A run with a step of every status but `running` and `stuck`: it broke in `write`. */
export const BROKEN: ObservedRun = observed(
  [
    seen("fetch", [call(1, 0, 100)]),
    seen("dedupe", [], { status: "missing", why: "not called, not skipped" }),
    seen("write", [call(1, 200, 300), call(2, 400, 500), thrown(3, 600, 900)]),
    seen("audit", [], { status: "skipped", skippedAt: iso(150) }),
    seen("publish", [], { terminal: true }),
    seen("map-sku", [call(1, 120, 130)], { declared: false }),
  ],
  {
    status: "failed",
    why: "Failed in `write`: its last call threw TimeoutError: no answer within 30 s.",
    firstFailed: "write",
    edges: [
      ["fetch", "dedupe"],
      ["dedupe", "write"],
      ["dedupe", "audit"],
      ["write", "publish"],
    ],
  },
);

/** Makes a row of the list of observed runs. */
export function observedRow(more: Partial<ObservedRow> = {}): ObservedRow {
  return {
    kind: "observed",
    flow: "import-orders",
    run: "req_1",
    status: "completed",
    startedAt: iso(0),
    lastAt: iso(1000),
    endedAt: iso(1000),
    durationMs: 1000,
    steps: 2,
    stepsEnded: 2,
    stepsFailed: 0,
    attempts: 2,
    error: null,
    strip: ["completed", "completed"],
    metadata: null,
    ...more,
  };
}

/** Makes a row of the list of flows. */
export function flowRow(more: Partial<FlowRow> = {}): FlowRow {
  return {
    flow: "import-orders",
    name: "Import orders",
    declared: true,
    steps: 7,
    firstAt: iso(0),
    lastAt: iso(1000),
    last24h: { runs: 312, failed: 14 },
    now: { running: 3, stuck: 0 },
    ...more,
  };
}

/** Makes a step of a flow with what happened to it. */
export function flowStep(key: string, more: Partial<FlowStep> = {}): FlowStep {
  return {
    key,
    name: key,
    declared: true,
    terminal: false,
    counts: { ok: 10, failed: 0, skipped: 0, missing: 0, notReached: 0 },
    firstFailed: 0,
    p50Ms: 12,
    p95Ms: 90,
    p99Ms: 1200,
    ...more,
  };
}

/** Makes a flow of steps that follow each other. */
export function flowView(steps: readonly FlowStep[], more: Partial<FlowView> = {}): FlowView {
  const keys = steps.filter((step) => step.declared).map((step) => step.key);
  return {
    flow: "import-orders",
    name: "Import orders",
    declared: true,
    learned: false,
    stuckAfterMs: 600_000,
    quietAfterMs: 60_000,
    windowMs: 86_400_000,
    steps,
    edges: keys.slice(1).map((key, at) => [keys[at] ?? "", key] as const),
    health: [
      { at: iso(0), runs: 10, failed: 0, missing: 0 },
      { at: iso(900_000), runs: 4, failed: 2, missing: 1 },
    ],
    runs: { total: 14, failed: 2, running: 0, stuck: 0 },
    ...more,
  };
}
