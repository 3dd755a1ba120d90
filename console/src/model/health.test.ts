import { expect, test } from "vitest";
import { readHealth } from "./health.ts";

const restored = { backup: "2026-11-22T03-00", takenAt: "2026-11-22T03:00:00.000000Z" };

test.each([
  [{ status: "ok" }, { isHeld: false, restored: null }],
  [{ status: "degraded" }, { isHeld: false, restored: null }],
  [{ status: "held" }, { isHeld: true, restored: null }],
  [
    { status: "held", restored: { ...restored, held: true } },
    { isHeld: true, restored },
  ],
  [
    { status: "ok", restored: { ...restored, held: false } },
    { isHeld: false, restored },
  ],
])("%o is read as %o", (answer, health) => {
  expect(readHealth(answer)).toEqual(health);
});

test("an answer of something else is refused", () => {
  for (const answer of [null, {}, "ok", { status: 7 }]) {
    expect(() => readHealth(answer)).toThrow(/how it is/);
  }
});
