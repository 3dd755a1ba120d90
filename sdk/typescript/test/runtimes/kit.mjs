/** The test kit: its clock, mocks and crashes depend on how a runtime orders timers and microtasks. */

import { app, event, NestedStepError, RaceLostError, StepError, workflow } from "stepwell";
import * as durablex from "stepwell/dialects/durablex";
import { loop } from "stepwell/dialects/loops";
import * as questpie from "stepwell/dialects/questpie";
import { CrashError, crashEverywhere, matches, replay, Test } from "stepwell/test";
import { rejection, run, same } from "./cases.mjs";

const approved = event("approved");

const order = workflow({ name: "order" }, async ({ input, step, ctx }) => {
  const [charge, label] = await Promise.all([
    step.run("charge", ({ attempt }) => {
      if (attempt < input.good) throw new Error("the bank is closed");
      return { tx: `t-${attempt}` };
    }),
    step.run("label", async () => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      return "label";
    }),
  ]);
  const won = await step.race("who", {
    ann: async (one) =>
      await one.waitForEvent("approval", { event: approved, match: { by: "ann" } }),
    late: async (one) => {
      await one.sleep("too late", "2 days");
      return null;
    },
  });
  await step.sleep("cool", "1h");
  const id = await step.run("ship", () => "shipped");
  return { ...charge, label, won, id, at: ctx.now() };
});

const saga = workflow({ name: "saga" }, async ({ step, ctx }) => {
  await step.run("reserve", () => 7, { compensate: (seat) => ctx.deps.undone.push(seat) });
  await step.run("charge", () => Promise.reject(new Error("no money")), { retry: false });
});

/** §5: code that awaits something else than steps between them is given its settles in their order. */
const ordered = workflow({ name: "ordered" }, async ({ step }) => {
  const seen = [];
  const lane = async (name) => {
    for (let n = 1; n <= 3; n++) {
      await step.run(`${name}${n}`, () => n);
      await Promise.resolve().then(() => undefined);
      seen.push(`${name}${n}`);
    }
  };
  await Promise.all([lane("a"), lane("b"), lane("c")]);
  return seen;
});

const nested = workflow({ name: "nested" }, async ({ step }) => {
  const inner = async () => {
    await new Promise((resolve) => setTimeout(resolve, 1));
    return await step
      .run("inner", () => 1)
      .then(
        () => false,
        (error) => NestedStepError.is(error),
      );
  };
  return await Promise.all([step.run("one", inner), step.run("two", inner)]);
});

const broken = workflow({ name: "broken" }, async ({ step, ctx }) => {
  ctx.deps.lives++;
  await step.run("one", () => 1);
  return ctx.deps.lives;
});

const scan = loop({
  name: "scan",
  run: async ({ step }) => (await step.waitForScan({ timeout: "1h" })).gate,
});
const transfer = questpie.workflow({
  name: "transfer",
  handler: async ({ step, ctx }) => {
    const paid = await step.run(
      "debit",
      { compensate: async () => ctx.deps.undone.push(paid.tx) },
      async () => ({ tx: "t" }),
    );
    await step.run("fails", () => Promise.reject(new Error("no")));
  },
  onFailure: ({ completedSteps }) => completedSteps.length,
});
const both = durablex.workflow({ name: "both" }, async ({ step, uuid }) => [
  await step.runWorkflow("scan", { name: "scan" }),
  await step.runWorkflow("transfer", { name: transfer }).catch((error) => error.name),
  await step.run("sum", { n: 1 }, (input) => input.n + 1),
  uuid().length,
]);

await run("kit", {
  "virtual clock: backoff, sleep, race, event": async () => {
    const test = await Test.of(app("shop", { workflows: [order] }));
    const started = await test.start(order, { good: 3 });
    await test.advance("1 min");
    await test.send(approved, { by: "bob" });
    await test.send(approved, { by: "ann" });
    same(started.status, "waiting");
    await test.advance("1h");
    const { at, ...output } = started.output();
    same(output, {
      tx: "t-3",
      label: "label",
      won: { winner: "ann", value: { by: "ann" } },
      id: "shipped",
    });
    same(Date.parse("2026-01-01T01:01:00Z") >= at, true);
    await test.end();
  },

  "mocks and a crash": async () => {
    const test = await Test.of(app("shop", { workflows: [order] }));
    const charge = test.mockStep("charge", ({ attempt }) => ({ tx: `mock-${attempt}` }));
    test.crashAfter("charge");
    const started = await test.start(order, { good: 1 });
    await test.advance("3 days");
    same(started.output().tx, "mock-1");
    same(charge.calls, 1);
    await test.end();
  },

  compensation: async () => {
    const deps = { undone: [] };
    const test = await Test.of(app("shop", { workflows: [saga], deps }));
    const started = await test.start(saga);
    same([started.status, deps.undone], ["failed", [7]]);
    await test.end();
  },

  "crashEverywhere on a workflow that holds": async () => {
    const report = await crashEverywhere(
      () => app("shop", { workflows: [order] }),
      async (test) => {
        await test.start(order, { good: 2 });
        await test.send(approved, { by: "ann" });
        await test.advance("1 day");
      },
    );
    same(report.points.length > 10, true);
  },

  "crashEverywhere on a workflow that does not": async () => {
    const deps = { lives: 0 };
    const error = await rejection(
      crashEverywhere(
        () => app("shop", { workflows: [broken], deps }),
        async (test) => {
          await test.start(broken);
        },
      ),
    );
    same(error instanceof CrashError, true);
  },

  "the order in which code goes on is that of the journal": async () => {
    const shop = app("shop", { workflows: [ordered] });
    const test = await Test.of(shop);
    const history = (await test.start(ordered)).history();
    await test.end();
    for (let n = 0; n < 20; n++) same((await replay(shop, history)).hasEnded, true);
    await crashEverywhere(
      () => shop,
      async (again) => {
        await again.start(ordered);
      },
    );
  },

  "a step inside a step's function is refused, whatever was awaited": async () => {
    const test = await Test.of(app("shop", { workflows: [nested] }));
    const started = await test.start(nested);
    same(started.output(), [true, true]);
    await test.end();
  },

  "workflows in the words of other systems": async () => {
    const deps = { undone: [] };
    const workflows = [scan, transfer, both];
    const test = await Test.of(app("shop", { workflows, deps }));
    const started = await test.start(both);
    await test.send("scan", { gate: 3 });
    same(started.output(), [3, "ChildFailedError", 2, 36]);
    same(deps.undone, ["t"]);
    await test.end();
  },

  "errors are known by their brand, matches by their data": async () => {
    same([StepError.is(new Error("a")), RaceLostError.is(1)], [false, false]);
    same(matches({ a: 1 }, { a: 1, b: 2 }), true);
  },
});
