import { expect, test } from "vitest";
import { Slots } from "./slots.ts";

test("a row that stays keeps its element, and one that comes has a new one", () => {
  const slots = new Slots();
  const [, b, c, d] = slots.of(["a", "b", "c", "d"]);
  const after = slots.of(["b", "c", "d", "e"]);
  expect(after.slice(0, 3)).toEqual([b, c, d]);
  expect(new Set(after).size).toBe(4);
});

test("where the list jumps the elements are used again in their order", () => {
  const slots = new Slots();
  const before = slots.of(["a", "b", "c", "d"]);
  expect(slots.of(["d", "x", "y", "z"])).toEqual(before);
  const more = slots.of(["k", "l", "m", "n", "o"]);
  expect(more.slice(0, 4)).toEqual(before);
  expect(new Set(more).size).toBe(5);
});
