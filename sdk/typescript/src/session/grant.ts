/** Until when functions may start (§4.7). */

import type { Core } from "../machine/core.js";

/** The runner's grant: from the sending of the newest answered ping to its TTL later. */
export class Grant {
  #until = Number.NEGATIVE_INFINITY;
  readonly #waiting: Set<Core> = new Set();

  /** Tells whether a function may start now. Where none may, the run is remembered. */
  holds(core: Core, now: number): boolean {
    if (now < this.#until) return true;
    this.#waiting.add(core);
    return false;
  }

  /** Extends the grant, which never gets shorter by this; returns the runs that waited for it. */
  extend(until: number): readonly Core[] {
    this.#until = Math.max(this.#until, until);
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    return waiting;
  }
}
