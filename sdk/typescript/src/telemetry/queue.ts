/** Events that wait to be sent: bounded, and the oldest go first where there are too many. */

import type { Event } from "./event.js";

/** What an event costs beside its text, about, in bytes. */
const ENTRY_BYTES = 64;

/** How much a queue holds at most. */
export interface Bounds {
  readonly events: number;
  /** Counted as two bytes a character, which is what a text takes at most. */
  readonly bytes: number;
}

/** What a queue asks of an event. */
export type Queued = Pick<Event, "characters">;

/**
 * A queue of events. Of what is too much the oldest is dropped: what is left are the ends of
 * steps, with the latest, rather than beginnings whose ends are lost and that look as if they hung.
 */
export class Queue<E extends Queued = Event> {
  readonly #bounds: Bounds;
  #events: (E | undefined)[] = [];
  /** Where the first one is; those before it are gone. */
  #head = 0;
  #bytes = 0;

  constructor(bounds: Bounds) {
    this.#bounds = bounds;
  }

  /** How many there are. */
  get count(): number {
    return this.#events.length - this.#head;
  }

  /** Adds an event; returns how many were dropped for it. */
  add(event: E): number {
    this.#events.push(event);
    this.#bytes += cost(event);
    let dropped = 0;
    while (this.count > this.#bounds.events || this.#bytes > this.#bounds.bytes) {
      this.#shift();
      dropped += 1;
    }
    return dropped;
  }

  /** Takes the oldest ones: at least one where there is any, and no more than this. */
  take(events: number, characters: number): E[] {
    const taken: E[] = [];
    let length = 0;
    while (this.count > 0 && taken.length < events) {
      const next = this.#events[this.#head];
      length += next?.characters ?? 0;
      if (next === undefined || (taken.length > 0 && length > characters)) break;
      taken.push(next);
      this.#shift();
    }
    return taken;
  }

  /** Removes all; returns how many they were. */
  clear(): number {
    const { count } = this;
    this.#events = [];
    this.#head = 0;
    this.#bytes = 0;
    return count;
  }

  #shift(): void {
    const first = this.#events[this.#head];
    if (first !== undefined) this.#bytes -= cost(first);
    // It is not held until the list is cut.
    this.#events[this.#head] = undefined;
    this.#head += 1;
    if (this.#head === this.#events.length) {
      this.#events = [];
      this.#head = 0;
    } else if (this.#head > 4_096 && this.#head * 2 > this.#events.length) {
      this.#events = this.#events.slice(this.#head);
      this.#head = 0;
    }
  }
}

function cost(event: Queued): number {
  return event.characters * 2 + ENTRY_BYTES;
}
