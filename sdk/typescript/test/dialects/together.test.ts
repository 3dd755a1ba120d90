import { expect, it } from "vitest";
import { z } from "zod";
import * as durablex from "../../src/dialects/durablex/index.js";
import { loop } from "../../src/dialects/loops/index.js";
import * as questpie from "../../src/dialects/questpie/index.js";
import { app, type Workflow, workflow } from "../../src/index.js";
import { crashEverywhere, replay, Test } from "../../src/test/index.js";

const scan = loop({
  name: "scan",
  input: z.object({ parcel: z.string() }),
  async run({ step, input }) {
    const won = await step.race("first", {
      scan: async (one) => {
        await one.do("look", () => input.parcel);
        return (await one.waitForScan()).gate;
      },
      late: (one) => one.sleep("late", "1 day"),
    });
    return won.value;
  },
});
const check = workflow({ name: "check" }, async ({ step }) => await step.run("score", () => 3));
const transfer = questpie.workflow({
  name: "transfer",
  schema: z.object({ cents: z.number() }),
  handler: async ({ input, step }) => {
    const paid: { tx: string } = await step.run(
      "debit",
      { retry: { maxAttempts: 2, backoff: "1s" }, compensate: () => void undone.push(paid.tx) },
      ({ attempt }) => {
        if (attempt === 1) throw new Error("not yet");
        return { tx: "t-1" };
      },
    );
    if (input.cents > 500) await step.run("credit", () => Promise.reject(new Error("no")));
    await step.sendEvent("tell", { event: "paid", data: { tx: paid.tx } });
    return paid;
  },
  onFailure: () => "told",
});
const order = durablex.workflow(
  { name: "order", input: z.object({ parcel: z.string(), cents: z.number() }) },
  async ({ step, event }) => {
    const { parcel, cents } = event.data;
    const [gate, paid, score] = await Promise.all([
      step.runWorkflow("scan", { name: scan, data: { parcel } }),
      step.runWorkflow("pay", { name: "transfer", data: { cents } }).catch(() => "not paid"),
      step.runWorkflow("check", { name: check }),
    ]);
    return await step.run("sum", { gate, paid, score }, (input) => input);
  },
);

let undone: string[] = [];
const shop = app("shop", { workflows: [scan, check, transfer, order] });

async function play(test: Test<typeof shop>, cents: number): Promise<unknown> {
  const run = await test.start("order", { parcel: "p", cents });
  await test.advance("1m");
  await test.send("scan", { gate: 3 });
  await test.advance("1h");
  return run.output();
}

/** §13.1: workflows of several dialects and native ones stand in one app, and run each other. */
it("dialects and native workflows mix, and replay as they ran", async () => {
  await using test = await Test.of(shop);
  expect(await play(test, 500)).toEqual({ gate: 3, paid: { tx: "t-1" }, score: 3 });
  for (const run of test.runs()) {
    const history = JSON.parse(JSON.stringify(run.history()));
    expect((await replay(shop, history)).hasEnded).toBe(true);
  }
});

/** §4.9, §13.1: whenever a process dies, code in a dialect comes to the same end. */
it("code in dialects outlives crashes at every moment", async () => {
  for (const [cents, backs] of [
    [500, []],
    [501, ["t-1"]],
  ] as const) {
    const report = await crashEverywhere(
      () => shop,
      async (test) => {
        undone = [];
        await play(test, cents);
        expect(new Set(undone)).toEqual(new Set(backs));
      },
    );
    expect(report.points.length).toBeGreaterThan(30);
  }
});

/** The same function in each dialect, and with `atMostOnce`, which says what becomes of a lost start. */
const once = { onUnknown: "throw" } as const;
function charging(calls: string[]): Workflow[] {
  const charge = (id: string) => (): string => {
    calls.push(id);
    return "paid";
  };
  const settled = async (all: readonly Promise<unknown>[]): Promise<unknown[]> => {
    const ends = await Promise.allSettled(all);
    return ends.map((end) => (end.status === "fulfilled" ? end.value : end.reason.name));
  };
  return [
    loop({
      name: "loops",
      run: ({ step }) =>
        settled([
          step.do("plain", charge("plain")),
          step.do("literal", charge("literal"), { atMostOnce: once }),
        ]),
    }),
    durablex.workflow({ name: "durablex" }, ({ step }) =>
      settled([
        step.run("plain", charge("plain")),
        step.run("literal", charge("literal"), { atMostOnce: once }),
      ]),
    ),
    questpie.workflow({
      name: "questpie",
      handler: ({ step }) =>
        settled([
          step.run("plain", charge("plain")),
          step.run("literal", { atMostOnce: once }, charge("literal")),
        ]),
    }),
  ];
}

/** §13.6: a step completes once, though its function may be called again; with `atMostOnce` it is not. */
it.each(["loops", "durablex", "questpie"])("a step of %s completes at most once", async (name) => {
  const calls: string[] = [];
  await using test = await Test.of(app("shop", { workflows: charging(calls) }));
  test.crashAt("beforeSend", "plain");
  test.crashAt("beforeSend", "literal");
  const run = await test.start(name);
  await test.crash();
  await test.advance("1h");
  expect(run.output()).toEqual(["paid", "OutcomeUnknownError"]);
  expect(
    run
      .steps()
      .map(({ status }) => status)
      .sort(),
  ).toEqual(["completed", "unknown"]);
  expect(calls.filter((id) => id === "literal")).toHaveLength(1);
  expect(calls.filter((id) => id === "plain").length).toBeGreaterThan(1);
});
