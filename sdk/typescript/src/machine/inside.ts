/** Whether code runs inside the function of a step (§2.5). */

import { AsyncLocalStorage } from "node:async_hooks";
import type { Core } from "./core.js";
import type { Step } from "./state.js";

/** A step whose function is in progress. */
export interface Inside {
  readonly core: Core;
  readonly step: Step;
}

const functions: AsyncLocalStorage<Inside | undefined> = new AsyncLocalStorage();

/** Returns the step inside whose function the caller runs, however often that awaited meanwhile. */
export function insideFunction(): Inside | undefined {
  return functions.getStore();
}

/** Calls something as the function of a step, or (without one) as what is no function of any. */
export function callInside<T>(inside: Inside | undefined, call: () => T): T {
  return functions.run(inside, call);
}
