import { expect, test } from "vitest";
import { axisOf, even, foldable, instantAt, ticksOf, xOf } from "./axis.ts";
import { idle, isBusy, spansOf, union } from "./spans.ts";
import { attempt, step, ZERO } from "./testing.ts";

const S = 1000;

test("attempts and backoffs are spans, and the last failure is told from the others", () => {
  const failed = step("ship", 0, 400, {
    status: "failed",
    attempts: [attempt(1, 0, 100, "failed"), attempt(2, 300, 400, "failed")],
  });
  const spans = spansOf(failed, ZERO + 900);
  expect(spans.map((span) => [span.kind, span.from - ZERO, span.to - ZERO])).toEqual([
    ["failed", 0, 100],
    ["backoff", 100, 300],
    ["end", 300, 400],
  ]);
});

test("a step that waits for its next attempt ends in an open backoff", () => {
  const retrying = step("ship", 0, null, {
    status: "retrying",
    attempts: [attempt(1, 0, 100, "failed")],
  });
  const spans = spansOf(retrying, ZERO + 900);
  expect(spans.map((span) => [span.kind, span.to - ZERO, span.open])).toEqual([
    ["failed", 100, false],
    ["backoff", 900, true],
  ]);
});

test("waits, sleeps and backoffs are not busy, code and children are", () => {
  const kinds = ["waitForEvent", "sleep", "run", "invoke", "emit"] as const;
  const busy = kinds.map((kind) => spansOf(step("a", 0, 10, { kind }), ZERO).some(isBusy));
  expect(busy).toEqual([false, false, true, true, true]);
});

test("union joins what touches, idle is what is left of the window", () => {
  const busy = [
    { from: 5, to: 7 },
    { from: 0, to: 2 },
    { from: 2, to: 3 },
    { from: 6, to: 9 },
  ];
  expect(union(busy)).toEqual([
    { from: 0, to: 3 },
    { from: 5, to: 9 },
  ]);
  expect(idle(busy, { from: -1, to: 12 })).toEqual([
    { from: -1, to: 0 },
    { from: 3, to: 5 },
    { from: 9, to: 12 },
  ]);
});

test("only idle time over 30 s and over 5 % of the window is worth a fold", () => {
  const gap = (seconds: number) => [{ from: 0, to: seconds * S }];
  expect(foldable(gap(31), { from: 0, to: 60 * S })).toHaveLength(1);
  expect(foldable(gap(29), { from: 0, to: 60 * S })).toHaveLength(0);
  expect(foldable(gap(60), { from: 0, to: 3600 * S })).toHaveLength(0);
  // Beside a fold of an hour, a minute is most of what is left.
  const both = [...gap(60), { from: 70 * S, to: 3590 * S }];
  expect(foldable(both, { from: 0, to: 3600 * S })).toEqual(both);
});

test("outside of folds one second has one width everywhere", () => {
  const window = { from: 0, to: 7220 * S };
  const axis = axisOf(window, 1104, [{ from: 10 * S, to: 7210 * S }]);
  const width = (from: number) => xOf(axis, from + S) - xOf(axis, from);
  expect(width(0)).toBeCloseTo(50);
  expect(width(7211 * S)).toBeCloseTo(width(3 * S));
  expect(xOf(axis, 7210 * S) - xOf(axis, 10 * S)).toBeCloseTo(104);
  expect([xOf(axis, -5), xOf(axis, 9e9)]).toEqual([0, 1104]);
});

test("folds never take more than half of the width", () => {
  const folds = Array.from({ length: 20 }, (_, at) => ({
    from: at * 100 * S,
    to: (at * 100 + 90) * S,
  }));
  const axis = axisOf({ from: 0, to: 2000 * S }, 1000, folds);
  const folded = axis.segments
    .filter((one) => one.folded)
    .reduce((sum, one) => sum + one.x1 - one.x0, 0);
  expect(folded).toBeCloseTo(500);
});

test("a place on the axis leads back to its instant", () => {
  const axis = axisOf({ from: 0, to: 100 * S }, 800, [{ from: 20 * S, to: 80 * S }]);
  for (const at of [0, 1, 19_999, 20_000, 50_000, 80_000, 99_000]) {
    expect(instantAt(axis, xOf(axis, at))).toBeCloseTo(at, 3);
  }
});

test("an axis without a length has a place for its instant", () => {
  const axis = axisOf({ from: 5, to: 5 }, 100, []);
  expect(xOf(axis, 5)).toBe(0);
  expect(ticksOf(axis)).toEqual([]);
});

test("ticks begin at each open segment and are even within it", () => {
  const axis = axisOf({ from: 3, to: 100 * S }, 900, [{ from: 5 * S, to: 95 * S }]);
  const ticks = ticksOf(axis);
  expect(ticks.filter((tick) => tick.since === 0).map((tick) => tick.at)).toEqual([3, 95 * S]);
  expect(new Set(ticks.map((tick) => tick.since))).toEqual(
    new Set([0, 1000, 2000, 3000, 4000, 5000]),
  );
});

test.each([
  [0.3, 1],
  [3, 5],
  [1300, 2000],
  [31_000, 60_000],
  [86_400_001, 172_800_000],
])("the even length at or above %d ms is %d ms", (ms, found) => {
  expect(even(ms)).toBe(found);
});
