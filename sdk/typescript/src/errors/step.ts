/** The errors of workflows and steps, with the names of §6.7. */

import { durationMicros, durationMillis } from "../duration.js";
import type { Duration } from "../types/duration.js";
import type { StandardIssue } from "../types/schema.js";
import { ArgumentError, type ErrorPlace, StepwellError } from "./base.js";
import { isMarked } from "./mark.js";

/** What a step's failure says of its attempts. */
export interface StepPlace extends ErrorPlace {
  readonly stepId: string;
  readonly attempts: number;
}

/** A step failed for good (§6.3). */
export class StepError extends StepwellError {
  declare readonly stepId: string;
  /** How many attempts were recorded. */
  readonly attempts: number;

  /** `names` are its own and, behind it, those of what it also is. */
  constructor(
    message: string,
    place: StepPlace,
    names: readonly [string, ...string[]] = ["StepError"],
  ) {
    super(names, message, place);
    this.attempts = place.attempts;
  }

  static override is(error: unknown): error is StepError {
    return isMarked(error, "StepError");
  }
}

/** A step, or an attempt of it, ran out of time (§6.4). It is a `StepError` too. */
export class StepTimeoutError extends StepError {
  /** `names` are its own and, behind it, those of what it also is. */
  constructor(
    message: string,
    place: StepPlace,
    names: readonly [string, ...string[]] = ["StepTimeoutError", "StepError"],
  ) {
    super(message, place, names);
  }

  static override is(error: unknown): error is StepTimeoutError {
    return isMarked(error, "StepTimeoutError");
  }
}

/** Stops a step's attempts at once (§6.2): trying again is of no use. */
export class NonRetryableError extends StepwellError {
  constructor(message: string, place?: ErrorPlace) {
    super(["NonRetryableError"], message, place);
  }

  static override is(error: unknown): error is NonRetryableError {
    return isMarked(error, "NonRetryableError");
  }
}

/**
 * Sets the step's next attempt (§6.2): a duration from now, or a `Date`. In tests a `Date` is one of the
 * virtual clock.
 *
 * @throws `ArgumentError` for what is neither.
 */
export class RetryAfterError extends StepwellError {
  /** How long to wait, as a duration, or until when. */
  readonly after: Duration | Date;

  constructor(after: Duration | Date, message?: string, place?: ErrorPlace) {
    const shown = after instanceof Date ? `at ${isoOf(after)}` : `in ${readable(after)}`;
    super(["RetryAfterError"], message ?? `to be tried again ${shown}`, place);
    this.after = after;
  }

  /** Returns the pause in whole milliseconds, rounded up, from an instant in ms since 1970 on. */
  pauseMs(now: number): number {
    if (this.after instanceof Date) return Math.max(0, Math.ceil(this.after.getTime() - now));
    return durationMillis(this.after);
  }

  static override is(error: unknown): error is RetryAfterError {
    return isMarked(error, "RetryAfterError");
  }
}

function isoOf(at: Date): string {
  if (Number.isNaN(at.getTime())) {
    throw new ArgumentError(
      "RetryAfterError was given an invalid Date; accepted: a Date, or a duration",
    );
  }
  return at.toISOString();
}

function readable(after: Duration): string {
  durationMicros(after);
  return typeof after === "number" ? `${after} ms` : after;
}

/** Nobody knows how a function ended that must not run twice (§4.5). */
export class OutcomeUnknownError extends StepwellError {
  declare readonly stepId: string;
  /** How often it was started. */
  readonly attempts: number;

  constructor(message: string, place: StepPlace) {
    super(["OutcomeUnknownError"], message, place);
    this.attempts = place.attempts;
  }

  static override is(error: unknown): error is OutcomeUnknownError {
    return isMarked(error, "OutcomeUnknownError");
  }
}

/** No event came in time, and the wait says that this is a failure (§8.6). */
export class WaitTimeoutError extends StepwellError {
  constructor(message: string, place?: ErrorPlace) {
    super(["WaitTimeoutError"], message, place);
  }

  static override is(error: unknown): error is WaitTimeoutError {
    return isMarked(error, "WaitTimeoutError");
  }
}

/** Where a child's end was thrown in its parent. */
export interface ChildPlace extends ErrorPlace {
  /** The child run, where one was started. */
  readonly childRunId?: string | undefined;
}

/** What the errors about children have in common (§9.3). */
abstract class ChildError extends StepwellError {
  /** The child run, where one was started. */
  readonly childRunId?: string;

  constructor(name: string, message: string, place: ChildPlace = {}) {
    super([name], message, place);
    if (place.childRunId !== undefined) this.childRunId = place.childRunId;
  }
}

/** A child run failed, or none could be started (§9.3); `cause` is its error. */
export class ChildFailedError extends ChildError {
  constructor(message: string, place?: ChildPlace) {
    super("ChildFailedError", message, place);
  }

  static override is(error: unknown): error is ChildFailedError {
    return isMarked(error, "ChildFailedError");
  }
}

/** A child run was cancelled (§9.3). */
export class ChildCancelledError extends ChildError {
  constructor(message: string, place?: ChildPlace) {
    super("ChildCancelledError", message, place);
  }

  static override is(error: unknown): error is ChildCancelledError {
    return isMarked(error, "ChildCancelledError");
  }
}

/** A child run ran out of time (§9.3). */
export class ChildTimeoutError extends ChildError {
  constructor(message: string, place?: ChildPlace) {
    super("ChildTimeoutError", message, place);
  }

  static override is(error: unknown): error is ChildTimeoutError {
    return isMarked(error, "ChildTimeoutError");
  }
}

/** The run is ending: it was cancelled, failed or ran out of time (§7.2). */
export class CancelledError extends StepwellError {
  constructor(message = "the run is ending", place?: ErrorPlace) {
    super(["CancelledError"], message, place);
  }

  static override is(error: unknown): error is CancelledError {
    return isMarked(error, "CancelledError");
  }
}

/** Another branch of the race won (§5.5). */
export class RaceLostError extends StepwellError {
  constructor(message: string, place?: ErrorPlace) {
    super(["RaceLostError"], message, place);
  }

  static override is(error: unknown): error is RaceLostError {
    return isMarked(error, "RaceLostError");
  }
}

/** One id was used for two steps of a run (§2.5). */
export class DuplicateStepIdError extends StepwellError {
  constructor(stepId: string, place?: ErrorPlace) {
    const text = `step id \`${stepId}\` is used twice in this run; give each step its own id`;
    super(["DuplicateStepIdError"], text, { ...place, stepId });
  }

  static override is(error: unknown): error is DuplicateStepIdError {
    return isMarked(error, "DuplicateStepIdError");
  }
}

/** A step was called inside another step's function (§2.5). */
export class NestedStepError extends StepwellError {
  /** The step whose function called it. */
  readonly outerStepId: string;

  constructor(stepId: string, outerStepId: string, place?: ErrorPlace) {
    const text =
      `step \`${stepId}\` is called inside the function of step \`${outerStepId}\`; ` +
      "call it in the handler, before or after";
    super(["NestedStepError"], text, { ...place, stepId });
    this.outerStepId = outerStepId;
  }

  static override is(error: unknown): error is NestedStepError {
    return isMarked(error, "NestedStepError");
  }
}

/** Code and journal do not agree (§4.10). */
export class NondeterminismError extends StepwellError {
  /** What the journal holds. */
  readonly expected: string;
  /** What the code asked for. */
  readonly found: string;

  constructor(message: string, expected: string, found: string, place?: ErrorPlace) {
    super(["NondeterminismError"], message, place);
    this.expected = expected;
    this.found = found;
  }

  static override is(error: unknown): error is NondeterminismError {
    return isMarked(error, "NondeterminismError");
  }
}

/** A value is not JSON (§2.6). */
export class SerializationError extends StepwellError {
  /** The place inside the value, such as `$.items[2].price`. */
  readonly path: string;
  /** Why it is not JSON, such as `a BigInt`. */
  readonly reason: string;

  constructor(message: string, path: string, reason: string, place?: ErrorPlace) {
    super(["SerializationError"], message, place);
    this.path = path;
    this.reason = reason;
  }

  static override is(error: unknown): error is SerializationError {
    return isMarked(error, "SerializationError");
  }
}

/** An input, or the data of an event, does not fit its schema (§9.1). */
export class InputError extends StepwellError {
  /** What is wrong, and where. */
  readonly issues: readonly StandardIssue[];

  constructor(message: string, issues: readonly StandardIssue[] = [], place?: ErrorPlace) {
    super(["InputError"], message, place);
    this.issues = issues;
  }

  static override is(error: unknown): error is InputError {
    return isMarked(error, "InputError");
  }
}

/** Something is over a limit of §12. */
export class LimitError extends StepwellError {
  constructor(message: string, place?: ErrorPlace) {
    super(["LimitError"], message, place);
  }

  static override is(error: unknown): error is LimitError {
    return isMarked(error, "LimitError");
  }
}
