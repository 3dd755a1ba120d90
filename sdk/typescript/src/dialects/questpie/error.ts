/** The error of a step of QUESTPIE whose time is over. */

import { isMarked } from "../../errors/mark.js";
import { type StepPlace, StepTimeoutError } from "../../errors/step.js";

/** A step ran out of time (§6.4, §13.7). It is a `StepTimeoutError` and a `StepError` too. */
export class StepSuspendError extends StepTimeoutError {
  constructor(message: string, place: StepPlace) {
    super(message, place, ["StepSuspendError", "StepTimeoutError", "StepError"]);
  }

  static override is(error: unknown): error is StepSuspendError {
    return isMarked(error, "StepSuspendError");
  }
}

/** Returns what code is thrown in place of an error of a step. */
export function suspended(error: unknown): unknown {
  if (!StepTimeoutError.is(error)) return error;
  const { message, stepId, runId, attempts, stack } = error;
  const cause = "cause" in error ? { cause: error.cause } : {};
  return new StepSuspendError(message, { stepId, runId, attempts, stack, ...cause });
}
