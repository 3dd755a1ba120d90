/** What is wrong where telemetry does not get to its server. */

import { type ErrorPlace, StepwellError } from "./base.js";
import { isMarked } from "./mark.js";

/** What a failure to send is about. */
export interface SendFailure extends ErrorPlace {
  /** How many events it is about. */
  readonly events: number;
  /** They are lost: they are not tried again. */
  readonly isLost: boolean;
  /** The status of the answer, if there was one. */
  readonly status?: number | undefined;
  /** What the step's function gave. */
  readonly value?: unknown;
}

/**
 * Events were not sent, or not yet (§10.3). `onError` is told of it; with `throwOnSendError` it is thrown, and
 * `value` is what the step's function gave, where that had succeeded.
 */
export class TelemetrySendError extends StepwellError {
  /** How many events it is about; 0 where options or arguments are not as they should be. */
  readonly events: number;
  /** They are lost: they are not tried again. */
  readonly isLost: boolean;
  /** The status of the answer, if there was one. */
  declare readonly status?: number;
  /** What the step's function gave, where it had succeeded. */
  declare readonly value?: unknown;

  constructor(message: string, about: SendFailure) {
    super(["TelemetrySendError"], message, about);
    this.events = about.events;
    this.isLost = about.isLost;
    if (about.status !== undefined) this.status = about.status;
    if ("value" in about) this.value = about.value;
  }

  static override is(error: unknown): error is TelemetrySendError {
    return isMarked(error, "TelemetrySendError");
  }
}
