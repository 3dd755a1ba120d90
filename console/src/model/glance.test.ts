import { expect, test } from "vitest";
import { doingOf, type Glance, plainOf, readGlances } from "./glance.ts";
import { rowOf } from "./testing.ts";

const NOW = Date.parse("2026-11-22T08:00:00Z");
const glance = (more: Partial<Glance>): Glance => ({
  id: "run_1",
  journalBytes: 1,
  doing: null,
  strip: "",
  output: null,
  error: null,
  ...more,
});

test("an open run says what it is doing, without marks and without its status again", () => {
  const doing = "waiting for event `order.paid` in step `pay`";
  expect(doingOf(rowOf({ status: "waiting" }), glance({ doing }), NOW)).toEqual({
    text: "for event order.paid in step pay",
    isCode: false,
  });
  const blocked = doingOf(
    rowOf({ status: "blocked" }),
    glance({ doing: "blocked: by `tax`" }),
    NOW,
  );
  expect(blocked.text).toBe("by tax");
  expect(doingOf(rowOf({ status: "running" }), glance({ doing: "running" }), NOW).text).toBe(
    "running",
  );
});

test("an ended run says its error, or else its output as code", () => {
  const error = { name: "CarrierError", message: "no such place" };
  expect(doingOf(rowOf({ status: "failed" }), glance({ error }), NOW).text).toBe(
    "CarrierError: no such place",
  );
  expect(doingOf(rowOf({ status: "completed" }), glance({ output: '{"a":1}' }), NOW)).toEqual({
    text: '{"a":1}',
    isCode: true,
  });
});

test("without a glance the row tells what it knows", () => {
  const row = rowOf({ status: "running", steps: 5, stepsEnded: 2, stepsFailed: 1 });
  expect(doingOf(row, undefined, NOW).text.replaceAll("\u00a0", " ")).toBe(
    "2 of 5 steps ended, 1 failed",
  );
  const failed = rowOf({ status: "failed", error: { name: "CarrierError", message: "too far" } });
  expect(doingOf(failed, undefined, NOW).text).toBe("CarrierError: too far");
  const blocked = rowOf({ status: "blocked", blocked: "step `tax` was run" });
  expect(doingOf(blocked, undefined, NOW).text).toBe("step tax was run");
});

test("instants in a sentence are told as people do, and runs by their end", () => {
  const sentence =
    "sleeping until 2026-11-22T08:00:05.000000Z for run_00000000000000000000000000012345";
  expect(plainOf(sentence, NOW)).toMatch(/^sleeping until \d\d:\d\d:05 for …12345$/);
});

test("an answer that is no list of glances is refused", () => {
  expect(() => readGlances({ error: 1 })).toThrow(TypeError);
});
