/** A queue whose front costs nothing to take, also where it is long. */

/** First in, first out. */
export class Queue<T> {
  #items: T[] = [];
  #head = 0;

  get length(): number {
    return this.#items.length - this.#head;
  }

  push(item: T): void {
    this.#items.push(item);
  }

  /** Returns the front. */
  peek(): T | undefined {
    return this.#items[this.#head];
  }

  /** Takes the front. */
  shift(): T | undefined {
    const item = this.#items[this.#head];
    if (this.#head < this.#items.length) this.#head++;
    if (this.#head > 1_024 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }

  /** Takes the first that is as asked, wherever it stands. */
  takeFirst(wanted: (item: T) => boolean): T | undefined {
    for (let at = this.#head; at < this.#items.length; at++) {
      const item = this.#items[at];
      if (item !== undefined && wanted(item)) {
        if (at === this.#head) return this.shift();
        this.#items.splice(at, 1);
        return item;
      }
    }
    return undefined;
  }

  /** Takes all that stand in front of the first that is as asked; none where none is. */
  takeBefore(wanted: (item: T) => boolean): T[] {
    const at = this.#items.findIndex((item, place) => place >= this.#head && wanted(item));
    if (at === -1) return [];
    const before = this.#items.slice(this.#head, at);
    this.#head = at;
    return before;
  }

  /** Takes all. */
  takeAll(): T[] {
    const all = this.#items.slice(this.#head);
    this.#items = [];
    this.#head = 0;
    return all;
  }
}
