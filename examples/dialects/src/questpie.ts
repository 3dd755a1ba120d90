/**
 * A transfer and an order as one writes them for QUESTPIE: options in the middle, steps that are taken back where a
 * later one fails, children, events. Only the import is another one.
 */

import { app, client } from "stepwell";
import { StepSuspendError, steps, workflow } from "stepwell/dialects/questpie";
import { z } from "zod";
import { type Checks, until } from "./checks.ts";

/** What happened in the world, in its order. */
export const diary: string[] = [];

/** A ledger: it knows two accounts. */
export const accounts = {
  cents: new Map([
    ["ada", 10_000],
    ["bob", 0],
  ]),
  async move(name: string, amount: number): Promise<void> {
    const before = this.cents.get(name);
    if (before === undefined) throw new Error(`no account ${name}`);
    this.cents.set(name, before + amount);
    diary.push(`${name} ${amount > 0 ? "+" : ""}${amount}`);
  },
};

/** Moves money: what was taken is given back where it cannot be paid out. */
const transfer = workflow({
  name: "transfer",
  schema: z.object({ from: z.string(), to: z.string(), amount: z.number() }),
  handler: async ({ input, step }) => {
    const hold = await step.run(
      "hold",
      {
        compensate: async () => {
          diary.push(`released ${hold.id}`);
        },
      },
      async () => ({ id: `hold-${input.from}` }),
    );
    await step.run(
      "debit",
      {
        compensate: async () => {
          await accounts.move(input.from, input.amount);
        },
      },
      async () => {
        await accounts.move(input.from, -input.amount);
      },
    );
    await step.run("credit", async () => {
      await accounts.move(input.to, input.amount);
    });
    return "moved";
  },
  onFailure: async ({ error, completedSteps }) => {
    const names = completedSteps.map(({ id }) => id).join(", ");
    diary.push(`failed after ${names}: ${error.message.includes("no account")}`);
  },
});

let calls = 0;

/** A call that fails twice and one that hangs; a pause; a child; a person; an event for somebody else. */
export const order = workflow({
  name: "order",
  schema: z.object({ orderId: z.string(), requestId: z.string() }),
  handler: async ({ input, step }) => {
    const quote = await step.run(
      "ask for a quote",
      { timeout: "30s", retry: { maxAttempts: 3, backoff: "20ms" } },
      async () => {
        calls += 1;
        if (calls < 3) throw new Error("the carrier is busy");
        return { cents: 490, calls };
      },
    );
    const slow = await step
      .run("ask the slow one", { timeout: "30ms" }, () => new Promise<never>(() => undefined))
      .catch((error: unknown) => {
        if (!StepSuspendError.is(error)) throw error;
        return error.name;
      });
    await step.sleep("cool-off", "20ms");
    await step.sleepUntil("after-the-epoch", new Date("1970-01-01T00:00:00Z"));
    const weight = await step.invoke("weigh", {
      workflow: "weigh",
      input: { subOrderId: input.orderId },
      timeout: "1h",
    });
    const approval = await step.waitForEvent("wait-for-decision", {
      event: "order.decided",
      match: { requestId: input.requestId },
      timeout: "48h",
    });
    const nothing = await step.waitForEvent("wait-in-vain", {
      event: "order.withdrawn",
      timeout: "20ms",
    });
    if (approval.approved) {
      await step.run("accept", async () => {
        diary.push(`accepted ${input.orderId}`);
      });
    } else {
      await step.run("turn-away", async () => {
        diary.push(`turned ${input.orderId} away`);
      });
    }
    await step.sendEvent("tell-the-counter", {
      event: "order.ready",
      data: { orderId: input.orderId, counter: 42 },
      match: { orderId: input.orderId },
    });
    return { quote, slow, weight, nothing };
  },
});

/** A child. */
export const weigh = workflow({
  name: "weigh",
  schema: z.object({ subOrderId: z.string() }),
  handler: async ({ input, step }) => await step.run("scale", () => input.subOrderId.length * 100),
});

/** Waits for what an order sends. */
export const counter = workflow({
  name: "counter",
  schema: z.object({ orderId: z.string() }),
  handler: async ({ input, step }) =>
    await step.waitForEvent("ready", { event: "order.ready", match: { orderId: input.orderId } }),
});

/** The program's app: workflows of this spelling are workflows as all others are. */
export const bank = app("bank", { workflows: [transfer, order, weigh, counter] });

// biome-ignore lint/style/noDefaultExport: files of workflows are written so
export default transfer;

/** Moves money well and badly, and sees an order through. */
export async function program(checks: Checks): Promise<void> {
  await using _runner = await bank.serve({ log: false, handleSignals: false });
  const stepwell = client({ app: bank });
  await stepwell.startAndWait("transfer", { from: "ada", to: "bob", amount: 2_500 });
  checks.is("after a good transfer", Object.fromEntries(accounts.cents), {
    ada: 7_500,
    bob: 2_500,
  });
  diary.length = 0;
  const bad = await stepwell.start("transfer", { from: "ada", to: "eve", amount: 500 });
  await bad.wait().catch(() => undefined);
  checks.is("a transfer whose second half failed", (await bad.show()).status, "failed");
  checks.is("what happened", diary, [
    "ada -500",
    "ada +500",
    "released hold-ada",
    "failed after hold, debit: true",
  ]);
  await sellsAnOrder(checks);
}

async function sellsAnOrder(checks: Checks): Promise<void> {
  const stepwell = client({ app: bank });
  const [orderId, requestId] = [`o-${Date.now()}`, `r-${Date.now()}`];
  const waits = await stepwell.start("counter", { orderId });
  const run = await stepwell.start("order", { orderId, requestId });
  const waiting = await until(
    async () => steps(await run.show()),
    (rows) => rows.some(({ name, status }) => name === "wait-for-decision" && status === "waiting"),
  );
  checks.is(
    "statuses while it waits",
    waiting.map(({ name, status }) => [name, status]),
    [
      ["ask for a quote", "completed"],
      ["ask the slow one", "failed"],
      ["cool-off", "completed"],
      ["after-the-epoch", "completed"],
      ["weigh", "completed"],
      ["wait-for-decision", "waiting"],
    ],
  );
  await stepwell.send("order.decided", { requestId: "of another one", approved: false });
  await stepwell.send("order.decided", { requestId, approved: true, by: "grace" });
  checks.is("what the order gives", await run.wait(), {
    quote: { cents: 490, calls: 3 },
    slow: "StepSuspendError",
    weight: orderId.length * 100,
    nothing: null,
  });
  checks.is("what was decided", diary.at(-1), `accepted ${orderId}`);
  checks.is("what the counter hears", await waits.wait(), { orderId, counter: 42 });
  const tries = steps(await run.show()).map(({ name, attempts }) => [name, attempts] as const);
  checks.is("attempts of the busy one", Object.fromEntries(tries)["ask for a quote"], 3);
}
