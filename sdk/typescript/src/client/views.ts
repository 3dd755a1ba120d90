/** What the server shows; `docs/api.md` describes it. Instants are ISO 8601 texts. */

import type { RecordedError } from "../types/workflow.js";

/** Where a run stands (§3.2). */
export type RunStatus =
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

/** Where a step stands (§3.1). */
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
  | "unknown";

/** A line that was logged. */
export interface LogView {
  readonly at: string;
  readonly level: string;
  readonly message: string;
}

/** An attempt of a step (§3.3). */
export interface AttemptView {
  readonly n: number;
  readonly status: string;
  readonly startedAt: string;
  readonly endedAt: string | null;
  readonly error: RecordedError | null;
  readonly runner: string | null;
  readonly overlapped: boolean;
}

/** A step of a run (§3.3). */
export interface StepView {
  readonly id: string;
  readonly kind: string;
  readonly status: StepStatus;
  readonly position: number;
  /** The steps that had been given to the code when this one began: the edges of the graph. */
  readonly after: readonly string[];
  readonly scheduledAt: string;
  readonly startedAt: string | null;
  readonly completedAt: string | null;
  /** When it wakes or is tried again. */
  readonly nextAt: string | null;
  readonly input: unknown;
  readonly output: unknown;
  readonly error: RecordedError | null;
  readonly metadata: unknown;
  readonly attempts: readonly AttemptView[];
  /** The run of the handler under which it began (§6.5). */
  readonly generation: number;
  readonly uncertain: boolean;
  readonly logs: readonly LogView[];
  /** The run that an invoke started. */
  readonly child?: { readonly run: string; readonly app: string; readonly workflow: string };
  /** The branch of a race that it stands in. */
  readonly branch?: { readonly race: string; readonly name: string };
}

/** An act on a run (§9.5). */
export interface HistoryView {
  readonly at: string;
  readonly what: string;
  readonly by: string | null;
  readonly detail: string | null;
}

/** A run with its steps, attempts and logs (§3). */
export interface RunView {
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
  readonly notBefore: string | null;
  readonly durationMs: number | null;
  readonly input: unknown;
  readonly output: unknown;
  readonly error: RecordedError | null;
  readonly metadata: unknown;
  readonly paused: {
    readonly at: string;
    readonly by: string | null;
    readonly reason: string | null;
  } | null;
  /** Why it needs a deploy or a person (§4.10): the kind of the cause, and what it is about. */
  readonly blocked: Readonly<Record<string, unknown> & { kind: string }> | null;
  /** The same as a sentence. */
  readonly blockedBecause: string | null;
  readonly generation: number;
  readonly retryAt: string | null;
  readonly cleanUp: unknown;
  /** Why it is not moving, or what it is doing. */
  readonly why: string | null;
  readonly parent: { readonly run: string; readonly step: string } | null;
  readonly continuedFrom: string | null;
  readonly continuedAs: string | null;
  readonly search?: Readonly<Record<string, string | number | boolean>>;
  readonly steps: readonly StepView[];
  readonly logs: readonly LogView[];
  readonly history: readonly HistoryView[];
  readonly journalBytes: number;
}

/** A run in a list. */
export interface RunSummary {
  readonly id: string;
  readonly app: string;
  readonly workflow: string;
  readonly key: string | null;
  readonly status: RunStatus;
  readonly version: string | null;
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  readonly durationMs: number | null;
  readonly steps: number;
  readonly stepsEnded: number;
  readonly stepsFailed: number;
  readonly blocked: string | null;
  readonly parent: string | null;
  /** Why it did not complete; each part is cut to 200 characters. */
  readonly error: { readonly name: string; readonly message: string } | null;
  readonly search?: Readonly<Record<string, string | number | boolean>>;
}

/** A page of runs, newest first. */
export interface RunPage {
  readonly runs: readonly RunSummary[];
  /** The `cursor` of the next page; null on the last one. */
  readonly next: string | null;
  /** Where the server stopped looking before the page was full: older runs may fit. */
  readonly searchedTo?: string;
  /** The list misses writes that were durable when it was asked for. */
  readonly stale: boolean;
}

/** Why a run is not moving (§9.7). */
export interface WhyView {
  readonly id: string;
  readonly status: RunStatus;
  readonly cause: string;
  readonly why: string;
}

/** What became of an event that was sent (§8.1). */
export interface Sent {
  readonly id: string;
  /** False where the id was seen before: it did nothing more. */
  readonly accepted: boolean;
  /** Of an event for one run: how many of its waits asked for it. */
  readonly delivered?: number;
  /** Of an event for one run: why it does nothing. */
  readonly reason?: string;
}

/** An event (§8). */
export interface EventSummary {
  readonly id: string;
  readonly event: string;
  readonly acceptedAt: string;
  readonly data: unknown;
  readonly match: unknown;
  readonly app: string | null;
  readonly workflow: string | null;
  readonly run: string | null;
  readonly key: string | null;
}

/** A page of events, oldest first. */
export interface EventPage {
  readonly events: readonly EventSummary[];
  readonly next: string | null;
}

/** An event with what it did (§8.10). */
export interface EventView extends EventSummary {
  readonly runsStarted: readonly unknown[];
  readonly waitsWoken: readonly unknown[];
  readonly nearMisses: readonly unknown[];
}

/** A workflow that was registered. */
export interface WorkflowView {
  readonly app: string;
  readonly name: string;
  readonly version: string | null;
  readonly timeoutMs: number | null;
  readonly strict: boolean;
  readonly inputSchema: unknown;
  readonly inputSchemaError: string | null;
  readonly outputSchema: unknown;
  readonly firstAt: string;
  readonly changedAt: string;
}

/** A runner that is connected or awaited. */
export interface RunnerView {
  readonly app: string;
  readonly name: string;
  readonly instance: string;
  readonly sdk: string;
  readonly build: string | null;
  readonly connectedAt: string;
  readonly seenAt: string;
  readonly slots: number;
  readonly busy: number;
  readonly held: number;
  readonly draining: boolean;
  readonly workflows: readonly string[];
}
