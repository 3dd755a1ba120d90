/** The state of a run's steps in this process. */

import type { JsonText } from "../protocol/to-node.js";
import type { EndStatus, Failure, Kind } from "../protocol/to-runner.js";
import type { RetryPolicy } from "../retry.js";
import type { Code } from "./code.js";

/**
 * Where a run stands in this process.
 *
 * | phase | means |
 * | --- | --- |
 * | loading | its history is still arriving |
 * | forward | its handler runs |
 * | gathering | its handler only replays, to say how steps are taken back (§7.5) |
 * | ending | its end is decided; functions in flight get time to return (§7.2) |
 * | leaving | its handler failed; functions in flight get time to return |
 * | blocked | code and journal cannot go on together; the node will evict it |
 * | finished | the node is told how the handler ended, and will say `done` |
 * | closed | this process does not hold it any more |
 */
export type Phase =
  | "loading"
  | "forward"
  | "gathering"
  | "ending"
  | "leaving"
  | "blocked"
  | "finished"
  | "closed";

/**
 * Where a step stands in this process.
 *
 * | state | means |
 * | --- | --- |
 * | known | the journal has it open; the code has not asked for it |
 * | due | it wants to begin its next attempt when `dueAt` has come |
 * | running | its function is in progress |
 * | telling | the node is told of an attempt's end, an event or a skip, and will answer at once |
 * | waiting | it waits for the engine: a sleep, an event, a child |
 * | asking | the node is asked to record a start, and will say when it is durable (§4.5) |
 * | verifying | it waits before it is tried again to find out how its last start ended (§4.5) |
 * | racing | its branches race (§5.5) |
 * | ended | it has ended; its end waits in the queue |
 * | passed | it has ended and was passed over in the queue (§5.4) |
 * | taken | the code was given its end, or never will be |
 * | dropped | the handler ended before it; the node is told (§5.6) |
 */
export type State =
  | "known"
  | "due"
  | "running"
  | "telling"
  | "waiting"
  | "asking"
  | "verifying"
  | "racing"
  | "ended"
  | "passed"
  | "taken"
  | "dropped";

/** What was found out about a start whose outcome was lost (§4.5). */
export type Verdict = "done" | "notDone" | "unknown" | "notBegun";

/** How a function ended. */
export type Outcome =
  | { readonly kind: "returned"; readonly output: JsonText | undefined }
  | {
      readonly kind: "failed";
      readonly failure: Failure;
      /** Trying again is of no use. */
      readonly terminal: boolean;
      readonly timedOut?: boolean;
      /** The code says how long to wait before the next attempt. */
      readonly retryInMs?: number;
    }
  /** What was found out about a start, where that was asked. */
  | { readonly kind: "verdict"; readonly verdict: "notDone" | "unknown" }
  /** The handler wants another run to go on with this input (§2.3). */
  | { readonly kind: "continued"; readonly input: JsonText | undefined };

/** What a step says about its attempts, in milliseconds. */
export interface StepOptions {
  readonly retry?: RetryPolicy;
  readonly timeoutMs?: number;
  readonly totalTimeoutMs?: number;
  /** Its function starts at most once (§4.5). */
  readonly once?: { readonly onUnknown: "block" | "throw"; readonly verified: boolean };
}

/** What the node is told of a wait (§8). */
export interface WaitAsk {
  readonly event: string;
  readonly match: JsonText | undefined;
  readonly timeoutMs: number | undefined;
  readonly onTimeout: "null" | "fail" | { readonly value: JsonText };
  readonly since: "runStart" | "parked" | { readonly backMs: number };
}

/** What the node is told of an event. */
export interface EmitAsk {
  readonly event: string;
  readonly data: JsonText | undefined;
  readonly match: JsonText | undefined;
  readonly app: string | undefined;
  readonly run: string | undefined;
}

/** What a step of a kind asks of the engine. */
export type Request =
  | { readonly kind: "sleep"; readonly forMs: number }
  | { readonly kind: "sleepUntil"; readonly untilUs: number }
  | { readonly kind: "wait"; readonly wait: WaitAsk }
  | { readonly kind: "emit"; readonly emit: EmitAsk };

/** The branch of a race that code stands in. */
export interface Lane {
  readonly race: Step;
  readonly name: string;
}

/** Calls the function of a step; given by the code that asks for the step. */
export interface Callee {
  /** Calls it for an attempt; the end is told to the machine's `onFunctionEnd`. */
  call(step: Step, attempt: Attempt): void;
}

/** What code asks for. */
export interface Ask {
  readonly id: string;
  readonly kind: Kind;
  readonly input?: JsonText | undefined;
  readonly metadata?: JsonText | undefined;
  readonly compensable?: "completed" | "unknown";
  readonly options?: StepOptions;
  readonly request?: Request;
  readonly lane?: Lane | undefined;
  readonly callee?: Callee;
}

/** An attempt in progress, or the last one while the node has not answered. */
export class Attempt {
  readonly n: number;
  readonly startedAt: number;
  /** It finds out how the last start ended (§4.5). */
  readonly verifies: boolean;
  endedAt: number;
  overlapped = false;
  /** The node is told, or about to be, that it runs. */
  startTold = false;
  /** When it runs out of time. */
  deadline: number = Number.POSITIVE_INFINITY;
  outcome: Outcome | undefined = undefined;
  /** It has ended for the run while its function still runs (§6.4). */
  isStray = false;
  #controller: AbortController | undefined = undefined;
  #reason: unknown = undefined;
  #isFired = false;

  constructor(n: number, now: number, verifies: boolean) {
    this.n = n;
    this.startedAt = now;
    this.endedAt = now;
    this.verifies = verifies;
  }

  /** Aborts on time-out and when the run is ending (§2.2). Made when it is first looked at. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#isFired) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  /** Fires the signal, once. */
  abort(reason: unknown): void {
    if (this.#isFired) return;
    this.#isFired = true;
    this.#reason = reason;
    this.#controller?.abort(reason);
  }
}

/** How a step ended. */
export interface End {
  readonly status: EndStatus;
  readonly atUs: number;
  /** The result as JSON text, where this process made it. */
  readonly text: JsonText | undefined;
  /** The result, where the engine brought it. */
  readonly value: unknown;
  readonly error: Failure | undefined;
  readonly attempts: number;
}

/** What the code of a step is given: its end, or that its branch of a race lost (§5.5). */
export type Given = End | "lost";

/** Returns the result of a step. */
export function resultOf(end: End): unknown {
  return end.text === undefined ? end.value : JSON.parse(end.text);
}

/** Where a step stands that starts at most once (§4.5). */
export interface OnceState {
  /** How the last start ended is not known. */
  doubt: boolean;
  /** The next start is durable: the function may be called. */
  granted: boolean;
  /** How often it was tried to find out. */
  verifies: number;
  /** What the node is being told. */
  verdict: Verdict | undefined;
}

/** A step that the code asked for or the journal has. */
export class Step {
  readonly id: string;
  /** The id as JSON text. */
  readonly idText: JsonText;
  readonly kind: Kind;
  state: State;
  /** The code asked for it. */
  asked = false;
  /** A message on this connection opened it, or the journal has it. */
  opened = false;
  ask: Ask | undefined = undefined;
  /** The code that asked. */
  code: Code | undefined = undefined;
  /** Gives the end to the code. */
  settle: ((given: Given) => void) | undefined = undefined;
  after = 0;
  askedAt = 0;
  dueAt = 0;
  /** How many of its attempts have ended. */
  attempts = 0;
  firstStarted: number | undefined = undefined;
  attempt: Attempt | undefined = undefined;
  /** Functions that still run though their attempt has ended, and since when. */
  strays = 0;
  straySince = 0;
  end: End | undefined = undefined;
  once: OnceState | undefined = undefined;
  /** The run in which it ended, where a fork kept its end (§9.8). */
  keptFrom: string | undefined = undefined;
  /** The code was given its end. */
  isGiven = false;
  /** A branch of this race has settled: nothing goes on in any of them. */
  decided = false;
  /** Random numbers that its function drew. */
  draws = 0;

  constructor(id: string, kind: Kind, state: State) {
    this.id = id;
    this.idText = JSON.stringify(id);
    this.kind = kind;
    this.state = state;
  }

  /** The branch of a race that it stands in. */
  get lane(): Lane | undefined {
    return this.ask?.lane;
  }

  /** Tells whether the code waits for the end of the step and may be given it. */
  isWanted(): boolean {
    return this.asked && this.end?.status !== "cancelled";
  }
}

/** Something that the node is to be told. */
export type Out =
  | {
      readonly what: "started" | "ended" | "opens" | "verified" | "raced" | "dropped";
      readonly step: Step;
    }
  | { readonly what: "order"; readonly expected: string; readonly found: string }
  | { readonly what: "released"; readonly seen: number; readonly ready: boolean }
  | { readonly what: "block" | "idle" | "finished" | "search" };

/** A line that code logged. */
export interface Line {
  readonly step: Step | undefined;
  readonly at: number;
  readonly level: "debug" | "info" | "warn" | "error";
  readonly message: string;
}
