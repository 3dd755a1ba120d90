/** How long to wait before connecting again. */

const FIRST_MS = 50;
const LONGEST_MS = 2_000;

/**
 * Doubles from 50 ms to 2 s, each between half and all of it, so that runners do not all come back at
 * the same instant.
 */
export class Backoff {
  #nextMs = FIRST_MS;

  reset(): void {
    this.#nextMs = FIRST_MS;
  }

  /** Returns the next pause in milliseconds; `random` is from 0 to below 1. */
  next(random: number): number {
    const pause = this.#nextMs;
    this.#nextMs = Math.min(pause * 2, LONGEST_MS);
    return pause / 2 + (pause / 2) * random;
  }
}
