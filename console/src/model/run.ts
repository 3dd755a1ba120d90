/** A run as the API tells it (`GET /api/v1/runs/{run}`), and what reads it. */

import type { ObservedRow, ObservedRun, ObservedStep } from "./observed.ts";

export type StepStatus =
  | "pending"
  | "running"
  | "retrying"
  | "sleeping"
  | "waiting"
  | "completed"
  | "failed"
  | "timed_out"
  | "skipped"
  | "cancelled"
  | "unknown"
  /** The last three are of observed steps only. */
  | "stuck"
  | "missing"
  | "not_reached";

export type RunStatus =
  /** Of observed runs only. */
  | "stuck"
  | "queued"
  | "running"
  | "waiting"
  | "paused"
  | "blocked"
  | "compensating"
  | "completed"
  | "failed"
  | "cancelled"
  | "timed_out";

export type StepKind =
  | "run"
  | "sleep"
  | "sleepUntil"
  | "waitForEvent"
  | "namedWait"
  | "invoke"
  | "emit"
  | "race"
  | "skip"
  | "compensate"
  | "onFailure"
  /** A step of code that runs outside, which told of its calls. */
  | "observed";

/** An error as it was recorded. */
export interface Failure {
  readonly name: string;
  readonly message: string;
  readonly stack?: string | null;
  readonly cause?: Failure | null;
}

export interface LogLine {
  readonly at: string;
  readonly level: string;
  readonly message: string;
}

/** One execution of a step's function. `lost` went with its runner and does not count. */
export interface Attempt {
  readonly n: number;
  readonly status: string;
  readonly startedAt: string;
  readonly endedAt: string | null;
  readonly error: Failure | null;
  readonly runner: string;
  readonly overlapped: boolean;
}

export interface Step {
  readonly id: string;
  readonly kind: StepKind;
  readonly status: StepStatus;
  readonly position: number;
  readonly input: unknown;
  readonly output: unknown;
  readonly error: Failure | null;
  readonly attempts: readonly Attempt[];
  readonly logs: readonly LogLine[];
  readonly metadata: unknown;
  readonly scheduledAt: string;
  readonly startedAt: string | null;
  readonly completedAt: string | null;
  readonly nextAt: string | null;
  /** The steps that had been delivered to the code when this one began, reduced. */
  readonly after: readonly string[];
  readonly generation: number;
  readonly branch?: { readonly race: string; readonly name: string };
  readonly child?: { readonly run: string; readonly app: string; readonly workflow: string };
  readonly keptFrom?: string;
  /** Present where the function starts at most once. */
  readonly once?: unknown;
  /** All that is known of a step that was only observed. */
  readonly observed?: ObservedStep;
  /** The step that keeps an observed one from being reached. */
  readonly behind?: string | null;
}

export interface Activation {
  readonly epoch: number;
  readonly runner: string;
  readonly version: string | null;
  readonly build: string | null;
  readonly at: string;
  readonly until: string | null;
  readonly end: string;
}

/** What happened to the run beside its steps: acts of people, its end, changes of order. */
export interface Note {
  readonly at: string;
  readonly what: string;
  readonly by: string | null;
  readonly detail: string | null;
}

export interface CleanUp {
  readonly status: RunStatus;
  readonly compensations: readonly {
    readonly step: string;
    readonly unknown: boolean;
    readonly status: StepStatus;
  }[];
}

export interface Run {
  readonly id: string;
  readonly namespace: string;
  readonly app: string;
  readonly workflow: string;
  readonly status: RunStatus;
  readonly key: string | null;
  readonly runner: string | null;
  readonly version: string | null;
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  readonly deadline: string | null;
  readonly durationMs: number | null;
  readonly input: unknown;
  readonly output: unknown;
  readonly error: Failure | null;
  readonly metadata: unknown;
  readonly search?: Readonly<Record<string, string | number | boolean>>;
  readonly cleanUp: CleanUp | null;
  /** Who holds the run back, while somebody does. */
  readonly paused?: {
    readonly at: string;
    readonly by: string | null;
    readonly reason: string | null;
  } | null;
  /** Why a blocked run is blocked; `step` where it is about one. */
  readonly blocked?: { readonly kind: string; readonly step?: string } | null;
  /** When the handler runs again after it failed. */
  readonly retryAt?: string | null;
  readonly steps: readonly Step[];
  readonly logs: readonly LogLine[];
  readonly activations: readonly Activation[];
  readonly history: readonly Note[];
  readonly parent: { readonly run: string; readonly step: string } | null;
  readonly continuedFrom: string | null;
  readonly continuedAs: string | null;
  readonly forkedFrom?: { readonly run: string; readonly step: string | null };
  readonly rerunOf?: string;
  /** Why an open run is not moving, or what it is doing; null once it has ended. */
  readonly why: string | null;
  /** The same as a word of the API; null once it has ended. */
  readonly cause: string | null;
  /** How long its journal is, in bytes; it only grows. */
  readonly journalBytes: number;
  /** Of the steps only those that changed since the journal was so long are there. */
  readonly since?: number;
  /** All that is known of a run that was only observed. */
  readonly observed?: ObservedRun;
}

/** A row of the list of runs. */
export interface RunRow {
  readonly id: string;
  readonly app: string;
  readonly workflow: string;
  readonly status: RunStatus;
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  readonly durationMs: number | null;
  readonly key: string | null;
  readonly version: string | null;
  readonly steps: number;
  readonly stepsEnded: number;
  readonly stepsFailed: number;
  /** Why it is blocked. */
  readonly blocked: string | null;
  readonly search?: Readonly<Record<string, string | number | boolean>>;
  /** How it ended, where that was with an error. */
  readonly error?: { readonly name: string; readonly message: string } | null;
  /** The row of a run that was only observed. */
  readonly observed?: ObservedRow;
}

const ENDED_RUN: ReadonlySet<RunStatus> = new Set([
  "completed",
  "failed",
  "cancelled",
  "timed_out",
]);
const ENDED_STEP: ReadonlySet<StepStatus> = new Set([
  "completed",
  "failed",
  "timed_out",
  "skipped",
  "cancelled",
  "missing",
  "not_reached",
]);
/** What "failures only" shows: what failed, and what a person has to look at. */
const FAILURES: ReadonlySet<StepStatus> = new Set([
  "failed",
  "timed_out",
  "unknown",
  "stuck",
  "missing",
]);

/** Says whether a run can change no more. */
export function hasEnded(run: { readonly status: RunStatus }): boolean {
  return ENDED_RUN.has(run.status);
}

/** Says whether a step can change no more. */
export function stepHasEnded(step: Step): boolean {
  return ENDED_STEP.has(step.status);
}

/** Says whether a step failed, is stuck or missing, or nobody knows how it ended: what "failures only" shows. */
export function isFailure(step: Step): boolean {
  return FAILURES.has(step.status);
}

/** Says whether a step belongs to the clean-up of a run that ended badly. */
export function isCleanUp(step: Step): boolean {
  return step.kind === "compensate" || step.kind === "onFailure";
}

/** Returns the name that people see: ids that the engine made hold a space of names before U+001F. */
export function nameOf(id: string): string {
  const at = id.indexOf("\u001f");
  return at < 0 ? id : id.slice(at + 1);
}

/** Returns the name of a step as people spell it: `compensate charge` for what takes `charge` back. */
export function titleOf(id: string): string {
  const at = id.indexOf("\u001f");
  if (at < 0) return id;
  const [space, name] = [id.slice(0, at), id.slice(at + 1)];
  return space === "compensate" ? `${space} ${name}` : name;
}

/**
 * Reads an answer of the API. The server is trusted for what is inside a step; what is checked is what
 * tells a run from another answer, so that a wrong address or an old server says so at once.
 *
 * @throws `TypeError` where it is not a run.
 */
export function readRun(answer: unknown): Run {
  const run = answer as Partial<Run> | null;
  const isRun =
    typeof run === "object" &&
    run !== null &&
    typeof run.id === "string" &&
    typeof run.status === "string" &&
    Array.isArray(run.steps) &&
    Array.isArray(run.history) &&
    Array.isArray(run.activations);
  if (!isRun) throw new TypeError("the server's answer is not a run");
  // Checked above; the rest is the server's word.
  return run as Run;
}
