/** Deadlines of runs, the earliest first. */

import type { Core } from "../machine/core.js";
import type { Step } from "../machine/state.js";

/** A deadline of a step, or of the run itself. */
export interface Deadline {
  readonly at: number;
  readonly core: Core;
  readonly step: Step | undefined;
}

/** So many entries are never too many. */
const FULL = 4_096;

/** A binary heap of deadlines. */
export class Timers {
  #heap: Deadline[] = [];
  #full = FULL;

  /** Returns the earliest instant. */
  next(): number {
    return this.#heap[0]?.at ?? Number.POSITIVE_INFINITY;
  }

  /** Adds a deadline. */
  push(deadline: Deadline): void {
    const heap = this.#heap;
    let place = heap.length;
    heap.push(deadline);
    while (place > 0) {
      const above = (place - 1) >> 1;
      const other = heap[above];
      if (other === undefined || other.at <= deadline.at) break;
      heap[place] = other;
      place = above;
    }
    heap[place] = deadline;
    if (heap.length >= this.#full) this.#shed();
  }

  /** Takes the earliest, if it has come. */
  takeDue(now: number): Deadline | undefined {
    const heap = this.#heap;
    const first = heap[0];
    if (first === undefined || first.at > now) return undefined;
    const last = heap.pop();
    if (last !== undefined && last !== first) this.#sink(last);
    return first;
  }

  #sink(deadline: Deadline): void {
    const heap = this.#heap;
    let place = 0;
    for (;;) {
      const left = place * 2 + 1;
      const right = left + 1;
      const isRight = (heap[right]?.at ?? Number.POSITIVE_INFINITY) < (heap[left]?.at ?? 0);
      const below = isRight ? right : left;
      const other = heap[below];
      if (other === undefined || other.at >= deadline.at) break;
      heap[place] = other;
      place = below;
    }
    heap[place] = deadline;
  }

  /** Takes out deadlines of runs that are over: they would hold the runs. */
  #shed(): void {
    const live = this.#heap.filter(({ core }) => core.phase !== "closed");
    this.#heap = [];
    this.#full = Number.POSITIVE_INFINITY;
    for (const deadline of live) this.push(deadline);
    this.#full = Math.max(FULL, live.length * 2);
  }
}
