import { expect, test } from "vitest";
import { type Activity, barsOf, moved, timeOf, totalsOf } from "./histogram.ts";

const FROM = "2026-11-22T08:00:00.000000Z";
const activity = (...minutes: readonly (readonly [number, number])[]): Activity => ({
  from: FROM,
  minutes: minutes.map(([ended, failed]) => ({ ended, failed, orMore: false })),
});
const plain = (text: string) => text.replaceAll("\u00a0", " ");

test("the fullest minute has the full height, and failures stand at the foot of theirs", () => {
  const bars = barsOf(activity([50, 0], [100, 25], [0, 0]), 28);
  expect(bars.map((bar) => [bar.height, bar.failedHeight])).toEqual([
    [14, 0],
    [28, 7],
    [0, 0],
  ]);
  expect(bars[1]?.at).toBe(Date.parse("2026-11-22T08:01:00Z"));
});

test("one failure of thousands is still seen, and is not higher than its bar", () => {
  const [much, little] = barsOf(activity([9000, 1], [1, 1]), 28);
  expect(much?.failedHeight).toBe(2);
  expect([little?.height, little?.failedHeight]).toEqual([2, 2]);
});

test.each([
  [[4812, 12], "4,812", "12", "0.2 %"],
  [[100_000, 1], "100,000", "1", "< 0.1 %"],
  [[3, 3], "3", "3", "100 %"],
  [[100_000, 99_999], "100,000", "99,999", "> 99.9 %"],
  [[0, 0], "0", "0", "0 %"],
] as const)("%o are told in words", (minute, ended, failed, share) => {
  const totals = totalsOf(activity(minute));
  expect([totals.ended, totals.failed, plain(totals.share)]).toEqual([ended, failed, share]);
});

test("a count that is not exact says so", () => {
  const minutes = [{ ended: 10_000, failed: 0, orMore: true }];
  expect(totalsOf({ from: FROM, minutes }).ended).toBe("about 10,000");
});

test("a span begins at the newest bar, is moved within the bars, and is pulled from its anchor", () => {
  const begun = moved(null, -1, false, 60);
  expect(begun).toEqual({ anchor: 59, head: 59 });
  expect(moved(begun, 1, false, 60)).toEqual(begun);
  const wide = moved(moved(begun, -1, true, 60), -100, true, 60);
  expect(wide).toEqual({ anchor: 59, head: 0 });
  expect(moved(wide, 2, false, 60)).toEqual({ anchor: 2, head: 2 });
});

test("a span is the time from its first minute to the end of its last, drawn either way", () => {
  const expected = { from: Date.parse(FROM) + 60_000, to: Date.parse(FROM) + 180_000 };
  expect(timeOf({ anchor: 1, head: 2 }, activity())).toEqual(expected);
  expect(timeOf({ anchor: 2, head: 1 }, activity())).toEqual(expected);
});
