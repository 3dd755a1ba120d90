/** Where events go. */

import type { TelemetryStats } from "../types/telemetry.js";
import type { Event } from "./event.js";

/** Takes events. */
export interface Sink {
  /**
   * Takes an event. Nothing comes back where it is sent in the background; else a promise that is rejected with
   * a `TelemetrySendError` where it was not sent.
   */
  take(event: Event): Promise<void> | undefined;
  /** Counts an event that could not be made, and fails as `take` does. */
  refuse(why: string): Promise<void> | undefined;
  /** Resolves to whether all was sent within so many milliseconds. */
  flush(timeoutMs: number): Promise<boolean>;
  close(timeoutMs: number): Promise<boolean>;
  readonly stats: TelemetryStats;
}

/** Counts what becomes of events. */
export class Tally {
  #recorded = 0;
  #sent = 0;
  #dropped = 0;

  recorded(): void {
    this.#recorded += 1;
  }

  sent(events: number): void {
    this.#sent += events;
  }

  dropped(events: number): void {
    this.#dropped += events;
  }

  /** How many there were. */
  get count(): number {
    return this.#recorded;
  }

  /** How many are lost. */
  get lost(): number {
    return this.#dropped;
  }

  get stats(): TelemetryStats {
    const [recorded, sent, dropped] = [this.#recorded, this.#sent, this.#dropped];
    return { recorded, sent, dropped, pending: recorded - sent - dropped };
  }
}

/** Where nothing can be sent, since the client was not made as it should be: events are counted. */
export class Nowhere implements Sink {
  readonly #tally = new Tally();

  take(): undefined {
    this.#tally.recorded();
    this.#tally.dropped(1);
  }

  refuse(): undefined {
    this.take();
  }

  async flush(): Promise<boolean> {
    return this.#tally.lost === 0;
  }

  async close(): Promise<boolean> {
    return this.#tally.lost === 0;
  }

  get stats(): TelemetryStats {
    return this.#tally.stats;
  }
}
