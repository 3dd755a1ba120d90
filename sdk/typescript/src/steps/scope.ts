/** What the steps of a run are made from. */

import { ask } from "../machine/ask.js";
import type { Code } from "../machine/code.js";
import type { Core } from "../machine/core.js";
import { raceLost } from "../machine/refusals.js";
import type { Ask, End, Lane, Step } from "../machine/state.js";
import type { RunContext } from "../types/context.js";
import type { NamedWaits } from "../types/wait.js";

/** The code of a run, and the branch of a race that it stands in. */
export interface Scope {
  readonly core: Core;
  readonly code: Code;
  readonly lane: Lane | undefined;
  /** What functions of steps are given of the run. */
  readonly context: RunContext;
  readonly waits: NamedWaits;
  /** What the handler was called with. */
  readonly given: { input: unknown };
}

/** What is to be asked of the machine, but for the branch. */
export type Wanted = Omit<Ask, "lane">;

/**
 * Asks for a step and gives its end. `asked` gets the step, where it was taken up.
 *
 * @throws what the machine's `ask` throws, and `RaceLostError`
 */
export async function endOf(
  scope: Scope,
  wanted: Wanted,
  asked?: (step: Step) => void,
): Promise<End> {
  const { core, code, lane } = scope;
  const given = await new Promise<End | "lost">((resolve) => {
    const step = ask(core, code, lane === undefined ? wanted : { ...wanted, lane }, resolve);
    if (step !== undefined) asked?.(step);
  });
  if (given === "lost") throw raceLost(core, wanted.id, lane);
  return given;
}

/** A promise that is given to the code, as the one who makes it sees it. */
export interface Own {
  promise: Promise<unknown> | undefined;
  hasFailed: boolean;
}

/**
 * Makes the promise of a step. One that is rejected and that nobody awaits does not end the process:
 * the step's failure is recorded, and is seen where the code awaits it.
 */
export function promised<T>(make: (own: Own) => Promise<T>): Promise<T> {
  const own: Own = { promise: undefined, hasFailed: false };
  const promise = make(own);
  own.promise = promise;
  if (own.hasFailed) ignore(promise);
  return promise;
}

/**
 * Notes that the promise is about to be rejected with this error, and gives it back. Not before: a
 * second reader of the promise would take the line of the code that awaits it out of the stack.
 */
export function failing(own: Own, error: unknown): unknown {
  own.hasFailed = true;
  if (own.promise !== undefined) ignore(own.promise);
  return error;
}

function ignore(promise: Promise<unknown>): void {
  promise.then(undefined, () => undefined);
}
