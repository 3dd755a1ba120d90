/** Observed runs as the API tells them (`GET /api/v1/flows/{flow}/runs/{run}`): code that runs outside. */

import type { Failure } from "./run.ts";

export type ObservedRunStatus = "running" | "stuck" | "completed" | "failed";

export type ObservedStepStatus =
  | "running"
  | "completed"
  | "failed"
  | "skipped"
  | "stuck"
  | "missing"
  | "not_reached";

/** One call of a step. What was told without a begin has no `startedAt` and no duration. */
export interface ObservedAttempt {
  readonly n: number;
  readonly call: string | null;
  readonly status: "running" | "success" | "error";
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  readonly durationMs: number | null;
  readonly process: string | null;
  readonly error: Failure | null;
  readonly metadata: unknown;
  /** Its metadata was larger than may be kept. */
  readonly metadataDropped: boolean;
}

export interface ObservedStep {
  readonly key: string;
  readonly name: string;
  readonly declared: boolean;
  readonly terminal: boolean;
  readonly status: ObservedStepStatus;
  /** Why it has this status, as a sentence. */
  readonly why: string;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  readonly durationMs: number | null;
  readonly skippedAt: string | null;
  readonly attemptsTotal: number;
  /** Of very many only the latest. */
  readonly attempts: readonly ObservedAttempt[];
}

/** A pair of keys: the second step comes after the first. */
export type FlowEdge = readonly [from: string, to: string];

export interface ObservedRun {
  readonly kind: "observed";
  readonly flow: string;
  /** What the flow is called. */
  readonly name: string;
  readonly run: string;
  readonly status: ObservedRunStatus;
  /** Why it has this status, as a sentence. */
  readonly why: string;
  readonly startedAt: string;
  readonly lastAt: string;
  readonly endedAt: string | null;
  readonly durationMs: number | null;
  readonly processes: readonly string[];
  readonly events: number;
  /** Of a run of very many events the later ones are only counted. */
  readonly eventsDropped: number;
  /** Its flow is declared. */
  readonly declared: boolean;
  readonly metadata: Readonly<Record<string, unknown>> | null;
  readonly trace: string | null;
  /** The durable run of the same id or trace. */
  readonly durableRun: string | null;
  readonly stuckAfterMs: number;
  readonly quietAfterMs: number;
  readonly firstFailed: string | null;
  readonly steps: readonly ObservedStep[];
  readonly edges: readonly FlowEdge[];
}

/** A row of the list of observed runs. */
export interface ObservedRow {
  readonly kind: "observed";
  readonly flow: string;
  readonly run: string;
  readonly status: ObservedRunStatus;
  readonly startedAt: string;
  readonly lastAt: string;
  readonly endedAt: string | null;
  readonly durationMs: number | null;
  readonly steps: number;
  readonly stepsEnded: number;
  readonly stepsFailed: number;
  readonly attempts: number;
  readonly error: {
    readonly step: string;
    readonly name: string;
    readonly message: string;
  } | null;
  /** The statuses of its steps, in order. */
  readonly strip: readonly ObservedStepStatus[];
  readonly metadata: Readonly<Record<string, unknown>> | null;
}

/**
 * Reads an answer of the API. What is checked is what tells an observed run from another answer.
 *
 * @throws `TypeError` where it is not one.
 */
export function readObservedRun(answer: unknown): ObservedRun {
  const run = answer as Partial<ObservedRun> | null;
  const isRun =
    typeof run === "object" &&
    run !== null &&
    typeof run.run === "string" &&
    typeof run.status === "string" &&
    Array.isArray(run.steps) &&
    Array.isArray(run.edges);
  if (!isRun) throw new TypeError("the server's answer is not an observed run");
  // Checked above; the rest is the server's word.
  return run as ObservedRun;
}

/** Reads an answer of `GET /runs/{run}/observed`. */
export function readObservedRuns(answer: unknown): readonly ObservedRun[] {
  const { runs } = (answer ?? {}) as { runs?: unknown };
  if (!Array.isArray(runs)) throw new TypeError("the server's answer holds no observed runs");
  return runs.map(readObservedRun);
}

/** Rows of observed runs, and the cursor of those that follow. */
export interface ObservedRows {
  readonly runs: readonly ObservedRow[];
  readonly next: string | null;
}

/** Reads an answer of `GET /flows/{flow}/runs`. */
export function readObservedRows(answer: unknown): ObservedRows {
  const { runs, next } = (answer ?? {}) as Partial<ObservedRows>;
  if (!Array.isArray(runs)) throw new TypeError("the server's answer holds no runs");
  return { runs, next: next ?? null };
}
