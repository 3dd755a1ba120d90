import { expect, test } from "vitest";
import { byApp, type Runner, readRunners, workflowOf } from "./runners.ts";

const runner = (more: Partial<Runner>): Runner => ({
  app: "shop",
  name: "blue",
  instance: "i-1",
  sdk: "rust/0.1.0",
  build: null,
  connectedAt: "2026-11-22T08:00:00.000000Z",
  seenAt: "2026-11-22T08:00:00.000000Z",
  slots: 10,
  busy: 2,
  held: 3,
  draining: false,
  workflows: [],
  ...more,
});

test("instances stand under their app, by name, with their slots added up", () => {
  const apps = byApp([
    runner({ app: "shop", name: "b", busy: 1 }),
    runner({ app: "bank" }),
    runner({ app: "shop", name: "a" }),
  ]);
  expect(apps.map(({ app, slots, busy }) => [app, slots, busy])).toEqual([
    ["bank", 10, 2],
    ["shop", 20, 3],
  ]);
  expect(apps[1]?.runners.map((one) => one.name)).toEqual(["a", "b"]);
});

test("a workflow that runs in two versions at once is marked in both", () => {
  const [shop] = byApp([
    runner({ workflows: ["checkout@1", "refund@1"], build: "old" }),
    runner({ workflows: ["checkout@2", "refund@1"], build: "new" }),
  ]);
  const mixed = shop?.runners.map((one) => one.runs.map((run) => run.isMixed));
  expect(mixed).toEqual([
    [true, false],
    [true, false],
  ]);
  expect(shop?.builds).toEqual(["new", "old"]);
});

test("the same workflow of two apps is not mixed", () => {
  const apps = byApp([
    runner({ app: "a", workflows: ["x@1"] }),
    runner({ app: "b", workflows: ["x@2"] }),
  ]);
  expect(
    apps.flatMap((app) => app.runners.flatMap((one) => one.runs)).some((run) => run.isMixed),
  ).toBe(false);
});

test("a version is what stands after the first @", () => {
  expect(workflowOf("checkout@2@rc1")).toEqual({ workflow: "checkout", version: "2@rc1" });
  expect(workflowOf("checkout")).toEqual({ workflow: "checkout", version: null });
});

test("an answer of another kind is refused", () => {
  expect(() => readRunners({ runs: [] })).toThrow(TypeError);
});
