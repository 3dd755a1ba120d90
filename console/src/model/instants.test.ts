import { expect, test } from "vitest";
import { instant, instantOr } from "./instants.ts";

test("an instant is read with its microseconds", () => {
  const whole = Date.UTC(2026, 10, 22, 14, 2, 7, 123);
  expect(instant("2026-11-22T14:02:07.123456Z")).toBeCloseTo(whole + 0.456, 6);
});

test("instants of other days and lengths are read as well", () => {
  expect(instant("2026-11-23T00:00:00.000000Z")).toBe(Date.UTC(2026, 10, 23));
  expect(instant("2024-02-29T23:59:59.999000Z")).toBe(Date.UTC(2024, 1, 29, 23, 59, 59, 999));
  expect(instant("2026-11-22T14:02:07Z")).toBe(Date.UTC(2026, 10, 22, 14, 2, 7));
  expect(instant("2026-11-22T14:02:07.5Z")).toBe(Date.UTC(2026, 10, 22, 14, 2, 7, 500));
});

test("an instant that is absent is what stands for it", () => {
  expect(instantOr(null, "never")).toBe("never");
});
