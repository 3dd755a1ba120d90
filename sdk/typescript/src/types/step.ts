import type { StepContext } from "./context.js";
import type { Duration } from "./duration.js";
import type { DataField, EventRef } from "./event.js";
import type { Json, Jsonify } from "./json.js";
import type { InputField, KnownName, WorkflowOutput, WorkflowRef } from "./reference.js";
import type { RunOptions } from "./run-options.js";
import type { Only, WaitOptions, WaitResult } from "./wait.js";

/** Options of `step.invoke`, beside the workflow and its input. */
export interface InvokeSettings<Out, Deps> {
  /** The app to look in. Default: the run's own, then the only other one that has the workflow. */
  readonly app?: string;
  /** Pins the child to the runners of this name. */
  readonly runner?: string;
  /** Most time for the child (§7.7). Default: what its workflow and its parent leave it. */
  readonly timeout?: Duration;
  /** Takes the completed child back when this run ends badly (§7.3). It gets the child's output. */
  readonly compensate?: (output: Out, step: StepContext<unknown, Deps>) => void;
}

/** Options of `step.emit`. */
export type EmitOptions<E extends EventRef = EventRef> = {
  readonly event: E;
  /** What waits are held against in place of the data (§8.2). */
  readonly match?: Json;
  /** Only for this app. Default: all. */
  readonly app?: string;
  /** Only for the waits of this run; it starts nothing. */
  readonly run?: string;
} & DataField<E>;

/** Branches of a race by name: functions with a step handle of their own. */
export type Branches<S> = Readonly<Record<string, (step: S) => unknown>>;

/** Which branch won, and what it gave. */
export type RaceResult<B> = {
  [K in keyof B & string]: {
    readonly winner: K;
    readonly value: B[K] extends (...args: never[]) => infer R ? Jsonify<Awaited<R>> : never;
  };
}[keyof B & string] extends infer R
  ? R
  : never;

/**
 * The steps of a run (§2). Each takes its id first: 1 to 256 bytes of UTF-8 without control
 * characters, once in a run (§2.5).
 *
 * Every method throws `DuplicateStepIdError` for an id that was used, `NestedStepError` inside
 * another step's function and `RaceLostError` in a branch that lost. Once a run is ending, or has
 * left this process, what its code awaits never settles (§7.5): only functions get a signal.
 */
export interface Step<Deps = unknown> {
  /**
   * Calls a function and saves its result as JSON; on replay it gives the saved result and does not
   * call the function.
   *
   * @throws `StepError` after the last attempt, `StepTimeoutError` where that timed out (§6.3, §6.4),
   * `OutcomeUnknownError` with `onUnknown: "throw"` (§4.5).
   */
  run<T>(
    id: string,
    fn: (step: StepContext<undefined, Deps>) => T | PromiseLike<T>,
    options?: RunOptions<NoInfer<T>, Jsonify<NoInfer<T>>, Deps>,
  ): Promise<Jsonify<T>>;
  /** Does the same with an input, which is recorded and handed to the function. */
  run<I, T>(
    id: string,
    input: I,
    fn: (step: StepContext<Jsonify<I>, Deps>) => T | PromiseLike<T>,
    options?: RunOptions<NoInfer<T>, Jsonify<NoInfer<T>>, Deps>,
  ): Promise<Jsonify<T>>;

  /** Pauses, whatever happens to processes meanwhile. */
  sleep(id: string, duration: Duration): Promise<void>;

  /**
   * Pauses until an instant: a `Date`, ISO 8601 text or milliseconds since 1970. One that has passed
   * wakes at once.
   */
  sleepUntil(id: string, at: Date | string | number): Promise<void>;

  /**
   * Waits for an event and gives its data (§8). When the time is over it gives null, or what
   * `onTimeout` says.
   *
   * @throws `WaitTimeoutError` with `onTimeout: "fail"`; `InputError` where the data does not fit the
   * schema.
   */
  waitForEvent<const O extends WaitOptions>(
    id: string,
    options: O & Only<O, WaitOptions>,
  ): Promise<WaitResult<O>>;

  /**
   * Runs another workflow as a child and gives what it returned (§9.2). The workflow is its value, or
   * a reference made with `ref`.
   *
   * @throws `ChildFailedError`, `ChildCancelledError`, `ChildTimeoutError` (§9.3).
   */
  invoke<W extends WorkflowRef>(
    id: string,
    options: { readonly workflow: W } & InputField<NoInfer<W>> &
      InvokeSettings<WorkflowOutput<NoInfer<W>>, Deps>,
  ): Promise<WorkflowOutput<W>>;
  /** Does the same by name, where the type is told: `step.invoke<typeof fraud>("check", {…})`. */
  invoke<W extends WorkflowRef = never>(
    id: string,
    options: { readonly workflow: KnownName<W> } & InputField<W> &
      InvokeSettings<WorkflowOutput<W>, Deps>,
  ): Promise<WorkflowOutput<W>>;

  /** Sends an event, exactly once, and gives its id. */
  emit<E extends EventRef>(id: string, options: EmitOptions<E>): Promise<string>;

  /**
   * Runs branches at the same time, each with a step handle of its own. The first that settles wins,
   * durably, with a value or an error; what the others have open is cancelled (§5.5).
   */
  race<B extends Branches<this>>(id: string, branches: B): Promise<RaceResult<B>>;

  /** Records that this step does not apply to this run. */
  skip(id: string, options?: { readonly reason?: string }): Promise<void>;
}
