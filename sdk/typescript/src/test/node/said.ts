/** What a runner says, as the stand-in reads it (docs/protocol.md §6). Payloads are values. */

import type { EndStatus, Failure, Kind, SearchValue } from "../../protocol/to-runner.js";
import type { Registration } from "../../registration.js";
import type { RetryPolicy } from "../../retry.js";
import type { Json } from "../../types/json.js";

/** What the first message about a step says of it. */
export interface Opening {
  readonly kind: Kind;
  readonly agoUs: number;
  readonly input?: unknown;
  readonly metadata?: unknown;
  readonly compensable?: "completed" | "unknown";
  readonly once?: { readonly onUnknown?: "block" | "throw" };
  readonly branch?: { readonly race: string; readonly name: string };
}

/** A message about a step of a run. */
export interface OfStep {
  readonly a: number;
  readonly step: string;
  readonly open?: Opening;
}

/** A function began. */
export interface Started extends OfStep {
  readonly n: number;
  readonly agoUs: number;
}

/** An attempt ended. */
export interface Ended extends OfStep {
  readonly n: number;
  readonly startedAgoUs: number;
  readonly endedAgoUs: number;
  readonly output?: unknown;
  readonly error?: Failure;
  readonly terminal?: boolean;
  readonly timedOut?: boolean;
  readonly retryInMs?: number;
  readonly retry?: RetryPolicy;
  readonly totalTimeoutMs?: number;
}

/** Code pauses. */
export interface Sleeps extends OfStep {
  readonly forUs?: number;
  readonly untilUs?: number;
}

/** Code waits for an event. */
export interface Waits extends OfStep {
  readonly event: string;
  readonly match?: Json;
  readonly forUs?: number;
  readonly onTimeout?: "null" | "fail" | { readonly value: unknown };
  readonly since?: "runStart" | "parked" | { readonly backUs: number };
}

/** Code sends an event. */
export interface Emits extends OfStep {
  readonly event: string;
  readonly data?: unknown;
  readonly match?: Json;
  readonly app?: string;
  readonly run?: string;
}

/** A branch of a race settled first. */
export interface Raced extends OfStep {
  readonly output?: unknown;
  readonly error?: Failure;
}

/** It was found out how a start ended (§4.5). */
export interface Verified extends OfStep {
  readonly n: number;
  readonly verdict: "done" | "notDone" | "unknown" | "notBegun";
  readonly output?: unknown;
}

/** Lines that code logged. */
export interface Logs {
  readonly a: number;
  readonly step?: string;
  readonly lines: readonly { readonly level: string; readonly message: string }[];
}

/** How a handler ended. */
export interface Finished {
  readonly a: number;
  readonly output?: unknown;
  readonly error?: Failure;
  readonly continueAs?: { readonly input?: unknown };
}

/** Why a run is blocked; the names are those of the protocol. */
export interface Cause {
  readonly kind: string;
  readonly step?: string;
  readonly expected?: string;
  readonly found?: string;
  readonly steps?: readonly string[];
}

/** A message of a runner: an object with one of these members. */
export interface FromRunner {
  readonly hello?: {
    readonly app: string;
    readonly runner: string;
    readonly instance: string;
    readonly workflows: readonly Registration[];
  };
  readonly started?: Started;
  readonly ended?: Ended;
  readonly sleep?: Sleeps;
  readonly skip?: OfStep;
  readonly wait?: Waits;
  readonly emit?: Emits;
  readonly invoke?: OfStep;
  readonly dropped?: OfStep;
  readonly race?: OfStep;
  readonly raced?: Raced;
  readonly verified?: Verified;
  readonly log?: Logs;
  readonly search?: {
    readonly a: number;
    readonly set: Readonly<Record<string, SearchValue | null>>;
  };
  readonly order?: { readonly a: number; readonly expected: string; readonly found: string };
  readonly block?: { readonly a: number; readonly cause: Cause };
  readonly idle?: { readonly a: number };
  readonly busy?: { readonly a: number };
  readonly released?: { readonly a: number; readonly seen: number; readonly ready?: boolean };
  readonly finished?: Finished;
}

export type { EndStatus, Failure, Kind, SearchValue };
