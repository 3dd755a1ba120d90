import type { StandardSchema } from "../schema.js";
import type { Branches, RaceResult, Step } from "../step.js";
import type { Only, WaitOptions, WaitResult } from "../wait.js";

/**
 * What nobody has told the type of. Code of the other systems reads members of it without a check, which is what
 * `any` is for: `unknown`, as it is natively, would have every such line changed.
 */
// biome-ignore lint/suspicious/noExplicitAny: see above
export type Untold = any;

/** The type of what a wait gives: that of its schema or event, where one is told. */
export type UntoldWaitResult<O extends WaitOptions> = O extends {
  readonly schema: StandardSchema;
}
  ? WaitResult<O>
  : O extends { readonly event: string }
    ? Untold
    : WaitResult<O>;

/** The steps of §2 that each dialect has as they are. */
export interface DialectStep<Deps = unknown>
  extends Pick<Step<Deps>, "sleep" | "sleepUntil" | "skip"> {
  /**
   * Runs branches at the same time, each with a step handle of its own, which is the dialect's. The first that
   * settles wins (§5.5).
   */
  race<B extends Branches<this>>(id: string, branches: B): Promise<RaceResult<B>>;
}

/** Waits whose data is `any` where nobody has told its type. */
export interface UntoldWaits {
  /**
   * Waits for an event and gives its data (§8); null when the time is over (§13.3). From when on events count, says
   * §13.4.
   *
   * @throws `InputError` where the data does not fit the schema.
   */
  waitForEvent<const O extends WaitOptions>(
    id: string,
    options: O & Only<O, WaitOptions>,
  ): Promise<UntoldWaitResult<O>>;
}
