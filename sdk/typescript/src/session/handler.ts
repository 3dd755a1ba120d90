/** What a session calls: the code of workflows. */

import type { CleanUp } from "../machine/clean.js";
import type { Code } from "../machine/code.js";
import type { Core } from "../machine/core.js";

/** The code of a workflow. */
export interface Handler {
  readonly version: string | undefined;
  readonly strict: boolean;
  /** It has a function for runs that end badly (§7.4). */
  readonly hasOnFailure: boolean;
  /** Calls the handler; its end is told to the machine's `onReturned`. */
  start(core: Core, code: Code): void;
  /** Runs the clean-up in the handler's place; its end is told in the same way. */
  cleanUp(core: Core, code: Code, work: CleanUp): void;
}

/** The workflows of an app, by name. */
export type Handlers = ReadonlyMap<string, Handler>;
