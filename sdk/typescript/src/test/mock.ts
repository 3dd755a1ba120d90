/** What stands in for the functions of steps. */

import type { Call } from "../machine/host.js";
import type { StepContext } from "../types/context.js";

/** Gives the result of a step in place of its own function: once for each attempt. */
export type MockFunction = (step: StepContext<unknown>) => unknown;

/** A step whose function is replaced; made by `Test.mockStep`. */
export class Mock {
  /** How often it was called. */
  calls = 0;
  /** The inputs that it was called with, in order. */
  readonly inputs: unknown[] = [];
  #isOptional = false;
  /** @internal */
  readonly call: Call;

  /** @internal */
  constructor(result: unknown) {
    this.call = (step) => {
      this.calls++;
      this.inputs.push(step.input);
      // A function is none that JSON could hold: it gives the result.
      return typeof result === "function" ? (result as MockFunction)(step) : result;
    };
  }

  /** Lets the test end well though the step never came. Default: it fails then. */
  optional(): this {
    this.#isOptional = true;
    return this;
  }

  /** @internal */
  get isMissed(): boolean {
    return this.calls === 0 && !this.#isOptional;
  }
}
