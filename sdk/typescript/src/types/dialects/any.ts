import type { StandardSchema } from "../schema.js";
import type { WaitOptions, WaitResult } from "../wait.js";

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
