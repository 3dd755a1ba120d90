import { expect, it } from "vitest";
import { ArgumentError, type Step, StepError, workflow } from "../../src/index.js";
import { World } from "./world.js";

/** What JavaScript, or a type that was asserted, makes of a handle. */
type Loose = { readonly [K in keyof Step]: (...args: unknown[]) => Promise<unknown> };

const TAKES: readonly [string, (step: Loose) => Promise<unknown>, string][] = [
  ["a wait without options", (step) => step.waitForEvent("a"), "{event, match, timeout,"],
  [
    "a wait for a text",
    (step) => step.waitForEvent("a", "paid"),
    "options are paid; accepted: {event",
  ],
  ["an option of a wait", (step) => step.waitForEvent("a", { event: "e", timOut: 1 }), "`timOut`"],
  ["a child without options", (step) => step.invoke("a"), "{workflow, app, runner,"],
  ["an option of a child", (step) => step.invoke("a", { workflow: "w", data: 1 }), "`data`"],
  ["a child's app", (step) => step.invoke("a", { workflow: "w", app: {} }), "app of step `a`"],
  ["a child's runner", (step) => step.invoke("a", { workflow: "w", runner: 7 }), "runner of step"],
  ["an event without options", (step) => step.emit("a"), "{event, data, match, app, run}"],
  ["an option of an event", (step) => step.emit("a", { event: "e", to: 1 }), "`to`"],
  ["an event's run", (step) => step.emit("a", { event: "e", run: {} }), "run of step `a`"],
  ["an event's app", (step) => step.emit("a", { event: "e", app: "\ud83d" }), "app of step `a`"],
  ["a skip for no reason", (step) => step.skip("a", null), "options are null"],
  ["a skip's reason", (step) => step.skip("a", { reason: 7 }), "reason of step `a` is 7"],
  [
    "a skip's text",
    (step) => step.skip("a", "none left"),
    "options are none left; accepted: {reason}",
  ],
  ["no time to sleep", (step) => step.sleep("a"), "undefined is not a duration"],
];

/** §9.1: what is asked for in a wrong way is refused where it is, with what is accepted. */
it.each(TAKES)("%s is refused", async (_, call, says) => {
  let thrown: unknown;
  const handler = workflow({ name: "w" }, async ({ step }) => {
    await call(step as unknown as Loose).catch((error: unknown) => {
      thrown = error;
    });
  });
  const world = await World.of([handler]);
  const a = await world.activate();
  expect(String(thrown)).toContain(says);
  expect(ArgumentError.is(thrown)).toBe(true);
  // Nothing was told of the step.
  expect(world.take()).toEqual([{ finished: { a } }]);
});

/** §6.1: a result whose `then` throws is a failed attempt, as where it rejects. */
it("a thenable that throws fails its attempt", async () => {
  let thrown: unknown;
  const broken = {
    // biome-ignore lint/suspicious/noThenProperty: it is what is tested
    then: () => {
      throw new RangeError("no such thing");
    },
  };
  const handler = workflow({ name: "w" }, async ({ step }) => {
    await step
      .run("a", () => broken, { retry: false })
      .catch((error: unknown) => {
        thrown = error;
      });
  });
  const world = await World.of([handler]);
  const a = await world.activate();
  const [ended] = world.takeOf("ended");
  expect(ended).toMatchObject({ step: "a", error: { name: "RangeError" } });
  await world.say({ settled: { a, step: "a", atUs: 1, status: "failed" } });
  expect(StepError.is(thrown)).toBe(true);
});

/** §2.5: the place that an error shows is the line that asked for the step. */
it("an error that is thrown at once shows who asked", async () => {
  const stacks: string[] = [];
  const keep = (error: Error): void => void stacks.push(error.stack ?? "");
  const askAgain = (step: Step): Promise<unknown> => step.run("a", () => 2);
  const handler = workflow({ name: "w" }, async ({ step }) => {
    void step.run("a", () => 1);
    await askAgain(step).catch(keep);
    await step.run("b", () => askAgain(step).catch(keep)).catch(keep);
  });
  const world = await World.of([handler]);
  await world.activate();
  expect(stacks.length).toBe(2);
  for (const stack of stacks) {
    const [, first = ""] = stack.split("\n");
    expect(first).toMatch(/askAgain .*misuse\.test\.ts/);
    expect(stack.split("\n").length).toBeLessThanOrEqual(1 + Error.stackTraceLimit);
  }
});

/** §5.6: what goes on after the handler has returned gets nothing, and the log says so once. */
it("a step after the handler's end is told of", async () => {
  let late: Step | undefined;
  const world = await World.of([
    workflow({ name: "w" }, ({ step }) => {
      late = step;
    }),
  ]);
  const a = await world.activate();
  let hasSettled = false;
  for (const id of ["one", "two"]) {
    void late
      ?.run(id, () => 1)
      .finally(() => {
        hasSettled = true;
      });
  }
  await world.settle();
  await world.say({ done: { a } });
  expect([hasSettled, world.take()]).toEqual([false, [{ finished: { a } }]]);
  expect(world.lines).toEqual([
    { level: "warn", message: expect.stringContaining("step `one` is asked for after") },
  ]);
});

/** §2.3: a run that was to go on as another one does not complete instead, without a word. */
it("a handler that catches what continueAs throws fails", async () => {
  const quiet = workflow({ name: "w" }, async ({ ctx }) => {
    try {
      ctx.continueAs();
    } catch {}
    return "done";
  });
  const looping = workflow({ name: "w" }, async ({ ctx, step }) => {
    for (let n = 0; ; n++) {
      try {
        ctx.continueAs();
      } catch {
        await step.run(`again ${n}`, () => n);
      }
    }
  });
  const said = "what `ctx.continueAs` throws was caught, so no other run goes on";
  const failed = { error: { name: "NonRetryableError", message: expect.stringContaining(said) } };
  for (const [handler, id] of [[quiet], [looping, "again 0"]] as const) {
    const world = await World.of([handler]);
    const a = await world.activate();
    if (id !== undefined) {
      expect(world.take()).toMatchObject([{ ended: { step: id } }]);
      await world.say({ settled: { a, step: id, atUs: 1 } });
    }
    expect(world.take()).toMatchObject([{ finished: { a, ...failed } }]);
  }
});

/** §2.3: what is done on the way out is no catch. */
it("a step in `finally` is done before the run goes on", async () => {
  const handler = workflow({ name: "w" }, async ({ ctx, step }) => {
    try {
      return ctx.continueAs();
    } finally {
      await step.run("release", () => 1);
    }
  });
  const world = await World.of([handler]);
  const a = await world.activate();
  expect(world.take()).toMatchObject([{ ended: { step: "release" } }]);
  await world.say({ settled: { a, step: "release", atUs: 1 } });
  expect(world.take()).toEqual([{ finished: { a, continueAs: {} } }]);
});
