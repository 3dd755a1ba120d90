/** Errors that the machine itself makes, as they are recorded. */

import { durationText } from "../duration.js";
import { CancelledError, StepTimeoutError } from "../errors.js";
import type { Failure } from "../protocol/to-runner.js";
import type { Core } from "./core.js";
import { shown } from "./refusals.js";
import type { Outcome, Step } from "./state.js";

/** The reason of signals that fire because the run is ending (§7.2), or a branch lost. */
export function cancelled(core: Core): Error {
  return new CancelledError("the run is ending", { runId: core.info.run });
}

/** How a handler ends that is stopped from outside. */
export function cancelledOutcome(core: Core): Outcome {
  const { name, message } = cancelled(core);
  return { kind: "failed", failure: { name, message }, terminal: true };
}

/** Why an attempt failed that ran out of time (§6.4), and the reason of its signal. */
export function timeoutError(core: Core, step: Step, limitMs: number): Error {
  const text = `step \`${shown(step.id)}\` did not end within ${durationText(limitMs)}`;
  const place = { stepId: shown(step.id), runId: core.info.run, attempts: step.attempt?.n ?? 0 };
  return new StepTimeoutError(text, place);
}

/** Returns an error as it is recorded, without its place in the machine. */
export function plainFailure({ name, message }: Error): Failure {
  return { name, message };
}
