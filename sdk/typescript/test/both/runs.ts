/** Behaviours of runs, played on the stand-in and on a real server. */

import { ChildCancelledError, ChildFailedError, ChildTimeoutError, workflow } from "stepwell";
import { expect } from "vitest";
import { type Behaviour, never } from "./behaviour.js";
import { comes, ended } from "./stage.js";

const back = {
  compensate: (_: unknown, { log }: { log: { info(text: string): void } }) => log.info("undone"),
};
const failing = { retry: false } as const;

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(new Error("stopped")));
  });
}

const saga = workflow(
  {
    name: "saga",
    onFailure: ({ error, completedSteps, uncertainSteps, run }, { log }) => {
      const steps = completedSteps.map(({ id, output }) => ({ id, output }));
      log.info(JSON.stringify([error.name, error.message, steps, uncertainSteps, run.status]));
      return "told";
    },
  },
  async ({ step }) => {
    await step.run("one", () => 1, back);
    await Promise.all([
      step.run("two", () => new Promise((resolve) => setTimeout(resolve, 60, 2)), back),
      step.run("three", () => 3, back),
    ]);
    await step.run("bad undo", () => 4, {
      compensate: () => Promise.reject(new TypeError("cannot")),
      retry: failing.retry,
    });
    await step.run("five", () => Promise.reject(new RangeError("no")), failing);
  },
);

const closes = workflow({ name: "closes" }, async ({ step }) => {
  const seat = await step.run("seat", () => ({ row: 7 }), {
    compensate: (_, { log }) => log.info(`row ${seat.row}`),
  });
  const [paid] = await Promise.all([
    step.run("pay", () => ({ tx: "t" }), {
      compensate: (_, { log }) => log.info(`tx ${paid.tx}`),
    }),
    step.sleep("nap", "30ms"),
  ]);
  await step.run("fails", () => Promise.reject(new Error("no")), failing);
});

const uncertain = workflow({ name: "uncertain", onFailure: () => undefined }, async ({ step }) => {
  await Promise.all([
    step.run("hangs", () => new Promise(() => undefined), back),
    step.run("hangs too", () => new Promise(() => undefined), {
      ...back,
      compensateUnknown: ({ outcome }, { log }) => log.info(outcome),
    }),
    step.run("returns", ({ signal }) => aborted(signal).catch(() => "late"), back),
    step
      .sleep("a while", "100ms")
      .then(() => step.run("fails", () => Promise.reject(new Error("no")), failing)),
  ]);
});

const long = workflow({ name: "long" }, async ({ step }) => {
  await step.run("first", () => 1, back);
  await step.waitForEvent("waits", { event: "none" });
});
const cleaned = workflow(
  { name: "cleaned", compensateOnCancel: true, onFailure: () => "told" },
  async ({ step }) => {
    await step.run("first", () => 1, back);
    await Promise.all([
      step.waitForEvent("waits", { event: "none" }),
      step.run("works", ({ signal }) => aborted(signal), failing),
    ]);
  },
);
const late = workflow({ name: "late", timeout: "150ms" }, async ({ step }) => {
  await step.run("first", () => 1, back);
  await step.sleep("sleeps", "1h");
});

/** Cancels a run from inside of its code: see `Stage.cancelNow`. */
let cancelNow: (run: string) => void = never;
const overtaken = workflow(
  { name: "overtaken", compensateOnCancel: true, onFailure: () => "told" },
  async ({ step }) => {
    await step.race("limit", {
      pay: (one) =>
        one.run(
          "charge",
          async ({ signal, ctx }) => {
            cancelNow(ctx.runId);
            return await aborted(signal).catch(() => "charged");
          },
          back,
        ),
      long: (one) => one.sleep("long", "1h"),
    });
  },
);

const twice = workflow(
  { name: "twice", retry: { maxAttempts: 3, backoff: "30ms", jitter: false } },
  async ({ step, ctx }) => {
    const kept = await step.run("kept", () => "kept");
    const nap = await step.sleep("nap", "10ms").then(() => "slept");
    await step.run(
      "fails at first",
      ({ ctx: { deps } }) => {
        const world = deps as { left: number };
        if (world.left-- > 0) throw new Error("not yet");
      },
      failing,
    );
    return [kept, nap, ctx.key ?? null];
  },
);

const child = workflow({ name: "child" }, async ({ input, step }) => {
  if (input === "fail") throw new RangeError("the child is broken");
  if (input === "wait") await step.waitForEvent("waits", { event: "none" });
  return { of: input };
});
const parent = workflow({ name: "parent" }, async ({ step }) => {
  const of = async (
    id: string,
    options: { input?: unknown; timeout?: string; workflow?: string },
  ) =>
    await step
      .invoke(id, { workflow: "child", ...options } as never)
      .catch((error: Error) => [
        error.name,
        ChildFailedError.is(error) || ChildTimeoutError.is(error),
        error.message.replace(/run_[0-9a-f]+/, "a run"),
      ]);
  return [
    await of("works", { input: 1 }),
    await of("fails", { input: "fail" }),
    await of("is late", { input: "wait", timeout: "50ms" }),
    await of("is nobody", { workflow: "nobody" }),
  ];
});
const above = workflow({ name: "above" }, async ({ step }) => {
  const both = await Promise.allSettled([
    step.invoke("first", { workflow: child, input: "wait" }),
    step.invoke("second", { workflow: child, input: "wait" }),
  ]);
  return both.map((one) => one.status === "rejected" && ChildCancelledError.is(one.reason));
});

const chain = workflow({ name: "chain" }, async ({ input, step, ctx }) => {
  const { n } = input as { n: number };
  ctx.setSearch({ n });
  await step.run("count", () => n);
  const seen = await step.waitForEvent("seen", {
    event: "tick",
    timeout: n === 1 ? "1h" : "50ms",
  });
  if (n < 3) ctx.continueAs({ n: n + 1 });
  return seen;
});
const chains = workflow({ name: "chains" }, ({ step }) =>
  step.invoke("chain", { workflow: chain, input: { n: 1 } }),
);

const triggered = workflow(
  {
    name: "triggered",
    triggers: [
      { event: "order", match: { paid: true } },
      { event: "order", match: { id: 7 } },
    ],
  },
  async ({ input, ctx, step }) => {
    const own = await step.waitForEvent("own", { event: "order", timeout: "30ms" });
    return [input, ctx.event?.name, own];
  },
);
const looks = workflow({ name: "looks" }, async ({ step }) => {
  await step.waitForEvent("go", { event: "go" });
  const wait = { event: "note", timeout: "30ms" } as const;
  return [
    await step.waitForEvent("oldest", wait),
    await step.waitForEvent("next", wait),
    await step.waitForEvent("parked", { ...wait, since: "parked" }),
    await step.waitForEvent("back", { ...wait, since: "1h", match: { n: 0 } }),
    await Promise.all([
      step.waitForEvent("both 1", { event: "both" }),
      step.waitForEvent("both 2", { event: "both", match: { to: [2] } }),
    ]),
  ];
});

const lost = workflow({ name: "lost" }, async ({ step, ctx }) => {
  const world = ctx.deps as { replays: number };
  const isFirst = world.replays++ === 0;
  if (isFirst) await step.run("taken out", () => 1, back);
  await step.run("fails", () => Promise.reject(new Error("no")), failing);
});

/** See above. */
export const RUN_BEHAVIOURS: readonly Behaviour[] = [
  {
    name: "§7.1–§7.4: a run that fails is taken back, and told",
    workflows: [saga],
    play: async (stage) => void (await ended(stage, await stage.start("saga"))),
  },
  {
    name: "§7.3, §7.5: what takes a step back uses what its code was given",
    workflows: [closes],
    play: async (stage) => {
      const { logs } = await ended(stage, await stage.start("closes"));
      expect(logs).toEqual(["compensate pay info tx t", "compensate seat info row 7"]);
    },
  },
  {
    name: "§7.2: what does not return in time is told, or taken back without its result",
    workflows: [uncertain],
    play: async (stage) => void (await ended(stage, await stage.start("uncertain"))),
  },
  {
    name: "§7.1, §7.3: cancelled runs, with clean-up and without; and a deadline",
    workflows: [long, cleaned, late],
    play: async (stage) => {
      for (const name of ["long", "cleaned"]) {
        const run = await stage.start(name);
        await comes(stage, run, "waits", "waiting");
        await stage.cancel(run);
        await ended(stage, run);
        await stage.cancel(run);
      }
      await ended(stage, await stage.start("late"));
    },
  },
  {
    name: "§5.5, §7.2: what returns in a race that a cancel overtook is recorded, and taken back",
    workflows: [overtaken],
    play: async (stage) => {
      cancelNow = (run) => stage.cancelNow(run);
      const { logs } = await ended(stage, await stage.start("overtaken"));
      expect(logs).toEqual(["compensate charge info undone"]);
    },
  },
  {
    name: "§6.5: a handler runs again, and keeps what completed",
    workflows: [twice],
    deps: () => ({ left: 1 }),
    play: async (stage) => {
      await ended(stage, await stage.start("twice", null, { key: "k" }));
    },
  },
  {
    name: "§6.5: a handler that never works fails in the end",
    workflows: [twice],
    deps: () => ({ left: 9 }),
    play: async (stage) => void (await ended(stage, await stage.start("twice"))),
  },
  {
    name: "§9.2, §9.3: children work, fail, are late, and are not there",
    workflows: [parent, child],
    play: async (stage) => void (await ended(stage, await stage.start("parent"))),
  },
  {
    name: "§7.7, §9.3: a child that is cancelled, and children of a parent that is",
    workflows: [above, child],
    play: async (stage) => {
      const run = await stage.start("above");
      await comes(stage, run, "second", "waiting");
      for (const one of (await stage.runs()).slice(1)) await stage.cancel(one);
      await ended(stage, run);
      const again = await stage.start("above");
      await comes(stage, again, "second", "waiting");
      await stage.cancel(again);
      await ended(stage, again);
    },
  },
  {
    name: "§2.3, §8.4: a chain of runs, and what its waits took",
    workflows: [chains, chain],
    play: async (stage) => {
      const run = await stage.start("chains");
      await comes(stage, run, "chain", "waiting");
      await stage.send("tick", 1);
      await ended(stage, run);
    },
  },
  {
    name: "§8.1, §8.3, §8.7: events start workflows, each once",
    workflows: [triggered],
    play: async (stage) => {
      const orders = [{ id: 7, paid: true }, { id: 8 }, { id: 7 }];
      for (const [n, data] of orders.entries()) {
        await stage.send("order", data, { id: `evt ${JSON.stringify(data)}` });
        await stage.send("order", data, { id: `evt ${JSON.stringify(data)}` });
        // The second starts nothing.
        while ((await stage.runs()).length < (n < 2 ? 1 : 2)) await stage.pass(20);
        for (const run of await stage.runs()) await ended(stage, run);
      }
    },
  },
  {
    name: "§8.4, §8.5: waits look back, and one event wakes several",
    workflows: [looks],
    play: async (stage) => {
      await stage.send("note", { n: 0 });
      const run = await stage.start("looks");
      const other = await stage.start("looks");
      await comes(stage, run, "go", "waiting");
      for (const n of [1, 2, 3]) await stage.send("note", { n });
      await stage.send("go", null, { run });
      await comes(stage, run, "both 2", "waiting");
      await stage.send("both", { to: [1, 2] }, { run });
      await ended(stage, run);
      await comes(stage, other, "go", "waiting");
    },
  },
  {
    name: "§7.5: what the code does not reach any more blocks the run",
    workflows: [lost],
    deps: () => ({ replays: 0 }),
    play: async (stage) => void (await ended(stage, await stage.start("lost"))),
  },
];
