import { expect, test } from "vitest";
import { clamped, sizeFrom } from "./dock.ts";

test("the inspector is never so small that it cannot be read, nor more than 60 % of the room", () => {
  expect(clamped("beside", 100, 1440)).toBe(360);
  expect(clamped("beside", 1200, 1440)).toBe(864);
  expect(clamped("below", 60, 600)).toBe(120);
  expect(clamped("below", 300, 600)).toBe(300);
});

test("the edge follows the pointer", () => {
  const main = { right: 1440, bottom: 900 };
  expect(sizeFrom("beside", { clientX: 1000, clientY: 5 }, main)).toBe(440);
  expect(sizeFrom("below", { clientX: 5, clientY: 600 }, main)).toBe(300);
});
