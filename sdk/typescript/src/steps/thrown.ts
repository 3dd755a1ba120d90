/** What the end of a step throws (§6.3, §6.4, §8.6, §9.3). */

import {
  ChildCancelledError,
  ChildFailedError,
  ChildTimeoutError,
  LimitError,
  OutcomeUnknownError,
  reviveError,
  StepError,
  StepTimeoutError,
  WaitTimeoutError,
} from "../errors.js";
import { shown } from "../machine/refusals.js";
import type { End } from "../machine/state.js";
import type { Failure } from "../protocol/to-runner.js";
import type { Scope } from "./scope.js";

function causeOf(failure: Failure | undefined): { cause: Error } | undefined {
  return failure === undefined ? undefined : { cause: reviveError(failure) };
}

/** Returns what a step throws that has not completed; nothing where it has. */
export function stepError(scope: Scope, id: string, end: End): Error | undefined {
  if (end.status === "completed" || end.status === "skipped") return undefined;
  const { attempts, error } = end;
  const stepId = shown(id);
  const place = { stepId, attempts, runId: scope.core.info.run, ...causeOf(error) };
  if (end.status === "unknown") {
    const text = error?.message ?? `nobody knows how step \`${stepId}\` ended`;
    return new OutcomeUnknownError(text, { stepId, attempts, runId: scope.core.info.run });
  }
  const isTimeout = end.status === "timed_out";
  const what = isTimeout ? "timed out" : "failed";
  const why = error === undefined ? "" : `: ${error.message}`;
  const plural = attempts === 1 ? "" : "s";
  const text = `step \`${stepId}\` ${what} after ${attempts} attempt${plural}${why}`;
  return isTimeout ? new StepTimeoutError(text, place) : new StepError(text, place);
}

/** Returns what a race throws whose first branch failed (§5.5). */
export function raceError(scope: Scope, id: string, failure: Failure): Error {
  const place = { stepId: id, attempts: 1, runId: scope.core.info.run, ...causeOf(failure) };
  return new StepError(`race \`${id}\` failed: ${failure.message}`, place);
}

/** Returns what an invoke throws whose child has not completed (§9.3). */
export function childError(scope: Scope, id: string, end: End): Error | undefined {
  if (end.status === "completed") return undefined;
  const { error } = end;
  const text = `step \`${id}\`: ${error?.message ?? "its child failed"}`;
  const behind = error?.cause;
  const place = {
    stepId: id,
    runId: scope.core.info.run,
    childRunId: error?.run,
    ...causeOf(behind),
  };
  switch (error?.name) {
    case "ChildCancelledError":
      return new ChildCancelledError(text, place);
    case "ChildTimeoutError":
      return new ChildTimeoutError(text, place);
    case "LimitError":
      return new LimitError(text, place);
    default:
      return new ChildFailedError(text, place);
  }
}

/** Returns what a wait throws (§8.6); nothing where it gives a value. */
export function waitError(scope: Scope, id: string, end: End): Error | undefined {
  if (end.status === "completed" || end.status === "timed_out") return undefined;
  if (end.error?.name === "WaitTimeoutError") {
    const stepId = shown(id);
    const text = `step \`${stepId}\`: ${end.error.message}`;
    return new WaitTimeoutError(text, { stepId, runId: scope.core.info.run });
  }
  return stepError(scope, id, end);
}
