import { expect, test } from "vitest";
import { windowOf, within } from "../timeline/use-window.ts";
import { contentsOf } from "./contents.ts";
import { rowsOf } from "./rows.ts";
import { fan, iso, run, step, ZERO } from "./testing.ts";
import {
  busyMs,
  criticalPath,
  foldsOf,
  followed,
  inFlight,
  marksOf,
  pathInRows,
  tickWords,
  timesOf,
} from "./timeline.ts";

const HOUR = 3_600_000;
const steps = [
  step("charge", 0, 2000),
  step("label", 2000, 2700, { after: ["charge"] }),
  step("fraud", 2000, 6300, { after: ["charge"], kind: "invoke" }),
  step("approval", 6300, HOUR, { after: ["label", "fraud"], kind: "waitForEvent", attempts: [] }),
  step("ship", HOUR, HOUR + 3000, { after: ["approval"] }),
];
const contents = contentsOf(run(steps, { status: "completed", endedAt: iso(HOUR + 3000) }));
const NOW = Number.POSITIVE_INFINITY;

test("the window goes from the start to the end, and a wait in it is worth a fold", () => {
  const times = timesOf(contents, NOW);
  expect([times.whole.from - ZERO, times.whole.to - ZERO]).toEqual([0, HOUR + 3000]);
  expect(busyMs(times)).toBe(9300);
  const [fold, ...more] = foldsOf(times, times.whole);
  expect(more).toEqual([]);
  expect([(fold?.from ?? 0) - ZERO, (fold?.to ?? 0) - ZERO]).toEqual([6300, HOUR]);
});

test("the window of an open run goes up to now", () => {
  const open = contentsOf(run([step("charge", 0, null)]));
  expect(timesOf(open, ZERO + 5000).whole.to - ZERO).toBe(5000);
});

test("the critical path leads back through what ended last", () => {
  const ids = criticalPath(contents, NOW).map((one) => one.id);
  expect(ids).toEqual(["charge", "fraud", "approval", "ship"]);
});

test("a drop of the critical path passes each row between its steps", () => {
  const rows = rowsOf(contents, { text: "", failuresOnly: false }, new Set(), ZERO).filter(
    (row) => row.type === "step",
  );
  const { on, drops } = pathInRows(criticalPath(contents, NOW), rows);
  expect(on.has("label")).toBe(false);
  expect([...drops.entries()].map(([row, all]) => [row, all.length])).toEqual([
    [0, 1],
    [1, 1],
    [2, 2],
    [3, 2],
    [4, 1],
  ]);
});

test("how many are in flight goes up and down with their begins and ends", () => {
  const levels = inFlight([step("a", 0, 10), step("b", 5, 20), step("c", 10, null)], ZERO + 30);
  expect(levels.map((level) => [level.at - ZERO, level.count])).toEqual([
    [0, 1],
    [5, 2],
    [10, 2],
    [20, 1],
    [30, 0],
  ]);
});

test("an overview of 1,000 spans has no more marks than can be told apart", () => {
  const times = timesOf(contentsOf(run(fan("charge:", 1000))), ZERO + 2000);
  expect(marksOf(times.spans, "work", 10)).toHaveLength(1);
  expect(marksOf(times.spans, "failed", 10)).toEqual([]);
});

test("a window stays inside of the run, as long as it is", () => {
  const whole = { from: 100, to: 200 };
  expect(within(whole, { from: 180, to: 230 })).toEqual({ from: 150, to: 200 });
  expect(within(whole, { from: -900, to: 900 })).toEqual(whole);
  expect(windowOf(whole, "10.5", "20")).toEqual({ from: 110.5, to: 120 });
  for (const [from, to] of [
    ["x", "20"],
    ["20", "10"],
    [null, "20"],
    ["5", "5"],
  ] as const) {
    expect(windowOf(whole, from, to)).toEqual(whole);
  }
});

test.each([
  [200, "+200 ms"],
  [1000, "+1 s"],
  [1500, "+1.5 s"],
  [90_000, "+1 m 30 s"],
  [7_200_000, "+2 h"],
  [0.5, "+0.5 ms"],
])("a tick after %d ms is %s", (since, words) => {
  expect(tickWords(since).replaceAll("\u00a0", " ")).toBe(words);
});

test("a window that follows moves on by half of it when now comes near its end, and not before", () => {
  const window = { from: 0, to: 100 };
  expect(followed(window, 79)).toBe(window);
  expect(followed(window, 81)).toEqual({ from: 31, to: 131 });
  expect(followed(window, 500)).toEqual({ from: 450, to: 550 });
});
