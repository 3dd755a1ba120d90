import { expect, test } from "vitest";
import { instant } from "./instants.ts";
import {
  countOrMore,
  duration,
  elapsed,
  listed,
  offset,
  ordinal,
  shortMoment,
  visible,
} from "./words.ts";

const plain = (text: string) => text.replaceAll("\u00a0", " ");

test.each([
  [0, "0 ms"],
  [0.4, "< 1 ms"],
  [172.4, "172 ms"],
  [999.7, "1.00 s"],
  [2420, "2.42 s"],
  [9996, "10 s"],
  [45_000, "45 s"],
  [15_420, "15.4 s"],
  [59_970, "1 m 00 s"],
  [64_000, "1 m 04 s"],
  [22 * 3_600_000 + 41 * 60_000, "22 h 41 m"],
  [76 * 3_600_000, "3 d 4 h"],
])("duration of %d ms is %s", (ms, words) => {
  expect(plain(duration(ms))).toBe(words);
});

test("duration has two units at most and never a sixtieth second", () => {
  for (let ms = 0; ms < 200_000; ms += 37) {
    const words = plain(duration(ms));
    expect(words).not.toMatch(/\b60 [sm]\b|60\.\d|1000 ms/);
    expect(words.match(/ms|s|m|h|d/g)?.length ?? 0).toBeLessThanOrEqual(2);
  }
});

test("elapsed time ticks in tenths, then seconds, then minutes", () => {
  expect(plain(elapsed(3149))).toBe("3.1 s");
  expect(plain(elapsed(31_490))).toBe("31 s");
  expect(plain(elapsed(7_331_000))).toBe("2 h 02 m");
});

test("offset has milliseconds within a minute and a clock's form after it", () => {
  expect([191.9, 59_999.9, 2_292_000, 3_606_000].map(offset)).toEqual([
    "+0.191",
    "+59.999",
    "+38:12",
    "+1:00:06",
  ]);
});

test("ordinal knows eleven, twelve and thirteen", () => {
  expect([1, 2, 3, 4, 11, 12, 13, 22].map(ordinal).join(" ")).toBe(
    "1st 2nd 3rd 4th 11th 12th 13th 22nd",
  );
});

test("listed names end with and", () => {
  expect([[], ["a"], ["a", "b"], ["a", "b", "c"]].map((names) => listed(names))).toEqual([
    "",
    "a",
    "a and b",
    "a, b and c",
  ]);
  expect(listed(["a", "b", "c"], "or")).toBe("a, b or c");
});

test("instant keeps microseconds", () => {
  expect(
    instant("2026-11-22T08:16:15.075982Z") - Date.parse("2026-11-22T08:16:15.075Z"),
  ).toBeCloseTo(0.982, 3);
  expect(instant("2026-11-22T08:16:15Z")).toBe(Date.parse("2026-11-22T08:16:15Z"));
});

test("visible shows control characters and takes the turn out of text that turns", () => {
  expect(visible("a\u0000b\u001fc\u007fd\u0085")).toBe("a␀b␟c␡d\ufffd");
  expect(visible("gnp\u202eexe")).toBe("gnp\ufffdexe");
  expect(visible("two\nlines\tתודה")).toBe("two\nlines\tתודה");
});

test.each([
  ["2026-11-22T14:02:07", "14:02:07"],
  ["2026-11-20T09:00:00", "Fri 09:00"],
  ["2026-11-16T09:00:00", "16 Nov"],
  ["2025-11-16T09:00:00", "16 Nov 2025"],
])("%s in a column is %s", (at, words) => {
  expect(shortMoment(Date.parse(at), Date.parse("2026-11-22T16:00:00"))).toBe(words);
});

test("a count that stopped says that there are more", () => {
  expect([countOrMore(1204, false), countOrMore(10_000, true)]).toEqual(["1,204", "10,000+"]);
});
