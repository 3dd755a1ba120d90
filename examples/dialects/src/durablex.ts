/**
 * Orders as one writes them for Durablex: every sort of step there is, alone and side by side, in two apps. Only the
 * import is another one.
 */

import { app, client, unchecked } from "stepwell";
import { workflow } from "stepwell/dialects/durablex";
import type { Checks } from "./checks.ts";
import { until } from "./checks.ts";

/** An order, as it comes. */
interface Order {
  readonly orderId: string;
  readonly amount: number;
  /** When the subscription renews: ISO 8601. */
  readonly renewsAt: string;
}

const bank = {
  charged: [] as string[],
  async charge(orderId: string, amount: number) {
    this.charged.push(orderId);
    return { tx: `tx-${orderId}`, amount };
  },
};

const people = new Map([["u-1", { name: "Ada", plan: "plus", mails: true }]]);
const person = (id: string) => people.get(id) ?? { name: "nobody", plan: "none", mails: false };

/** Says whether an order may be paid. */
export const fraudCheck = workflow(
  { name: "order.fraud-check", input: unchecked<{ orderId: string }>() },
  async (ctx) => {
    const { orderId } = ctx.event.data;
    const score = await ctx.step.run("score", () => orderId.length);
    return { ok: score < 40, app: ctx.app };
  },
);

/** Two apps have a workflow of this name. */
const shopCharge = workflow({ name: "charge" }, async (ctx) => `${ctx.app} charged`);
const billingCharge = workflow(
  { name: "charge", input: unchecked<{ orderId: string }>() },
  async (ctx) => `${ctx.app} charged ${ctx.event.data.orderId} on ${ctx.runner}`,
);

/** Writes to people; an event starts it. */
export const notify = workflow(
  {
    name: "notify",
    input: unchecked<{ orderId: string; kind: string }>(),
    triggers: [{ event: "notification.requested" }],
  },
  async (ctx) => `${ctx.event.name}: ${ctx.event.data.orderId} ${ctx.event.data.kind}`,
);

/** An order from the payment to the parcel. */
export const fulfil = workflow({ name: "order.fulfil", input: unchecked<Order>() }, async (ctx) => {
  const { orderId, amount, renewsAt } = ctx.event.data;
  const [user, prefs, plan] = await Promise.all([
    ctx.step.run("user", () => person("u-1").name),
    ctx.step.run("prefs", () => ({ mails: person("u-1").mails })),
    ctx.step.run("plan", () => person("u-1").plan),
  ]);
  const charge = await ctx.step.run("charge", { orderId, amount }, (input) =>
    bank.charge(input.orderId, input.amount),
  );
  await ctx.step.sleep("wait-for-settlement", "50ms");
  await ctx.step.sleep("a moment", 20);
  await ctx.step.sleepUntil("resume-on-renewal", renewsAt);
  await ctx.step.sleepUntil("long past", new Date(0));
  const verdict = await ctx.step.runWorkflow("fraud", {
    name: "order.fraud-check",
    data: { orderId },
  });
  const second = await ctx.step.runWorkflow("second charge", {
    name: "charge",
    app: "billing",
    runner: "billing",
    data: { orderId },
  });
  const approval = await ctx.step.waitForEvent("await-approval", {
    event: "order.approved",
    timeout: "24h",
  });
  if (approval === null) return { status: "expired" };
  const silence = await ctx.step.waitForEvent("a second one", {
    event: "order.approved",
    timeout: 20,
  });
  await ctx.step.emit("notify", {
    name: "notification.requested",
    app: "shop",
    data: { orderId, kind: "shipped" },
  });
  const ship = await ctx.step.run("ship", () => `parcel for ${charge.tx}`);
  return { status: "shipped", user, prefs, plan, verdict, second, by: approval.by, silence, ship };
});

/** The apps of this program. */
export const shop = app("shop", { workflows: [fulfil, fraudCheck, shopCharge, notify] });
export const billing = app("billing", { workflows: [billingCharge] });

/** Takes an order, approves it, and looks at what became of it. */
export async function program(checks: Checks): Promise<void> {
  await using _shop = await shop.serve({ log: false, handleSignals: false });
  const runner = { log: false, handleSignals: false, runner: "billing" } as const;
  await using _billing = await billing.serve(runner);
  const stepwell = client();
  const orderId = `o-${Date.now()}`;
  const renewsAt = new Date(Date.now() + 200).toISOString();
  const run = await stepwell.start(fulfil, { orderId, amount: 4200, renewsAt });
  await until(
    async () => (await run.show()).steps,
    (steps) => steps.some(({ id, status }) => id === "await-approval" && status === "waiting"),
  );
  await stepwell.send("order.approved", { by: "grace" });
  checks.is("what the order gives", await run.wait(), {
    status: "shipped",
    user: "Ada",
    prefs: { mails: true },
    plan: "plus",
    verdict: { ok: true, app: "shop" },
    second: `billing charged ${orderId} on billing`,
    by: "grace",
    silence: null,
    ship: `parcel for tx-${orderId}`,
  });
  checks.is("times that the card was charged", bank.charged, [orderId]);
  const { steps } = await run.show();
  const inputs = steps.filter(({ input }) => input !== null).map(({ id, input }) => [id, input]);
  checks.is("the inputs that are recorded", Object.fromEntries(inputs), {
    charge: { orderId, amount: 4200 },
    "wait-for-settlement": { duration: "50ms" },
    "a moment": { duration: "20ms" },
    "resume-on-renewal": { until: `${renewsAt.slice(0, -1)}000Z` },
    "long past": { until: "1970-01-01T00:00:00.000000Z" },
    fraud: { workflow: "order.fraud-check", input: { orderId } },
    "second charge": { workflow: "charge", app: "billing", runner: "billing", input: { orderId } },
    "await-approval": { event: "order.approved", timeout: "1d", since: "parked" },
    "a second one": { event: "order.approved", timeout: "20ms", since: "parked" },
    notify: {
      event: "notification.requested",
      app: "shop",
      data: { orderId, kind: "shipped" },
    },
  });
  const started = await until(
    async () => (await stepwell.list({ workflow: "notify", status: "completed" })).runs,
    (runs) => runs.length > 0,
  );
  const outputs = started.map(async ({ id }) => await stepwell.run(id).wait());
  const wanted = `notification.requested: ${orderId} shipped`;
  checks.is("the event has started a run", (await Promise.all(outputs)).includes(wanted), true);
}
