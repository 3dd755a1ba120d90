/** The handle of steps of a loop. */

import type { StepFunction } from "../../steps/call.js";
import type { RunOptions } from "../../types/run-options.js";
import type { Branches, Step } from "../../types/step.js";
import { asked, branchesOf, oneAttempt } from "../call.js";
import { inFrontOf } from "../front.js";

/** What stands in front of a native handle; the maker's types say what it gives. */
interface Own {
  do(name: string, fn: StepFunction, options?: RunOptions): Promise<unknown>;
  race(id: string, branches: Branches<unknown>): Promise<unknown>;
}

/** Makes the handle of a loop, or of a branch of it. `step.do` is its word for `run`, which it has not. */
export function handleOf(native: Step): Own {
  const own: Own = {
    do: (name, fn, options) => asked(() => native.run(name, fn, oneAttempt(options))),
    race: (id, branches) => asked(() => native.race(id, branchesOf(branches, handleOf))),
  };
  return inFrontOf(native, own, ["run"]);
}
