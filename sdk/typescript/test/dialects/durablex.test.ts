import { describe, expect, it } from "vitest";
import { z } from "zod";
import { workflow } from "../../src/dialects/durablex/index.js";
import * as native from "../../src/index.js";
import { ArgumentError, app, event, ref, type StepError, unchecked } from "../../src/index.js";
import { Test } from "../../src/test/index.js";
import { rejectionOf, thrownBy } from "../support.js";

const fail = (): never => {
  throw new RangeError("no");
};

describe("a workflow of Durablex", () => {
  /** §13.1: the input is the data of the event that began the run. */
  it("finds its input, and the event that began it", async () => {
    const placed = workflow(
      {
        name: "placed",
        input: z.object({ order: z.string() }),
        triggers: [{ event: "order.placed" }],
      },
      async (ctx) => [ctx.event, ctx.event.data.order, ctx.runId.startsWith("run_")],
    );
    await using test = await Test.of(app("shop", { workflows: [placed] }));
    const run = await test.start("placed", { order: "o-1" });
    expect(run.output()).toEqual([{ name: "placed", data: { order: "o-1" } }, "o-1", true]);
    const id = await test.send("order.placed", { order: "o-2" });
    expect(test.runs()[1]?.output()).toEqual([
      { name: "order.placed", id, data: { order: "o-2" } },
      "o-2",
      true,
    ]);
  });

  /** §13.1: the context is the native one: what it gives is the same on replay. */
  it("has the native context", async () => {
    const drawn: unknown[] = [];
    const draws = workflow.withDeps<{ shop: string }>()({ name: "draws" }, async (ctx) => {
      drawn.push([ctx.now(), ctx.random(), ctx.uuid(), ctx.deps.shop, ctx.app, ctx.workflow]);
      ctx.setSearch({ n: 1 });
      ctx.log.info("drawn");
      await ctx.step.sleep("nap", "1h");
      if (ctx.event.data !== 2) ctx.continueAs(2);
      return "last";
    });
    const shop = app("shop", { workflows: [draws], deps: { shop: "ours" } });
    await using test = await Test.of(shop);
    const run = await test.start("draws");
    await test.crash();
    await test.advance("2h");
    expect(run.output()).toBe("last");
    expect([run.search(), run.logs().map(({ message }) => message)]).toEqual([{ n: 1 }, ["drawn"]]);
    expect(drawn.length).toBeGreaterThan(2);
    expect(drawn[1]).toEqual(drawn[0]);
    expect(drawn[0]).toMatchObject({ 3: "ours", 4: "shop", 5: "draws" });
  });

  /** §13.1: an input is recorded, and is the first that the function is given. */
  it("hands a recorded input to the function", async () => {
    const charges = workflow({ name: "charges" }, async ({ step }) => [
      await step.run("bare", () => 1),
      await step.run("attempt", ({ attempt }) => attempt),
      await step.run("charge", { cents: 4200 }, (input, info) => [input, info.input, info.attempt]),
    ]);
    await using test = await Test.of(app("shop", { workflows: [charges] }));
    const run = await test.start("charges");
    expect(run.output()).toEqual([1, 1, [{ cents: 4200 }, { cents: 4200 }, 1]]);
    expect(run.steps().map(({ input }) => input)).toEqual([null, null, { cents: 4200 }]);
  });

  /** §13.5 */
  it("tries a step once unless it says more", async () => {
    const tries = workflow({ name: "tries" }, async ({ step }) => {
      const policy = { retry: { maxAttempts: 2, backoff: "1s" } } as const;
      const ends = await Promise.allSettled([
        step.run("bare", fail),
        step.run("bare with input", 1, fail),
        step.run("twice", fail, policy),
        step.run("twice with input", 1, fail, policy),
      ]);
      return ends.map((end) => end.status === "rejected" && (end.reason as StepError).attempts);
    });
    await using test = await Test.of(app("shop", { workflows: [tries] }));
    const run = await test.start("tries");
    await test.advance("1h");
    expect(run.output()).toEqual([1, 1, 2, 2]);
  });

  /** §13.3, §13.4: a wait gives null when its time is over, and does not look back. */
  it("waits from now on, and gives null when its time is over", async () => {
    const go = event("go", unchecked<number>());
    const waits = workflow({ name: "waits" }, async ({ step }) => {
      await step.sleep("nap", "1h");
      const late = await step.waitForEvent("late", { event: "go", timeout: "1h" });
      const back = await step.waitForEvent("back", { event: go, since: "runStart" });
      const next = await step.waitForEvent("next", { event: "go", match: { n: 2 } });
      return [late, back, next];
    });
    await using test = await Test.of(app("shop", { workflows: [waits] }));
    const run = await test.start("waits");
    await test.send("go", 1);
    await test.advance("2h");
    expect(run.step("late")).toMatchObject({
      status: "timed_out",
      input: { event: "go", timeout: "1h", since: "parked" },
    });
    expect(run.step("back").output).toBe(1);
    await test.send("go", { n: 1 });
    await test.send("go", { n: 2 });
    expect(run.output()).toEqual([null, 1, { n: 2 }]);
  });

  /** §13.1: children by name, by value and by reference; a failure of one is thrown. */
  it("runs workflows as children", async () => {
    const child = workflow({ name: "child", input: unchecked<number>() }, ({ event }) => {
      if (event.data < 0) throw new RangeError("below zero");
      return { of: event.data };
    });
    const parent = workflow({ name: "parent" }, async ({ step }) => [
      await step.runWorkflow("by name", { name: "child", data: 1 }),
      await step.runWorkflow("by value", { name: child, data: 2, app: "shop", runner: "shop" }),
      await step.runWorkflow("by ref", { name: ref<typeof child>("child"), data: 3 }),
      await step
        .runWorkflow("fails", { name: "child", data: -1 })
        .catch((error: unknown) => native.ChildFailedError.is(error)),
    ]);
    await using test = await Test.of(app("shop", { workflows: [parent, child] }));
    const run = await test.start("parent");
    expect(run.output()).toEqual([{ of: 1 }, { of: 2 }, { of: 3 }, true]);
    expect(run.step("by value").input).toEqual({
      workflow: "child",
      app: "shop",
      runner: "shop",
      input: 2,
    });
  });

  /** §13.1: an event is sent by its `name`, and nothing comes back. */
  it("emits events", async () => {
    const emits = workflow({ name: "emits" }, async ({ step }) => {
      const none = await step.emit("tell", { name: "told", data: { a: 1 }, app: "shop" });
      return [none ?? "nothing", await step.waitForEvent("own", { event: "told", since: "1h" })];
    });
    await using test = await Test.of(app("shop", { workflows: [emits] }));
    const run = await test.start("emits");
    expect(run.output()).toEqual(["nothing", { a: 1 }]);
    expect(run.step("tell").input).toEqual({ event: "told", data: { a: 1 }, app: "shop" });
  });

  /** §13.1: branches of a race have the dialect's steps. */
  it("races branches that have its steps", async () => {
    const races = workflow({ name: "races" }, async ({ step }) => {
      const won = await step.race("first", {
        input: async (one) => await one.run("input", { n: 4 }, ({ n }) => n),
        late: (one) => one.waitForEvent("late", { event: "none" }),
      });
      return ["invoke" in step, won];
    });
    await using test = await Test.of(app("shop", { workflows: [races] }));
    expect((await test.start("races")).output()).toEqual([false, { winner: "input", value: 4 }]);
  });

  it("refuses what it does not know, by name", async () => {
    expect(String(thrownBy(() => workflow({ name: "a", timout: 1 } as never, fail)))).toContain(
      "workflow `a` has no option `timout`",
    );
    expect(String(thrownBy(() => workflow({ name: "a" }, 7 as never)))).toContain(
      "workflow `a` has no handler; accepted: workflow(options, async (ctx) => …)",
    );
    const says: string[] = [];
    const wrong = workflow({ name: "wrong" }, async ({ step }) => {
      for (const made of [
        step.runWorkflow("a", { name: "b", input: 1 } as never),
        step.emit("c", { event: "e" } as never),
        step.run("d", fail, { retries: 3 } as never),
        step.waitForEvent("e", null as never),
        step.race("f", null as never),
      ]) {
        const error = await rejectionOf(made);
        says.push(ArgumentError.is(error) ? (error.message.split(";")[0] ?? "") : String(error));
      }
      // Nobody awaits it: it ends no process.
      void step.emit("g", {} as never);
    });
    await using test = await Test.of(app("shop", { workflows: [wrong] }));
    expect((await test.start("wrong")).status).toBe("completed");
    expect(says).toEqual([
      "step `a` has no option `input`",
      "step `c` has no option `event`",
      "step `d` has no option `retries`",
      "step `e`: options are null",
      "race `f` has no branch",
    ]);
  });
});
