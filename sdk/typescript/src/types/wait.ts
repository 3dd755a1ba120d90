import type { Duration } from "./duration.js";
import type { EventData, EventRef } from "./event.js";
import type { Json } from "./json.js";
import type { OutputOf, StandardSchema } from "./schema.js";

/** What a wait gives when its time is over (§8.6): null, an error, or a value of at most 16 KiB. */
export type OnTimeout = "null" | "fail" | { readonly value: Json };

/** From when on events count for a wait (§8.4). */
export type Since = "runStart" | "parked" | Duration;

/** Options of `step.waitForEvent`. */
export interface WaitOptions {
  readonly event: EventRef;
  /** What the event has to contain (§8.2). Default: every event of the name will do. */
  readonly match?: Json;
  /** Most time to wait. Default: until the run's deadline. */
  readonly timeout?: Duration;
  /** Default `"null"`. */
  readonly onTimeout?: OnTimeout;
  /** Default `"runStart"`. */
  readonly since?: Since;
  /** Reads the data. Default: the schema of the event's type. */
  readonly schema?: StandardSchema;
}

/** Refuses members of options that do not exist. */
export type Only<O, Known> = { readonly [K in Exclude<keyof O, keyof Known>]: never };

/** The type of what a wait gives. */
export type WaitResult<O extends { readonly event: EventRef }> = [
  ReceivedData<O> | ("timeout" extends keyof O ? TimeoutResult<O> : never),
] extends [infer R]
  ? R
  : never;

/** The type of the data that a wait reads. */
type ReceivedData<O extends { readonly event: EventRef }> = O extends {
  readonly schema: infer S extends StandardSchema;
}
  ? OutputOf<S>
  : EventData<O["event"]>;

/** The type of what a wait gives when its time is over. */
export type TimeoutResult<O> = O extends { readonly onTimeout: infer T }
  ? T extends { readonly value: infer V }
    ? V
    : T extends "fail"
      ? never
      : null
  : null;

/** What a function that makes a match is given (§2.4). */
export interface MatchArgs<In> {
  readonly input: In;
  /** The run's id. */
  readonly run: string;
}

/**
 * A wait that is declared once and used by its name (§2.4).
 *
 * @typeParam In - the input of the runs that use it
 */
export interface NamedWait<in In = never> {
  readonly event: EventRef;
  /** What the event has to contain, or a pure function that makes it from the run's input and id. */
  readonly match?: Json | ((args: MatchArgs<In>) => Json);
  /** Default `"null"`. */
  readonly onTimeout?: OnTimeout;
  /** Default `"runStart"`. */
  readonly since?: Since;
  /** Reads the data. Default: the schema of the event's type. */
  readonly schema?: StandardSchema;
}

/** Waits by name. */
export type NamedWaits<In = never> = Readonly<Record<string, NamedWait<In>>>;

/** Options of a named wait where it is used. */
export interface NamedWaitOptions {
  /** Most time to wait. Default: until the run's deadline. */
  readonly timeout?: Duration;
  /** Default: the wait's name, then `name:2` and so on. */
  readonly id?: string;
}

/** The steps that declared waits add to the handle (§2.4). */
export type NamedWaitSteps<W extends NamedWaits> = {
  readonly [K in keyof W & string]: <const O extends NamedWaitOptions = Record<never, never>>(
    options?: O & Only<O, NamedWaitOptions>,
  ) => Promise<WaitResult<W[K] & O>>;
};

/** A handle of steps, with the waits that its workflow declares. */
export type WithWaits<S, W extends NamedWaits> = keyof W extends never ? S : S & NamedWaitSteps<W>;
