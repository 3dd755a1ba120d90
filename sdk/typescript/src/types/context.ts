import type { Json } from "./json.js";
import type { Log } from "./log.js";

/** What a search attribute may be (§9.4): at most 256 bytes. */
export type SearchValue = string | number | boolean;

/** Search attributes to set; `null` takes one away (§9.4). At most 20 a run. */
export type SetSearch = Readonly<Record<string, SearchValue | null>>;

/** What is known of a run, in its handler and in the functions of its steps (§2.3). */
export interface RunContext<Deps = unknown> {
  readonly namespace: string;
  readonly app: string;
  readonly workflow: string;
  readonly runId: string;
  /** The name of the runner that holds the run. */
  readonly runner: string;
  /** The version of the workflow in this process. */
  readonly version?: string;
  /** The version that began the run: code may branch by it (§9.9). */
  readonly startedVersion?: string;
  /** When the start was accepted. */
  readonly startedAt: Date;
  /** The idempotency key of the start. */
  readonly key?: string;
  /** The run and the step that invoked this run. */
  readonly parent?: { readonly run: string; readonly step: string };
  /** The event that started the run; its data is the input (§8.3). */
  readonly event?: { readonly id: string; readonly name: string };
  /** What the start said about itself. */
  readonly metadata: Readonly<Record<string, Json>>;
  /** What the app was given: clients, handles. */
  readonly deps: Deps;
}

/**
 * The context of a run in its handler (§2.3).
 *
 * @typeParam Deps - what the app gives
 * @typeParam In - what a start of the workflow takes
 */
export interface Ctx<Deps = unknown, In = unknown> extends RunContext<Deps> {
  /** Returns the time in milliseconds since 1970, as `Date.now()`; the same on replay. */
  now(): number;
  /** Returns a number from 0 to below 1, as `Math.random()`; the same on replay. */
  random(): number;
  /** Returns a random UUID, version 4; the same on replay. */
  uuid(): string;
  /** Takes lines; shown once, not again on replay. */
  readonly log: Log;
  /** Sets search attributes of the run (§9.4). Throws `LimitError` over 20 or 256 bytes each. */
  setSearch(attributes: SetSearch): void;
  /**
   * Completes the run and has another run of the workflow go on with this input, in one commit: for
   * loops without end. Who waits for the run gets the end of the last one. It throws, so that nothing
   * after it happens: `return ctx.continueAs(next)`. A handler that catches that fails.
   */
  continueAs(...input: undefined extends In ? [input?: In] : [input: In]): never;
}

/**
 * What the function of a step is given (§2.2).
 *
 * @typeParam In - the step's recorded input
 */
export interface StepContext<In = undefined, Deps = unknown> {
  readonly input: In;
  /** The number of the attempt, from 1. */
  readonly attempt: number;
  /** Aborts on timeout and on cancellation. */
  readonly signal: AbortSignal;
  /** The same for every attempt of the step, and for no other step. */
  readonly idempotencyKey: string;
  readonly ctx: RunContext<Deps>;
  /** Takes lines; they are stored with the step and can be read within 1 s. */
  readonly log: Log;
}
