import type { StepContext } from "./context.js";
import type { Duration } from "./duration.js";
import type { Json } from "./json.js";
import type { RetryOptions } from "./retry.js";

/** What is known of a start whose outcome was lost (§4.5). */
export type Verdict<T> =
  /** The function did what it is for, and this is its result. */
  | { readonly outcome: "done"; readonly value: T }
  /** It did not, and will not: it starts again. */
  | { readonly outcome: "notDone" }
  /** Nobody can tell. */
  | { readonly outcome: "unknown" };

/** How a function that starts at most once is treated (§4.5). */
export interface AtMostOnce<T, Deps> {
  /** Finds out how a lost start ended; tried 4 times itself. Default: the outcome stays unknown. */
  readonly verify?: (step: StepContext<unknown, Deps>) => Verdict<T> | Promise<Verdict<T>>;
  /** Blocks the run, or throws `OutcomeUnknownError`. Default `"block"`. */
  readonly onUnknown?: "block" | "throw";
}

interface RunOptionsBase<T, Saved, Deps> {
  /** Most time for each attempt (§6.4). Default: none. */
  readonly timeout?: Duration;
  /** Most time for all attempts and the pauses between them. Default: none. */
  readonly totalTimeout?: Duration;
  /**
   * Takes the completed step back when the run ends badly (§7.3). It gets the saved result, and is awaited where it
   * gives a promise.
   */
  readonly compensate?: (result: Saved, step: StepContext<unknown, Deps>) => void;
  /**
   * Takes back a step that may have been done, without its result (§7.2). Only beside
   * `compensate`.
   */
  readonly compensateUnknown?: (
    lost: { readonly outcome: "unknown" },
    step: StepContext<unknown, Deps>,
  ) => unknown;
  /** Shown with the step. */
  readonly metadata?: Readonly<Record<string, Json>>;
  /** Holds types only; there is no value. */
  readonly "~types"?: T;
}

/** Options of a step whose function may be tried again. */
export interface RetriedOptions<T, Saved, Deps> extends RunOptionsBase<T, Saved, Deps> {
  /** When to try again, or `false` for a single attempt. Default: see {@link RetryOptions}. */
  readonly retry?: RetryOptions | false;
  readonly atMostOnce?: never;
}

/** Options of a step whose function starts at most once (§4.5); it has no `retry`. */
export interface OnceOptions<T, Saved, Deps> extends RunOptionsBase<T, Saved, Deps> {
  readonly retry?: never;
  readonly atMostOnce: true | AtMostOnce<T, Deps>;
}

/**
 * Options of `step.run` (§2.1).
 *
 * @typeParam T - what the function returns
 * @typeParam Saved - the same as it is read back from JSON
 */
export type RunOptions<T = unknown, Saved = unknown, Deps = unknown> =
  | RetriedOptions<T, Saved, Deps>
  | OnceOptions<T, Saved, Deps>;
