/** What a client tells of itself: failures to `onError`, and, once each, what is wrong with how it is used. */

import { TelemetrySendError } from "../errors/telemetry.js";
import { consoleLog } from "../log.js";

type OnError = (error: TelemetrySendError) => unknown;

/** Tells the program what is amiss, and lets nothing of that come back. */
export class Reports {
  readonly #onError: OnError | undefined;
  readonly #told = new Set<string>();

  constructor(onError: unknown) {
    // What it is called with is what its type says.
    this.#onError = typeof onError === "function" ? (onError as OnError) : undefined;
  }

  /** Tells of a failure to send. §10.3: errors of `onError` are swallowed, its promises' too. */
  failed(error: TelemetrySendError): void {
    if (this.#onError === undefined) return;
    try {
      const given = this.#onError(error);
      if (given instanceof Promise) given.catch(() => undefined);
    } catch {
      // There is nobody left to tell.
    }
  }

  /** Tells, once, of something wrong that is no failure to send. The text holds nothing of the user's. */
  once(problem: string): void {
    if (this.#told.has(problem)) return;
    this.#told.add(problem);
    if (this.#onError !== undefined) {
      this.failed(new TelemetrySendError(problem, { events: 0, isLost: false }));
      return;
    }
    try {
      consoleLog()({ level: "warn", message: `telemetry: ${problem}`, from: {} });
    } catch {
      // A console that is closed.
    }
  }
}
