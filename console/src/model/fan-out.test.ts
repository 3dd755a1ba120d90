import { expect, test } from "vitest";
import { cellsOf, fanOutStatus, nextFailure } from "./fan-out.ts";
import { fan, step } from "./testing.ts";

test("each step has a cell, in order", () => {
  const steps = fan("charge:", 1000, [3]);
  const cells = cellsOf(steps);
  expect(cells.map((cell) => cell.worst)).toEqual(steps);
  expect(cells[3]).toMatchObject({ count: 1, worst: { status: "failed" } });
});

test("a cell of several steps shows the worst, so that no failure drops out", () => {
  const cells = cellsOf(fan("charge:", 10_000, [1, 9998]));
  expect(cells.length).toBeLessThanOrEqual(1200);
  expect(cells.reduce((sum, cell) => sum + cell.count, 0)).toBe(10_000);
  expect(cells.filter((cell) => cell.worst.status === "failed")).toHaveLength(2);
});

test("what is open is shown before what went wrong, and that before what went well", () => {
  const [ok, failed] = [step("a", 0, 1), step("b", 0, 1, { status: "failed" })];
  expect(fanOutStatus([ok, failed])).toBe("failed");
  expect(fanOutStatus([ok, failed, step("c", 0, null)])).toBe("running");
  expect(fanOutStatus([ok])).toBe("completed");
});

test("failures are gone through both ways, and around", () => {
  const steps = fan("charge:", 10, [2, 7]);
  const next = (from: string | null, by: 1 | -1) => nextFailure(steps, from, by)?.id;
  expect([next(null, 1), next(null, -1)]).toEqual(["charge:2", "charge:7"]);
  expect([next("charge:2", 1), next("charge:7", 1)]).toEqual(["charge:7", "charge:2"]);
  expect([next("charge:2", -1), next("charge:5", -1)]).toEqual(["charge:7", "charge:2"]);
  expect(nextFailure(fan("charge:", 3), null, 1)).toBeNull();
});
