/** Runs and steps for tests. */

import type { AuditRow, KeyRow } from "./access.ts";
import type { Job } from "./bulk.ts";
import type { Me, Role } from "./rights.ts";
import type { Attempt, Run, RunRow, Step } from "./run.ts";

/** The instant that offsets of tests count from. */
export const ZERO = Date.parse("2026-11-22T08:00:00Z");

/** Returns the instant so many milliseconds after zero, as the API writes it. */
export function iso(ms: number): string {
  return `${new Date(ZERO + ms).toISOString().slice(0, -1)}000Z`;
}

/** Makes a step that ran from one offset to another; null as the end leaves it open. */
export function step(id: string, from: number, to: number | null, more: Partial<Step> = {}): Step {
  return {
    id,
    kind: "run",
    status: to === null ? "running" : "completed",
    position: 0,
    input: null,
    output: null,
    error: null,
    attempts: [attempt(1, from, to)],
    logs: [],
    metadata: null,
    scheduledAt: iso(from),
    startedAt: iso(from),
    completedAt: to === null ? null : iso(to),
    nextAt: null,
    after: [],
    generation: 1,
    ...more,
  };
}

/** Makes an attempt. */
export function attempt(n: number, from: number, to: number | null, status?: string): Attempt {
  return {
    n,
    status: status ?? (to === null ? "running" : "completed"),
    startedAt: iso(from),
    endedAt: to === null ? null : iso(to),
    error: null,
    runner: "blue",
    overlapped: false,
  };
}

/** Makes a run of steps. */
export function run(steps: readonly Step[], more: Partial<Run> = {}): Run {
  return {
    id: "run_0193b5e4000070008000000000000000",
    namespace: "default",
    app: "shop",
    workflow: "checkout",
    status: "running",
    key: null,
    runner: null,
    version: null,
    createdAt: iso(0),
    startedAt: iso(0),
    endedAt: null,
    deadline: null,
    durationMs: null,
    input: null,
    output: null,
    error: null,
    metadata: null,
    cleanUp: null,
    steps,
    logs: [],
    activations: [],
    history: [],
    parent: null,
    continuedFrom: null,
    continuedAs: null,
    why: null,
    cause: null,
    journalBytes: 0,
    ...more,
  };
}

/** Makes a fan-out: steps side by side, of which some failed. */
export function fan(
  prefix: string,
  count: number,
  failed: readonly number[] = [],
): readonly Step[] {
  return Array.from({ length: count }, (_, at) =>
    step(`${prefix}${at}`, 100, 200 + at, {
      position: at + 1,
      after: ["load"],
      status: failed.includes(at) ? "failed" : "completed",
    }),
  );
}

/** Makes a row of the list of runs. */
export function rowOf(more: Partial<RunRow> = {}): RunRow {
  return {
    id: "run_0193b5e4000070008000000000000000",
    app: "shop",
    workflow: "checkout",
    status: "running",
    createdAt: iso(0),
    startedAt: iso(0),
    endedAt: null,
    durationMs: null,
    key: null,
    version: null,
    steps: 0,
    stepsEnded: 0,
    stepsFailed: 0,
    blocked: null,
    ...more,
  };
}

const READS = ["any", "read"];
const STARTS = [...READS, "start"];
const RIGHTS: Readonly<Record<Role, readonly string[]>> = {
  viewer: READS,
  client: STARTS,
  operator: [...STARTS, "act"],
  worker: ["any", "work"],
  telemetry: ["any", "telemetry"],
  admin: [...STARTS, "act", "work", "telemetry", "admin"],
};

/** Somebody on a server that asks for no key. */
export const LOCAL: Me = {
  access: "loopback",
  namespace: "default",
  role: "admin",
  key: null,
  rights: new Set([...RIGHTS.admin, "server"]),
};

/** Makes somebody with a key of a role, with the rights that the server tells of it. */
export function meAs(role: Role, namespace = "default"): Me {
  const server = role === "admin" && namespace === "default" ? ["server"] : [];
  return {
    access: "keys",
    namespace,
    role,
    key: { id: "a4dqobyha4", name: `${role} key` },
    rights: new Set([...RIGHTS[role], ...server]),
  };
}

/** Makes a key as the list shows it. */
export function keyRow(more: Partial<KeyRow> = {}): KeyRow {
  return {
    id: "b7mx2kq9ta",
    name: "checkout",
    namespace: "default",
    role: "client",
    state: "live",
    createdAt: iso(0),
    createdBy: "ann",
    expiresAt: null,
    revokedAt: null,
    lastUsedAt: null,
    previousUntil: null,
    ...more,
  };
}

/** Makes a row of the audit log. */
export function auditRow(more: Partial<AuditRow> = {}): AuditRow {
  return {
    n: 2,
    at: iso(0),
    namespace: "default",
    key: "a4dqobyha4",
    keyName: "ann",
    from: "192.0.2.7",
    act: "keys.create",
    object: "b7mx2kq9ta",
    reason: null,
    outcome: "done",
    of: 1,
    hash: "00ff",
    ...more,
  };
}

/** Makes an act on many runs. */
export function jobOf(more: Partial<Job> = {}): Job {
  return {
    id: "blk_1",
    act: "cancel",
    filter: { app: "shop" },
    reason: null,
    by: null,
    state: "done",
    matched: 0,
    done: 0,
    refused: 0,
    failed: 0,
    refusals: [],
    createdAt: iso(0),
    createdBy: "ann",
    endedAt: null,
    why: null,
    ...more,
  };
}
