/** Events that wait to be sent: bounded, and the oldest go first where there are too many. */

/** What an event costs beside its text, about, in bytes. */
const ENTRY_BYTES = 64;

/** How much a queue holds at most. */
export interface Bounds {
  readonly events: number;
  /** Counted as two bytes a character, which is what a text takes at most. */
  readonly bytes: number;
}

/**
 * A queue of events, each a text of JSON. Of what is too much the oldest is dropped: what is left are the ends of
 * steps, with the latest, rather than beginnings whose ends are lost and that look as if they hung.
 */
export class Queue {
  readonly #bounds: Bounds;
  #events: string[] = [];
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
  add(event: string): number {
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
  take(events: number, characters: number): string[] {
    const taken: string[] = [];
    let length = 0;
    while (this.count > 0 && taken.length < events) {
      const next = this.#events[this.#head] ?? "";
      length += next.length;
      if (taken.length > 0 && length > characters) break;
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
    this.#bytes -= cost(this.#events[this.#head] ?? "");
    // Its text is not held until the list is cut.
    this.#events[this.#head] = "";
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

function cost(event: string): number {
  return event.length * 2 + ENTRY_BYTES;
}
