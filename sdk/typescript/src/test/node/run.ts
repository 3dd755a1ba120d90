/** The state of a run in the stand-in, as far as rules need it. */

import type { RunStatus, StepStatus } from "../../client/views.js";
import type { Registration } from "../../registration.js";
import { RETRY_DEFAULT } from "../../retry.js";
import type { Cause, Failure, Kind, Opening, SearchValue } from "./said.js";

/** Where a run stands. */
export type Phase = "forward" | "ending" | "cleaning" | "blocked" | "ended";

/** How a run ends that does not complete. */
export type BadStatus = "failed" | "cancelled" | "timed_out";

/** What a step waits for that waits for an event. */
export interface Parked {
  readonly event: string;
  readonly match: string | undefined;
  /** Events that were accepted later than this one count whoever took them. */
  readonly seq: number;
  readonly onTimeout: "null" | "fail" | { readonly value: unknown };
}

/** A step of a run. Instants are microseconds since 1970. */
export class NodeStep {
  readonly id: string;
  readonly kind: Kind;
  readonly position: number;
  readonly generation: number;
  readonly open: Opening;
  readonly askedAt: number;
  status: StepStatus = "pending";
  /** How many attempts have ended. */
  attempts = 0;
  output: unknown = undefined;
  error: Failure | undefined = undefined;
  endedAt = 0;
  /** When it wakes, runs out of time, or is tried again. */
  wakeAt: number | undefined = undefined;
  firstStarted: number | undefined = undefined;
  /** Its function began, and nobody knows more. */
  begun = false;
  /** Its start is recorded under the present activation. */
  isRunning = false;
  /** How its last start ended is not known (§4.5). */
  inDoubt = false;
  parked: Parked | undefined = undefined;
  /** The first run of the chain that it invoked. */
  child: string | undefined = undefined;

  constructor(
    id: string,
    open: Opening,
    place: { position: number; generation: number; at: number },
  ) {
    this.id = id;
    this.kind = open.kind;
    this.open = open;
    this.position = place.position;
    this.generation = place.generation;
    this.askedAt = place.at;
  }

  get hasEnded(): boolean {
    return ENDED.has(this.status);
  }

  /** Tells whether its result is kept when the handler runs again (§6.5). */
  get isKept(): boolean {
    return this.status === "completed" || this.status === "skipped";
  }
}

/** The statuses of steps that have ended (§4.1). */
export const ENDED: ReadonlySet<string> = new Set<StepStatus>([
  "completed",
  "failed",
  "timed_out",
  "skipped",
  "cancelled",
  "unknown",
]);

/** What a run was started with. */
export interface Start {
  readonly input?: unknown;
  readonly key?: string;
  readonly metadata?: unknown;
  readonly runner?: string;
  readonly parent?: { readonly run: string; readonly step: string };
  readonly event?: { readonly id: string; readonly name: string };
  readonly search?: Readonly<Record<string, SearchValue>>;
  /** Runs above it. */
  readonly depth: number;
  readonly deadline: number | undefined;
  readonly notBefore?: number;
  /** The run before it in its chain (§2.3). */
  readonly before?: NodeRun;
}

/** What is left of a clean-up (§7.3). */
export interface Plan {
  readonly until: number;
  readonly compensate: readonly { readonly step: string; readonly unknown: boolean }[];
  readonly onFailure: boolean;
  readonly uncertain: readonly string[];
  done: number;
  isTold: boolean;
}

/** The process that holds a run. */
export interface Held {
  readonly a: number;
  /** No code of the run is in progress. */
  isIdle: boolean;
  /** It was taken from the process, which has not said yet that it dropped it. */
  isEvicted: boolean;
}

/** A run. */
export class NodeRun {
  readonly id: string;
  readonly workflow: Registration;
  readonly start: Start;
  readonly createdAt: number;
  /** Events that were accepted later than this one count from the run's start on (§8.4). */
  readonly since: number;
  /** The first run of its chain. */
  readonly first: string;
  phase: Phase = "forward";
  status: RunStatus | undefined = undefined;
  output: unknown = undefined;
  error: Failure | undefined = undefined;
  endedAt: number | undefined = undefined;
  continuedAs: string | undefined = undefined;
  blockedBy: Cause | undefined = undefined;
  /** All steps, of every run of the handler. */
  readonly steps: NodeStep[] = [];
  /** Those that count. */
  readonly byId: Map<string, NodeStep> = new Map();
  /** Ends in the order of delivery. */
  ends: NodeStep[] = [];
  generation = 1;
  epoch = 0;
  held: Held | undefined = undefined;
  isReady: boolean;
  delayedUntil: number | undefined;
  decided: { status: BadStatus; error: Failure | undefined; until: number } | undefined = undefined;
  plan: Plan | undefined = undefined;
  /** What waits took, by the names of events. */
  readonly taken: Set<string>;
  readonly search: Map<string, SearchValue>;
  readonly orders: { readonly expected: string; readonly found: string }[] = [];
  readonly logs: { readonly step?: string; readonly level: string; readonly message: string }[] =
    [];

  constructor(
    id: string,
    workflow: Registration,
    start: Start,
    place: { at: number; seq: number },
  ) {
    const { before, event } = start;
    this.id = id;
    this.workflow = workflow;
    this.start = start;
    this.createdAt = place.at;
    this.since = before?.since ?? place.seq;
    this.first = before?.first ?? id;
    this.taken = new Set(before?.taken);
    if (event !== undefined) this.taken.add(event.id);
    this.search = new Map(Object.entries(start.search ?? {}));
    this.delayedUntil = start.notBefore;
    this.isReady = start.notBefore === undefined;
  }

  /** The process that holds it and was not told to drop it. */
  get holder(): Held | undefined {
    return this.held?.isEvicted === false ? this.held : undefined;
  }

  get retry(): typeof RETRY_DEFAULT | undefined {
    const { retry } = this.workflow;
    return retry && { ...RETRY_DEFAULT, ...retry };
  }

  /** When it is ended whatever it does. */
  get bound(): number | undefined {
    return this.plan?.until ?? this.start.deadline;
  }

  /** Children whose ends it waits for. */
  children(): NodeStep[] {
    return [...this.byId.values()].filter((step) => step.child !== undefined && !step.hasEnded);
  }

  /** Says where it stands (§3.2). */
  shownStatus(): RunStatus {
    if (this.status !== undefined) return this.status;
    if (this.phase === "blocked") return "blocked";
    if (this.phase !== "forward") return "compensating";
    if (this.held !== undefined) return this.held.isIdle ? "waiting" : "running";
    return this.isReady ? "queued" : "waiting";
  }
}
