import { expect, test } from "vitest";
import { fanOutStatus } from "./fan-out.ts";
import { failedFirst, fanOuts, inOrder, parallels, prefixOf, tally } from "./parallel.ts";
import { fan, step } from "./testing.ts";

const ids = (steps: readonly { readonly id: string }[]) => steps.map((one) => one.id);

test("steps are ordered by start, then position", () => {
  const steps = [
    step("c", 20, 30, { position: 2 }),
    step("b", 10, 40, { position: 1 }),
    step("late", 20, 25, { position: 0 }),
    step("queued", 15, null, { position: 9, startedAt: null }),
  ];
  expect(ids(inOrder(steps))).toEqual(["b", "queued", "late", "c"]);
});

test("siblings that overlap in time are parallel", () => {
  const steps = [
    step("label", 10, 40, { after: ["charge"] }),
    step("fraud", 11, 80, { after: ["charge"] }),
    step("ship", 90, 99, { after: ["label", "fraud"] }),
  ];
  expect(parallels(steps).map((group) => ids(group.steps))).toEqual([["label", "fraud"]]);
});

test("the order of what came before does not matter", () => {
  const steps = [
    step("a", 10, 40, { after: ["x", "y"] }),
    step("b", 10, 40, { after: ["y", "x"] }),
  ];
  expect(parallels(steps)).toHaveLength(1);
});

test("siblings one after the other are not parallel", () => {
  const steps = [step("a", 10, 20, { after: ["x"] }), step("b", 21, 30, { after: ["x"] })];
  expect(parallels(steps)).toEqual([]);
});

test("branches of a race are parallel to each other and not to what is outside", () => {
  const steps = [
    step("slow", 10, 90, { branch: { race: "first", name: "slow" } }),
    step("fast", 10, 40, { branch: { race: "first", name: "fast" } }),
    step("outside", 10, 40),
  ];
  expect(parallels(steps).map((group) => ids(group.steps))).toEqual([["slow", "fast"]]);
});

test("an open sibling overlaps all that began after it", () => {
  const steps = [step("a", 10, null, { after: ["x"] }), step("b", 9000, null, { after: ["x"] })];
  expect(parallels(steps)).toHaveLength(1);
});

test("1,000 equal branches are one fan-out that counts them", () => {
  const steps = [step("load", 0, 90), ...fan("charge:", 1000, [211, 512, 890])];
  const [found, ...more] = fanOuts(parallels(inOrder(steps)));
  expect(more).toEqual([]);
  expect(found?.prefix).toBe("charge:");
  expect(tally(found?.steps ?? [])).toEqual({ total: 1000, ok: 997, failed: 3, open: 0, other: 0 });
  expect(ids(failedFirst(found?.steps ?? []).slice(0, 4))).toEqual([
    "charge:211",
    "charge:512",
    "charge:890",
    "charge:0",
  ]);
});

test("8 siblings are shown one by one, and 9 of two prefixes too", () => {
  expect(fanOuts(parallels(fan("charge:", 8)))).toEqual([]);
  expect(fanOuts(parallels([...fan("a:", 5), ...fan("b:", 5)]))).toEqual([]);
});

test.each([
  ["restock:sku-0001", "restock:"],
  ["page-00017", "page-"],
  ["mail/7/send", "mail/"],
  ["charge#3", "charge#"],
  ["reserve", "reserve"],
  [":odd", ":odd"],
])("the prefix of %s is %s", (name, prefix) => {
  expect(prefixOf(name)).toBe(prefix);
});

test("a fan-out is running while one member is, and failed once one failed", () => {
  const ended = fan("a:", 3, [1]);
  expect(fanOutStatus(ended)).toBe("failed");
  expect(fanOutStatus([...ended, step("a:3", 0, null)])).toBe("running");
  expect(fanOutStatus(fan("a:", 3))).toBe("completed");
});
