/** What a node says (docs/protocol.md). Payloads are values as `JSON.parse` gives them. */

import type { Failure } from "../errors/failure.js";
import type { BadEnd } from "../types/workflow.js";

/** What a step is made by, on the wire. */
export type Kind =
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
  | "onFailure";

/** How a step ended, on the wire (§3.1). */
export type EndStatus = "completed" | "failed" | "timed_out" | "skipped" | "cancelled" | "unknown";

export type { Failure };

/** The node has taken the runner, and says how it works. */
export interface Welcome {
  /** The server's version. */
  readonly server: string;
  /** How often to send `ping`, in milliseconds. */
  readonly pingMs: number;
  /** How long a grant lasts from the sending of its ping, in milliseconds. */
  readonly ttlMs: number;
  /** How long a run that waits stays with the runner after its last activity, in milliseconds. */
  readonly lingerMs: number;
  /** How long functions in flight get when a run is ending, in milliseconds. */
  readonly graceMs: number;
  /** Largest payload in bytes. */
  readonly payloadBytesMax: number;
  /** Most steps in a run. */
  readonly stepsMax: number;
  /** Most steps of a run in flight at once. */
  readonly branchesMax: number;
  /** Bytes that the runner may send before the first `credit`. */
  readonly creditBytes: number;
}

/** A step that has ended, as the code is given it. */
export interface EndedStep {
  readonly step: string;
  readonly kind: Kind;
  readonly status: EndStatus;
  /** When it ended, in microseconds since 1970: the code's `now` from its delivery on. */
  readonly atUs: number;
  readonly attempts: number;
  /** Absent where there is no value. */
  readonly output?: unknown;
  readonly error?: Failure;
  /** It completed under an earlier run of the handler (§6.5). */
  readonly kept?: boolean;
  /** The run under whose idempotency key the result was made, where a fork kept it (§9.8). */
  readonly keptFrom?: string;
}

/** A step that has begun and not ended. */
export interface OpenStep {
  readonly step: string;
  readonly kind: Kind;
  /** How many of its attempts have ended: the next is one more. */
  readonly attempts: number;
  /** Its function starts at most once (§4.5). */
  readonly once?: boolean;
  /** How its last start ended is not known. */
  readonly unknown?: boolean;
  /** How long until the next attempt may begin or the sleep is over. */
  readonly dueInUs?: number;
  /** How long ago its first attempt began, for the total time. */
  readonly firstStartedAgoUs?: number;
}

/** A step that is still to be taken back. */
export interface Compensation {
  readonly step: string;
  /** Nobody knows whether it was done: it is taken back without its result. */
  readonly unknown?: boolean;
}

/** What is left of a run's clean-up (§7.3, §7.4). */
export interface CleanUpOrder {
  /** The status that the run ends with. */
  readonly status: BadEnd;
  /** Why it does not complete. */
  readonly error: Failure;
  readonly compensate?: readonly Compensation[];
  /** The workflow's function is still to be called. */
  readonly onFailure?: boolean;
  /** Steps that may have been done, and are not taken back. */
  readonly uncertain?: readonly string[];
}

/** The value of a search attribute (§9.4). */
export type SearchValue = string | number | boolean;

/** A run is given to the runner. */
export interface Activate {
  /** The handle of the run on this connection. */
  readonly a: number;
  readonly run: string;
  readonly epoch: number;
  /** 64 bits, as the digits that stand in the message. */
  readonly nonce: string;
  readonly namespace: string;
  readonly workflow: string;
  readonly input?: unknown;
  readonly key?: string;
  readonly metadata?: unknown;
  readonly parent?: { readonly run: string; readonly step: string };
  readonly search?: Readonly<Record<string, SearchValue>>;
  /** When the start was accepted, in microseconds since 1970: the code's first `now`. */
  readonly createdAtUs: number;
  readonly startedVersion?: string;
  readonly event?: { readonly id: string; readonly name: string };
  /** Steps that have ended, in the order of delivery. */
  readonly ended?: readonly EndedStep[];
  readonly open?: readonly OpenStep[];
  /** `history` messages follow; the code runs after the last one. */
  readonly more?: boolean;
  readonly cleanUp?: CleanUpOrder;
}

/** More of an activated run's history. */
export interface History {
  readonly a: number;
  readonly ended: readonly EndedStep[];
  readonly more?: boolean;
}

/** The runner goes on holding a run from a connection before. */
export interface Resumed {
  /** The run's new handle. */
  readonly a: number;
  readonly run: string;
  readonly paused?: boolean;
}

/** The end of a step is durable. */
export interface Settled {
  readonly a: number;
  readonly step: string;
  /** In microseconds since 1970. */
  readonly atUs: number;
  /** Absent for `completed`. */
  readonly status?: EndStatus;
  /** What the engine brought: of a function the runner has the result. */
  readonly output?: unknown;
  readonly error?: Failure;
}

/** An attempt failed; the next one begins after a time. */
export interface Retry {
  readonly a: number;
  readonly step: string;
  /** The next attempt. */
  readonly n: number;
  readonly inUs: number;
}

/** A start is durable: the function that starts at most once may be called (§4.5). */
export interface Begin {
  readonly a: number;
  readonly step: string;
  readonly n: number;
}

/** A message about a run that the node names by its handle, without more. */
export interface OfRun {
  readonly a: number;
}

/** A message from a node: an object with one of these members. Others are passed over. */
export interface ToRunner {
  readonly welcome?: Welcome;
  readonly refused?: { readonly code: string; readonly message: string };
  readonly pong?: { readonly k: number };
  readonly credit?: { readonly bytes: number };
  readonly draining?: Readonly<Record<string, never>>;
  readonly activate?: Activate;
  readonly history?: History;
  readonly resumed?: Resumed;
  readonly gone?: { readonly run: string; readonly epoch: number };
  readonly settled?: Settled;
  readonly retry?: Retry;
  readonly begin?: Begin;
  readonly end?: { readonly a: number; readonly status: string };
  readonly pause?: OfRun;
  readonly unpause?: OfRun;
  readonly evict?: OfRun;
  readonly done?: OfRun;
}
