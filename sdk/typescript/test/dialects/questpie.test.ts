import { describe, expect, it } from "vitest";
import { z } from "zod";
import { StepSuspendError, workflow } from "../../src/dialects/questpie/index.js";
import {
  ArgumentError,
  app,
  ChildTimeoutError,
  StepError,
  StepTimeoutError,
  StepwellError,
} from "../../src/index.js";
import { Test } from "../../src/test/index.js";
import { rejectionOf, thrownBy } from "../support.js";

const fail = (): never => {
  throw new RangeError("no");
};
const hang = (): Promise<never> => new Promise(() => undefined);

describe("a workflow of QUESTPIE", () => {
  /** §13.1: `schema`, `handler`, and options in front of the function. */
  it("has its options in front of the function", async () => {
    const greets = workflow({
      name: "greets",
      schema: z.object({ who: z.string(), times: z.number().default(2) }),
      handler: async ({ input, step, ctx }) => {
        const one = await step.run("bare", async () => input.who);
        const two = await step.run("options", { metadata: { a: 1 } }, ({ attempt }) => attempt);
        return [one, two, input.times, ctx.workflow];
      },
    });
    await using test = await Test.of(app("shop", { workflows: [greets] }));
    expect((await test.start("greets", { who: "ada" })).output()).toEqual(["ada", 1, 2, "greets"]);
    const error = await rejectionOf(test.start("greets", {} as never));
    expect(String(error)).toContain("InputError");
  });

  /** §13.5: one attempt; where there are more, the pauses between them are of one length. */
  it("tries a step once unless it says more, with a constant backoff", async () => {
    const at: number[] = [];
    const tries = workflow({
      name: "tries",
      handler: async ({ step }) => {
        const once = await rejectionOf(step.run("once", fail));
        const retry = { maxAttempts: 4, backoff: "10s" } as const;
        const four = await rejectionOf(
          step.run("four", { retry }, () => {
            at.push(test.now.getTime());
            return fail();
          }),
        );
        return [once, four].map((error) => StepError.is(error) && error.attempts);
      },
    });
    await using test = await Test.of(app("shop", { workflows: [tries] }));
    const run = await test.start("tries");
    await test.advance("30s");
    expect(run.output()).toEqual([1, 4]);
    expect(at.map((one) => one - (at[0] ?? 0))).toEqual([0, 10_000, 20_000, 30_000]);
  });

  /** §13.7: a step whose time is over throws an error of a name of its own, which is the native one too. */
  it("throws a StepSuspendError where the time of a step is over", async () => {
    const suspends = workflow({
      name: "suspends",
      handler: async ({ step }) => {
        const error = await rejectionOf(step.run("hangs", { timeout: "30s" }, hang));
        if (!(error instanceof StepSuspendError)) throw error;
        const plain = await rejectionOf(step.run("fails", fail));
        const raced = await rejectionOf(
          step.race("race", {
            hangs: (one) => one.run("hangs too", { timeout: "1s" }, hang),
            long: (one) => one.sleep("long", "1h"),
          }),
        );
        return [
          [StepSuspendError, StepTimeoutError, StepError, StepwellError].map((one) =>
            one.is(error),
          ),
          [error instanceof StepTimeoutError, error instanceof StepError],
          [error.name, error.stepId, error.attempts, error.runId?.startsWith("run_")],
          [StepSuspendError.is(plain), StepError.is(plain)],
          [StepTimeoutError, StepSuspendError].map(({ is }) => is((raced as Error).cause)),
          error.stack?.split("\n").slice(0, 2).join("\n"),
        ];
      },
    });
    await using test = await Test.of(app("shop", { workflows: [suspends] }), { patience: 20 });
    const run = await test.start("suspends");
    await test.advance("30s");
    await test.advance("1s");
    expect(run.output()).toEqual([
      [true, true, true, true],
      [true, true],
      ["StepSuspendError", "hangs", 1, true],
      [false, true],
      [true, true],
      // The place is the code that awaits the step, and none of the package.
      expect.stringMatching(
        /^StepSuspendError: step `hangs` timed out after 1 attempt.*\n.* at .*\/test\/support\.ts/,
      ),
    ]);
  });

  /** §13.7: the time is that of the step and not of an attempt, unless both are said. */
  it("bounds a step with all of its attempts", async () => {
    const began: string[] = [];
    const slow = (id: string) => (): Promise<never> => {
      began.push(id);
      return hang();
    };
    const bounds = workflow({
      name: "bounds",
      handler: async ({ step }) => {
        const retry = { maxAttempts: 3, backoff: "20s" } as const;
        const ends = await Promise.allSettled([
          step.run("fails", { timeout: "30s", retry }, fail),
          step.run("hangs", { timeout: "30s", retry }, slow("hangs")),
          step.run("each", { timeout: "30s", totalTimeout: "1h", retry }, slow("each")),
        ]);
        return ends.map(
          (end) => end.status === "rejected" && [end.reason.name, end.reason.attempts],
        );
      },
    });
    await using test = await Test.of(app("shop", { workflows: [bounds] }), { patience: 20 });
    const run = await test.start("bounds");
    await test.advance("31s");
    expect(["fails", "hangs", "each"].map((id) => run.step(id).status)).toEqual([
      "timed_out",
      "timed_out",
      "retrying",
    ]);
    await test.advance("10m");
    expect(run.output()).toEqual([
      ["StepSuspendError", 2],
      ["StepSuspendError", 1],
      ["StepSuspendError", 3],
    ]);
    expect(began.filter((id) => id === "each")).toHaveLength(3);
  });

  /** §13.7: uncaught, it fails the run under its name. */
  it("fails a run by its name where nobody catches it", async () => {
    const suspends = workflow({
      name: "suspends",
      handler: ({ step }) => step.run("hangs", { timeout: "30s" }, hang),
    });
    await using test = await Test.of(app("shop", { workflows: [suspends] }), { patience: 20 });
    const run = await test.start("suspends");
    await test.advance("30s");
    expect(run.history().error).toMatchObject({ name: "StepSuspendError" });
    expect(run.step("hangs").status).toBe("timed_out");
  });

  /** §13.8: steps are taken back, newest first, only where the workflow has `onFailure`; by their results. */
  it.each([
    { has: "onFailure", seen: ["undo credit:2", "undo debit:1", "told RangeError: no, 2 done"] },
    { has: "nothing", seen: [] },
  ])("takes back where it has $has", async ({ has, seen }) => {
    const did: string[] = [];
    const transfer = workflow({
      name: "transfer",
      handler: async ({ step }) => {
        const undo = {
          compensateUnknown: () => void did.push("lost"),
        };
        await step.run(
          "debit",
          { ...undo, compensate: (n) => void did.push(`undo debit:${n}`) },
          () => 1,
        );
        await step.run("credit", { compensate: (n) => void did.push(`undo credit:${n}`) }, () => 2);
        await step.run("fails", fail);
      },
      ...(has === "onFailure" && {
        onFailure: ({ error, completedSteps }: Parameters<OnFailure>[0]) => {
          const { name, message } = error.cause ?? error;
          did.push(`told ${name}: ${message}, ${completedSteps.length} done`);
        },
      }),
    });
    await using test = await Test.of(app("shop", { workflows: [transfer] }));
    const run = await test.start("transfer");
    expect([run.status, did]).toEqual(["failed", seen]);
  });

  /** §13.3, §13.4: a wait looks back to the start of the run, and gives null when its time is over. */
  it("waits from the start of the run on", async () => {
    const waits = workflow({
      name: "waits",
      handler: async ({ step }) => {
        await step.sleep("nap", "1h");
        return [
          await step.waitForEvent("back", { event: "go", match: { n: 1 }, timeout: "48h" }),
          await step.waitForEvent("late", { event: "go", timeout: "1h" }),
        ];
      },
    });
    await using test = await Test.of(app("shop", { workflows: [waits] }));
    const run = await test.start("waits");
    await test.send("go", { n: 1 });
    await test.advance("3h");
    expect(run.output()).toEqual([{ n: 1 }, null]);
  });

  /** §13.1: children by name and by value, with a time limit; events. */
  it("invokes children and sends events", async () => {
    const child = workflow({
      name: "child",
      schema: z.object({ n: z.number() }),
      handler: async ({ input, step }) => {
        if (input.n > 1) await step.sleep("long", "1 day");
        return { of: input.n };
      },
    });
    const parent = workflow({
      name: "parent",
      handler: async ({ step }) => {
        const one = await step.invoke("by name", { workflow: "child", input: { n: 0 } });
        const two = await step.invoke("by value", { workflow: child, input: { n: 1 } });
        const late = await rejectionOf(
          step.invoke("late", { workflow: "child", input: { n: 2 }, timeout: "1h" }),
        );
        const sent = await step.sendEvent("tell", {
          event: "told",
          data: { a: 1 },
          match: { order: "o" },
        });
        const own = await step.waitForEvent("own", { event: "told", match: { order: "o" } });
        return [one, two, ChildTimeoutError.is(late), sent ?? "nothing", own, "emit" in step];
      },
    });
    await using test = await Test.of(app("shop", { workflows: [parent, child] }));
    const run = await test.start("parent");
    await test.advance("1h");
    expect(run.output()).toEqual([{ of: 0 }, { of: 1 }, true, "nothing", { a: 1 }, false]);
  });

  it("refuses what it does not know, by name", async () => {
    const handler = (): number => 1;
    const refused = (options: object): string =>
      String(thrownBy(() => workflow(options as never))).replace("ArgumentError: ", "");
    expect(refused({ name: "a", handler, input: z.string() })).toContain(
      "workflow `a` has no option `input`; it has: name, output,",
    );
    expect(refused({ name: "a", handler, schema: 7 })).toContain(
      "workflow `a`: `schema` is no schema",
    );
    expect(refused({ name: "a" })).toContain("workflow `a` has no handler; accepted: workflow({");
    const says: string[] = [];
    const wrong = workflow({
      name: "wrong",
      handler: async ({ step }) => {
        for (const made of [
          step.run("a", fail as never, { retry: { maxAttempts: 2 } } as never),
          step.run("b", { retries: 2 } as never, fail),
          step.run("c", { retry: 3 } as never, fail),
          step.run("d", null as never, fail),
          step.run("e", { compensateUnknown: () => undefined }, fail),
        ]) {
          const error = await rejectionOf(made);
          says.push(ArgumentError.is(error) ? (error.message.split(";")[0] ?? "") : String(error));
        }
      },
    });
    await using test = await Test.of(app("shop", { workflows: [wrong] }));
    expect((await test.start("wrong")).status).toBe("completed");
    expect(says).toEqual([
      "step `a` has something behind its function",
      "step `b` has no option `retries`",
      "step `c`: retry is 3",
      "step `d`: options are null",
      "step `e` has `compensateUnknown` without `compensate`",
    ]);
  });
});

type OnFailure = NonNullable<Parameters<typeof workflow>[0]["onFailure"]>;
