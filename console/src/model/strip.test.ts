import { expect, test } from "vitest";
import { lettersOf, stripName, ticksOf } from "./strip.ts";

const counts = (steps: number, stepsEnded = steps, stepsFailed = 0) => ({
  steps,
  stepsEnded,
  stepsFailed,
});
const plain = (text: string) => text.replaceAll("\u00a0", " ");

test("a tick's shape says what its step is: solid, open, in doubt, or taken back", () => {
  expect(ticksOf("cpkxrftwsyuCRU", 300).map((tick) => tick.shape)).toEqual([
    ...["low", "low", "low", "low", "tall", "tall", "tall", "hollow", "hollow", "hollow"],
    ...["diamond", "back", "back", "diamond"],
  ]);
});

test("eleven ticks fit in their full width, more share it and stay within it", () => {
  const few = ticksOf("c".repeat(10), 142);
  expect(few.map((tick) => tick.width)).toEqual(few.map(() => 12));
  for (const n of [11, 12, 30, 60]) {
    const ticks = ticksOf("c".repeat(n), 142);
    const last = ticks.at(-1);
    expect((last?.x ?? 0) + (last?.width ?? 0)).toBeLessThan(142.001);
    expect(Math.min(...ticks.map((tick) => tick.width))).toBeGreaterThan(1);
  }
});

test("ticks follow each other without touching", () => {
  const ticks = ticksOf("c".repeat(40), 142);
  const touching = ticks.filter((tick, at) => {
    const next = ticks[at + 1];
    return next !== undefined && tick.x + tick.width >= next.x;
  });
  expect(touching).toEqual([]);
});

test("a strip counts its steps by status", () => {
  expect(plain(stripName("cccccccrr", counts(9), "stepwell"))).toBe(
    "9 steps: 7 completed, 2 running",
  );
  expect(plain(stripName("t", counts(1), "stepwell"))).toBe("1 step: 1 timed out");
  expect(stripName("", counts(0), "stepwell")).toBe("no steps");
});

test("where a tick stands for several steps, only what is known is counted", () => {
  const name = stripName(`${"c".repeat(59)}f`, counts(10_000, 9_990, 3), "stepwell");
  expect(plain(name)).toBe("10,000 steps: 9,990 ended, 3 failed");
  expect(plain(stripName("", counts(4, 2), "stepwell"))).toBe("4 steps: 2 ended");
});

test("statuses become letters that are read back, those of observed steps too", () => {
  const statuses = ["completed", "stuck", "missing", "not_reached", "failed", "skipped"] as const;
  const ticks = ticksOf(lettersOf(statuses), 142);
  expect(ticks.map((tick) => tick.status)).toEqual(statuses);
  expect(ticks.map((tick) => tick.shape)).toEqual([
    "low",
    "diamond",
    "diamond",
    "dot",
    "tall",
    "low",
  ]);
});
