import { describe, expect, it } from "vitest";
import { Queue } from "./queue.js";

class Entry {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  get characters(): number {
    return this.text.length;
  }
}

const texts = (entries: readonly Entry[]): string[] => entries.map(({ text }) => text);

/** What a queue costs for one event of a character. */
const ONE = 66;

function filled(queue: Queue<Entry>, from: number, to: number): number {
  let dropped = 0;
  for (let n = from; n < to; n += 1) dropped += queue.add(new Entry(`${n % 10}`));
  return dropped;
}

describe("a queue", () => {
  /** §10.3: it is bounded by count and by bytes, and the oldest are dropped. */
  it("drops the oldest where there are too many", () => {
    const byCount = new Queue<Entry>({ events: 5, bytes: 1e9 });
    expect([filled(byCount, 0, 8), byCount.count]).toEqual([3, 5]);
    expect(texts(byCount.take(9, 1e9))).toEqual(["3", "4", "5", "6", "7"]);
    const byBytes = new Queue<Entry>({ events: 1e9, bytes: 5 * ONE });
    expect([filled(byBytes, 0, 8), byBytes.count]).toEqual([3, 5]);
    expect(byBytes.add(new Entry("x".repeat(3 * ONE)))).toBe(6);
    expect(byBytes.count).toBe(0);
    expect(filled(byBytes, 0, 5)).toBe(0);
  });

  it("gives batches in order, bounded by count and characters", () => {
    const queue = new Queue<Entry>({ events: 100, bytes: 1e9 });
    filled(queue, 0, 10);
    expect(texts(queue.take(3, 1e9))).toEqual(["0", "1", "2"]);
    expect(texts(queue.take(100, 4))).toEqual(["3", "4", "5", "6"]);
    // One that is larger than a batch is one.
    expect(texts(queue.take(100, 0))).toEqual(["7"]);
    expect([queue.count, queue.clear(), queue.count]).toEqual([2, 2, 0]);
    expect(texts(queue.take(1, 1))).toEqual([]);
  });

  it("goes on for long", () => {
    const queue = new Queue<Entry>({ events: 20_000, bytes: 1e9 });
    let taken = 0;
    for (let n = 0; n < 100_000; n += 1) {
      queue.add(new Entry(`${n}`));
      if (n % 3 === 2) {
        for (const one of texts(queue.take(2, 1e9))) {
          // In order, whatever was dropped in between.
          expect(Number(one)).toBeGreaterThanOrEqual(taken);
          taken = Number(one) + 1;
        }
      }
    }
    const rest = texts(queue.take(1e9, 1e9)).map(Number);
    expect(rest.length).toBeGreaterThan(19_990);
    expect(rest).toEqual(rest.map((_, at) => 100_000 - rest.length + at));
  });
});
