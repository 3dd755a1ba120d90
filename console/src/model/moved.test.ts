import { expect, it } from "vitest";
import { lastMoved } from "./moved.ts";
import { run, step, ZERO } from "./testing.ts";

it("names the step that ended last, whatever its place", () => {
  const steps = [step("slow", 0, 900), step("quick", 1, 20), step("open", 5, null)];
  expect(lastMoved(run(steps), "stepwell")).toEqual({
    step: "slow",
    words: "completed",
    at: ZERO + 900,
  });
});

it("tells an event from a time-out", () => {
  const wait = step("approval", 0, 50, { kind: "waitForEvent" });
  expect(lastMoved(run([wait]), "stepwell")?.words).toBe("got its event");
  expect(lastMoved(run([{ ...wait, status: "timed_out" }]), "stepwell")?.words).toBe("timed out");
});

it("names nothing before the first end", () => {
  expect(lastMoved(run([step("open", 5, null)]), "stepwell")).toBeNull();
});
