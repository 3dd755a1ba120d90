import { expect, test } from "vitest";
import { contentsAfter, contentsOf, mergeSteps } from "./contents.ts";
import { run, step } from "./testing.ts";

const at = (position: number) => ({ position });

test("a whole answer keeps the steps that did not change", () => {
  const before = [step("a", 0, 10, at(0)), step("b", 10, null, at(1)), step("c", 11, null, at(2))];
  const answer = [step("a", 0, 10, at(0)), step("b", 10, 20, at(1)), step("c", 11, null, at(2))];
  const after = mergeSteps(before, run(answer));
  expect(after[0]).toBe(before[0]);
  expect(after[1]).not.toBe(before[1]);
  expect(after[2]).toBe(before[2]);
});

test("a log line that comes after the end of its step is shown", () => {
  const line = { at: "2026-11-22T08:00:00.000000Z", level: "info", message: "late" };
  const after = mergeSteps([step("a", 0, 10)], run([step("a", 0, 10, { logs: [line] })]));
  expect(after[0]?.logs).toEqual([line]);
});

test("an answer of what changed is put in place of what was known", () => {
  const before = [step("a", 0, 10, at(0)), step("c", 30, null, at(2))];
  const changed = [step("b", 20, 25, at(1)), step("c", 30, 40, at(2)), step("a", 50, null, at(3))];
  const after = mergeSteps(before, run(changed, { since: 100 }));
  expect(after.map((one) => [one.id, one.position, one.status])).toEqual([
    ["a", 0, "completed"],
    ["b", 1, "completed"],
    ["c", 2, "completed"],
    ["a", 3, "running"],
  ]);
  expect(after[0]).toBe(before[0]);
});

test("a whole answer forgets steps that are no more", () => {
  const before = [step("a", 0, 10, at(0)), step("b", 20, null, at(1))];
  expect(mergeSteps(before, run([step("a", 0, 10, at(0))])).map((one) => one.id)).toEqual(["a"]);
});

test("where no step changed the contents are derived no second time", () => {
  const before = contentsOf(run([step("a", 0, 10)], { why: "moving" }));
  const after = contentsAfter(before, run([], { why: "waiting", since: 5 }));
  expect(after.steps).toBe(before.steps);
  expect(after.run.why).toBe("waiting");
  expect(after.run.steps).toBe(before.run.steps);
});

test("another run takes nothing of the one before", () => {
  const before = contentsOf(run([step("a", 0, 10)]));
  const other = run([step("b", 0, 10)], { id: "run_2" });
  expect(contentsAfter(before, other).run.steps).toBe(other.steps);
});

test("contents know what came directly after a step", () => {
  const contents = contentsOf(run([step("a", 0, 1), step("b", 2, 3, { after: ["a"] })]));
  expect(contents.followers.get("a")).toEqual(["b"]);
});
