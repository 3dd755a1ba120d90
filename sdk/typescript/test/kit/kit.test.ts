import { describe, expect, it } from "vitest";
import { z } from "zod";
import {
  app,
  event,
  InputError,
  RefusedError,
  RetryAfterError,
  RunNotEndedError,
  unchecked,
  type Workflow,
  workflow,
} from "../../src/index.js";
import {
  CrashError,
  crashEverywhere,
  DivergenceError,
  replay,
  Test,
  type TestRun,
} from "../../src/test/index.js";
import { rejectionOf, thrownBy } from "../support.js";

const month = workflow({ name: "month", input: unchecked<string>() }, async ({ input, step }) => {
  await step.sleep("a month", "30 days");
  return await step.run("mail", () => `reminded ${input}`);
});

function counting(): { readonly calls: string[]; readonly count: Workflow<"count", null, number> } {
  const calls: string[] = [];
  const count = workflow({ name: "count", input: unchecked<null>() }, async ({ step }) => {
    const call = (id: string, n: number) => (): number => {
      calls.push(id);
      return n;
    };
    const one = await step.run("one", call("one", 1));
    const [two] = await Promise.all([step.run("two", call("two", 2)), step.sleep("nap", "1h")]);
    await step.skip("gift");
    return one + two + (await step.run("three", call("three", 3)));
  });
  return { calls, count: count as Workflow<"count", null, number> };
}

describe("a test", () => {
  /** §2: time passes when the test says so. */
  it("has a clock of its own", async () => {
    await using test = await Test.of(app("shop", { workflows: [month] }));
    const begun = test.now;
    const run = await test.start("month", "Ada");
    await test.advance("29d23h");
    expect(run.status).toBe("waiting");
    const error = thrownBy(() => run.output());
    expect(RunNotEndedError.is(error) && error.message).toContain("step `a month` is sleeping");
    await test.advance("1h");
    expect(run.output()).toBe("reminded Ada");
    expect(test.now.getTime() - begun.getTime()).toBe(30 * 86_400_000);
  });

  /** §6.2: an instant is read by the clock of the test, as a duration is. */
  it.each([
    { why: "an instant", after: (now: Date) => new Date(now.getTime() + 3_600_000) },
    { why: "a duration", after: () => "1h" as const },
  ])("sets an attempt by its own clock: $why", async ({ after }) => {
    let now = new Date(0);
    const begun: number[] = [];
    const limited = workflow({ name: "limited" }, ({ step }) =>
      step.run("ask", ({ attempt }) => {
        begun.push(attempt);
        if (attempt === 1) throw new RetryAfterError(after(now));
      }),
    );
    await using test = await Test.of(app("shop", { workflows: [limited] }));
    now = test.now;
    const run = await test.start("limited");
    await test.advance("59m59s");
    expect(begun).toEqual([1]);
    await test.advance("1s");
    expect([begun, run.status]).toEqual([[1, 2], "completed"]);
  });

  /** §12: a trigger that no server takes is refused here too. */
  it("refuses triggers over a limit", async () => {
    const match = Array.from({ length: 256 }, (_, n) => n);
    const many = workflow({ name: "many", triggers: [{ event: "e", match }] }, () => undefined);
    const error = await rejectionOf(Test.of(app("shop", { workflows: [many] })));
    expect(String(error)).toContain("workflow `many`: a trigger on `e`: the match has 257 values");
  });

  /** §4.1: what is saved is not done again; §4.2: what is not, is. */
  it("kills the process where it is told to", async () => {
    for (const [at, called] of [
      ["beforeFunction", ["one", "two", "three"]],
      ["beforeSend", ["one", "two", "two", "three"]],
      ["beforeAcknowledgement", ["one", "two", "three"]],
      ["afterAcknowledgement", ["one", "two", "three"]],
    ] as const) {
      const { calls, count } = counting();
      await using test = await Test.of(app("shop", { workflows: [count] }));
      test.crashAt(at, "two");
      const run = await test.start("count", null);
      await test.crash();
      await test.advance("1h");
      expect([run.output(), calls]).toEqual([6, called]);
    }
  });

  it("gives results in place of functions", async () => {
    const { calls, count } = counting();
    const test = await Test.of(app("shop", { workflows: [count] }));
    const two = test.mockStep("two", ({ attempt }) => {
      if (attempt === 1) throw new Error("not yet");
      return 20;
    });
    test.mockStep("one", 10);
    const run = await test.start("count", null);
    await test.advance("2h");
    expect([run.output(), calls, two.calls]).toEqual([33, ["three"], 2]);
    expect(run.step("two")).toMatchObject({ attempts: 2, status: "completed" });
    await test.end();
  });

  it("fails where what was asked for never came", async () => {
    const test = await Test.of(app("shop", { workflows: [month] }));
    await test.start("month", "Ada");
    test.mockStep("charge", 1);
    test.mockStep("refund", 1).optional();
    test.crashAfter("ship");
    expect(await rejectionOf(test.end())).toHaveProperty(
      "message",
      "step `charge` was mocked and never came; no crash: step `ship` never came to it; " +
        "the steps that came: `a month`",
    );
    await test.end();
  });

  /** §2.4: what a wait is given is checked by the schema of its event. */
  it("fails a run whose wait is given what does not fit, and says where", async () => {
    const paid = event("paid", z.object({ cents: z.number() }));
    const order = workflow({ name: "order" }, async ({ step }) => {
      return await step.waitForEvent("payment", { event: paid });
    });
    await using test = await Test.of(app("shop", { workflows: [order] }));
    const [good, bad] = [await test.start("order"), await test.start("order")];
    await test.send("paid", { cents: 5, by: "Ada" }, { run: good.id });
    await test.send("paid", { cents: "5" }, { run: bad.id });
    expect(good.output()).toEqual({ cents: 5 });
    expect(bad.history().error).toMatchObject({
      name: "InputError",
      message: expect.stringContaining(
        "step `payment`: the data of event `paid` does not fit at `$.cents`",
      ),
    });
  });

  /** §4.8, §9.1: starts are refused as a server refuses them. */
  it("refuses starts as a server does", async () => {
    const checked = { "~standard": { version: 1, vendor: "test", validate: refuse } } as const;
    const strict = workflow({ name: "strict", input: checked }, () => undefined);
    await using test = await Test.of(app("shop", { workflows: [month, strict] }));
    const first = await test.start("month", "Ada", { key: "k" });
    expect((await test.start("month", "Ada", { key: "k" })).id).toBe(first.id);
    const other = await rejectionOf(test.start("month", "Bob", { key: "k" }));
    expect(RefusedError.is(other) && other.code).toBe("SW2004");
    const unknown = await rejectionOf(test.start(month.name.concat("s") as "month", "Ada"));
    expect(RefusedError.is(unknown) && unknown.code).toBe("SW2002");
    expect(InputError.is(await rejectionOf(test.start("strict", 1 as never)))).toBe(true);
    const later = await test.start("month", "Bob", { delay: "1h", timeout: "1h" });
    await test.advance("61m");
    expect(later.step("a month").status).toBe("sleeping");
    await test.advance("1h");
    expect(later.status).toBe("timed_out");
    await test.cancel(first);
    expect(first.status).toBe("cancelled");
  });

  /** A function that never ends is left alone after a while; its time limit ends it. */
  it("goes on without a function that hangs", async () => {
    const hangs = workflow({ name: "hangs" }, ({ step }) =>
      step.run("hangs", () => new Promise(() => undefined), { timeout: "1m", retry: false }),
    );
    await using test = await Test.of(app("shop", { workflows: [hangs] }), { patience: 10 });
    const run = await test.start("hangs");
    await test.advance("59s");
    expect(run.status).toBe("running");
    await test.advance("1s");
    expect(run.step("hangs").status).toBe("timed_out");
  });
});

function refuse(): { readonly issues: readonly [{ readonly message: string }] } {
  return { issues: [{ message: "no" }] };
}

describe("crashes everywhere", () => {
  /** §4.1: four moments of a function, two of a step without one. */
  it("finds every moment, and demands the same outcome", async () => {
    const report = await crashEverywhere(
      () => app("shop", { workflows: [counting().count] }),
      async (test) => {
        const run = await test.start("count", null);
        await test.advance("1h");
        expect(run.output()).toBe(6);
      },
    );
    expect(String(report)).toBe("16 crash points, the same outcome at each");
    expect(report.points[0]).toBe("step `one`: before its function");
  });

  /** §2.3: what a handler takes from elsewhere is not the same after a crash. */
  it("tells where a handler is not the same on replay", async () => {
    const drifts = (): Workflow<"drifts"> => {
      let calls = 0;
      return workflow({ name: "drifts" }, async ({ step }) => {
        const n = calls++;
        await step.run("one", () => 1);
        await step.run("two", () => n);
      });
    };
    const play = crashEverywhere(
      () => app("shop", { workflows: [drifts()] }),
      async (test) => void (await test.start("drifts")),
    );
    const error = await rejectionOf(play);
    if (!(error instanceof CrashError)) throw error;
    expect(error.point).toBe("step `one`: before its function");
    expect(error.message).toContain(
      "run 1, step `two`: completed 0 without the crash, completed 1 with it",
    );
  });

  it("tells that a scenario fails by itself", async () => {
    const play = crashEverywhere(
      () => app("shop", { workflows: [month] }),
      async (test) => expect((await test.start("month", "Ada")).status).toBe("completed"),
    );
    const error = await rejectionOf(play);
    expect(String(error)).toContain("the scenario fails without any crash:");
    expect(error).toHaveProperty("point", undefined);
  });
});

describe("replay", () => {
  async function history(time: string): Promise<ReturnType<TestRun["history"]>> {
    await using test = await Test.of(app("shop", { workflows: [counting().count] }));
    const run = await test.start("count", null);
    await test.advance(time as "1h");
    return run.history();
  }

  async function diverges(
    time: string,
    handler: Parameters<typeof workflow>[1],
  ): Promise<readonly [string | undefined, string]> {
    const changed = app("shop", { workflows: [workflow({ name: "count" }, handler)] });
    const error = await rejectionOf(replay(changed, await history(time)));
    if (!(error instanceof DivergenceError)) throw error;
    return [error.stepId, error.message];
  }

  /** §4.1: the same code follows its histories, whole and in part, and no function is called. */
  it("is followed by the same code", async () => {
    const { calls, count } = counting();
    const same = app("shop", { workflows: [count] });
    expect(await replay(same, await history("2h"))).toEqual({ steps: 5, hasEnded: true });
    const half = JSON.parse(JSON.stringify(await history("1m")));
    expect(await replay(same, half)).toEqual({ steps: 3, hasEnded: false });
    expect(calls).toEqual([]);
  });

  /** §5.4: ends of one instant are given to the code in the order in which the run was given them. */
  it("keeps the order of ends", async () => {
    const both = workflow({ name: "both" }, async ({ step }) => {
      const order: string[] = [];
      const call = async (id: string, millis: number): Promise<void> => {
        await step.run(id, () => new Promise((resolve) => setTimeout(resolve, millis)));
        order.push(id);
      };
      await Promise.all([call("slow", 20), call("quick", 1)]);
      return order;
    });
    const shop = app("shop", { workflows: [both] });
    await using test = await Test.of(shop);
    const run = await test.start("both");
    expect(run.output()).toEqual(["quick", "slow"]);
    const history = JSON.parse(JSON.stringify(run.history()));
    expect(await replay(shop, history)).toEqual({ steps: 2, hasEnded: true });
  });

  /** §4.10, §5.4: new steps, missing ones, other kinds, another order, another end are told. */
  it("tells where code goes another way", async () => {
    expect(
      await diverges("1m", async ({ step }) => {
        await step.run("check", () => 1);
      }),
    ).toEqual([
      "check",
      "the code asks for step `check`, which the history does not have; it has not asked for `one`, `two`, which the history has",
    ]);
    expect(
      await diverges("2h", async ({ step }) => {
        await step.run("one", () => 1);
        await step.sleep("nap", "1h");
        await step.skip("gift");
        return 3 + ((await step.run("three", () => 3)) as number);
      }),
    ).toEqual(["two", "the code ends without asking for `two`, which the history has"]);
    expect(await diverges("2h", ({ step }) => step.sleep("one", "1s"))).toEqual([
      "one",
      "step `one` is recorded as `run`, the code asks for `sleep`",
    ]);
    expect(
      await diverges("2h", async ({ step }) => {
        await step.run("three", () => 3);
        await step.run("one", () => 1);
        await Promise.all([step.run("two", () => 2), step.sleep("nap", "1h")]);
        await step.skip("gift");
        return 6;
      }),
    ).toEqual(["three", "the code waits for step `three` before `one`, whose end is earlier"]);
    const [, why] = await diverges("2h", async ({ step }) => {
      await step.run("one", () => 1);
      await Promise.all([step.run("two", () => 2), step.sleep("nap", "1h")]);
      await step.skip("gift");
      await step.run("three", () => 3);
      return 7;
    });
    expect(why).toBe("the code gives 7 where the history gives 6");
  });

  it("tells what is no history", async () => {
    const same = app("shop", { workflows: [month] });
    expect(String(await rejectionOf(replay(same, {} as never)))).toContain("no history of a run");
    expect(String(await rejectionOf(replay(same, await history("1m"))))).toContain(
      "app `shop` has no workflow `count`",
    );
  });
});
