/** Deadlines of runs, the earliest first. */

import type { Core } from "../machine/core.js";
import type { Step } from "../machine/state.js";

/** A deadline of a step, or of the run itself. */
export interface Deadline {
  readonly at: number;
  readonly core: Core;
  readonly step: Step | undefined;
}

/** Of several at one instant the first that was set comes first. */
interface Placed extends Deadline {
  readonly nth: number;
}

function isBefore(one: Placed, other: Placed): boolean {
  return one.at < other.at || (one.at === other.at && one.nth < other.nth);
}

/** So many entries are never too many. */
const FULL = 4_096;

/** A binary heap of deadlines. */
export class Timers {
  #heap: Placed[] = [];
  #full = FULL;
  #pushed = 0;

  /** Returns the earliest instant. */
  next(): number {
    return this.#heap[0]?.at ?? Number.POSITIVE_INFINITY;
  }

  /** Adds a deadline. */
  push({ at, core, step }: Deadline): void {
    const deadline = { at, core, step, nth: this.#pushed++ };
    const heap = this.#heap;
    let place = heap.length;
    heap.push(deadline);
    while (place > 0) {
      const above = (place - 1) >> 1;
      const other = heap[above];
      if (other === undefined || isBefore(other, deadline)) break;
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

  #sink(deadline: Placed): void {
    const heap = this.#heap;
    let place = 0;
    for (;;) {
      const left = place * 2 + 1;
      const right = left + 1;
      const [one, two] = [heap[left], heap[right]];
      const isRight = one !== undefined && two !== undefined && isBefore(two, one);
      const below = isRight ? right : left;
      const other = heap[below];
      if (other === undefined || !isBefore(other, deadline)) break;
      heap[place] = other;
      place = below;
    }
    heap[place] = deadline;
  }

  /** Takes out deadlines of runs that are over: they would hold the runs. */
  #shed(): void {
    const live = this.#heap.filter(({ core }) => core.phase !== "closed");
    live.sort((one, other) => one.nth - other.nth);
    this.#heap = [];
    this.#full = Number.POSITIVE_INFINITY;
    for (const deadline of live) this.push(deadline);
    this.#full = Math.max(FULL, live.length * 2);
  }
}
