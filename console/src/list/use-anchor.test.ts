import { expect, test } from "vitest";
import type { Row } from "../model/rows.ts";
import { shift } from "./use-anchor.ts";

function laid(...heights: readonly (readonly [key: string, height: number])[]) {
  let start = 0;
  const items = heights.map(([, height]) => {
    const item = { start, end: start + height };
    start += height;
    return item;
  });
  const rows = heights.map(([key]): Row => ({ type: "idle", key, ms: 0 }));
  return { rows, items };
}

const BEFORE = laid(["a", 34], ["b", 55], ["c", 34]);

test("the row under the eye keeps its place when rows come above it", () => {
  const now = laid(["a", 34], ["new", 26], ["b", 55], ["c", 34]);
  expect(shift(BEFORE, now, 40)).toBe(26);
});

test("what comes or grows below the row under the eye moves nothing", () => {
  const now = laid(["a", 34], ["b", 90], ["new", 26], ["c", 34]);
  expect(shift(BEFORE, now, 40)).toBe(0);
});

test("a list at its top stays there, and one whose row is gone stays where it is", () => {
  expect(shift(BEFORE, laid(["new", 26], ["a", 34]), 0)).toBe(0);
  expect(shift(BEFORE, laid(["new", 26], ["a", 34]), 40)).toBe(0);
});
