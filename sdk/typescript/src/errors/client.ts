/** The errors of the client and of a runner's connection. */

import { type ErrorPlace, StepwellError } from "./base.js";
import { isMarked } from "./mark.js";

/** The server cannot be reached, or does not speak as expected. */
export class ConnectionError extends StepwellError {
  constructor(message: string, place?: ErrorPlace) {
    super(["ConnectionError"], message, place);
  }

  static override is(error: unknown): error is ConnectionError {
    return isMarked(error, "ConnectionError");
  }
}

/** What the server says beside why it refuses. */
export interface Refusal {
  /** The stable code, such as `SW2001`. */
  readonly code: string;
  /** The status of the answer; absent for a runner's connection. */
  readonly status?: number | undefined;
  /** Where an input does not fit its JSON Schema (SW2006). */
  readonly issues?: readonly { readonly path: string; readonly message: string }[] | undefined;
}

/** The server does not do what was asked; `code` tells why. */
export class RefusedError extends StepwellError {
  /** The stable code, such as `SW2001`; `docs` is its page. */
  readonly code: string;
  /** The status of the answer; absent for a runner's connection. */
  readonly status?: number;
  /** Where an input does not fit its JSON Schema (SW2006). */
  readonly issues: readonly { readonly path: string; readonly message: string }[];

  constructor(message: string, refusal: Refusal, place?: ErrorPlace) {
    super(["RefusedError"], message, place, `docs/errors/${refusal.code}.md`);
    this.code = refusal.code;
    if (refusal.status !== undefined) this.status = refusal.status;
    this.issues = refusal.issues ?? [];
  }

  static override is(error: unknown): error is RefusedError {
    return isMarked(error, "RefusedError");
  }
}

/** A run failed; `cause` is its error. */
export class RunFailedError extends StepwellError {
  constructor(message: string, place?: ErrorPlace) {
    super(["RunFailedError"], message, place);
  }

  static override is(error: unknown): error is RunFailedError {
    return isMarked(error, "RunFailedError");
  }
}

/** A run was cancelled. */
export class RunCancelledError extends StepwellError {
  constructor(message: string, place?: ErrorPlace) {
    super(["RunCancelledError"], message, place);
  }

  static override is(error: unknown): error is RunCancelledError {
    return isMarked(error, "RunCancelledError");
  }
}

/** A run's deadline passed. */
export class RunTimedOutError extends StepwellError {
  constructor(message: string, place?: ErrorPlace) {
    super(["RunTimedOutError"], message, place);
  }

  static override is(error: unknown): error is RunTimedOutError {
    return isMarked(error, "RunTimedOutError");
  }
}

/** A run had not ended when waiting for it stopped; it goes on. */
export class RunNotEndedError extends StepwellError {
  constructor(message: string, place?: ErrorPlace) {
    super(["RunNotEndedError"], message, place);
  }

  static override is(error: unknown): error is RunNotEndedError {
    return isMarked(error, "RunNotEndedError");
  }
}
