import { app, ChildFailedError, client, type RunHandle, ref, workflow } from "stepwell";
import { hasServer, TestServer } from "stepwell/test";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { rejectionOf } from "../support.js";
import { stepIs } from "./shown.js";

const calls: string[] = [];
const failing = { retry: false } as const;

const order = workflow({ name: "order" }, async ({ input, step }) => {
  const { orderId, renewsAt } = input as { orderId: string; renewsAt: string };
  const charge = await step.run("charge", { orderId, amount: 4200 }, ({ input: given }) => {
    calls.push(`charge ${given.orderId}`);
    return { id: `ch_${given.orderId}`, amount: given.amount };
  });
  await step.sleep("settle", "50ms");
  await step.sleepUntil("renewal", renewsAt);
  await step.sleepUntil("past", new Date(0));
  await step.sleepUntil("past too", 1);
  const ship = await step.run("ship", () => `ship ${charge.id}`);
  await step.emit("notify", {
    event: "notification.requested",
    data: { orderId, kind: "shipped" },
  });
  return { charge, ship };
});

const approval = workflow({ name: "approval" }, async ({ step }) => {
  const given = await step.waitForEvent("await-approval", {
    event: "order.approved",
    timeout: "24h",
    since: "parked",
  });
  const late = await step.waitForEvent("late", { event: "order.approved", timeout: 20 });
  return [given, late];
});

const notify = workflow(
  { name: "notify", triggers: [{ event: "notification.requested" }] },
  ({ input, ctx }) => [ctx.event?.name ?? null, input],
);

const fraud = workflow({ name: "fraud" }, ({ ctx, input }) => {
  if (input === "bad") throw new RangeError("fraud");
  return `${ctx.app} checked ${input}`;
});

const checks = workflow({ name: "checks" }, async ({ step }) => [
  await step.invoke("own", { workflow: fraud, input: "a" }),
  await step.invoke("pinned", { workflow: ref("fraud"), app: "billing", input: "b" }),
  await step.invoke("other", { workflow: ref("invoice"), input: "c" }),
]);
const cascades = workflow({ name: "cascades" }, ({ step }) =>
  step.invoke("fraud", { workflow: fraud, input: "bad" }),
);

const together = workflow({ name: "together" }, async ({ step }) => {
  const begun = new Set<string>();
  const meet = (id: string) => async (): Promise<string> => {
    begun.add(id);
    // Each waits for the others: one after the other they would never end.
    while (begun.size < 3) await new Promise((resolve) => setTimeout(resolve, 1));
    return id;
  };
  const late = async (): Promise<string> => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    return await step.run("late", () => "late");
  };
  return await Promise.all([
    step.run("user", meet("user")),
    step.run("prefs", meet("prefs")),
    step.run("plan", meet("plan")),
    step.sleep("nap", "30ms"),
    step.waitForEvent("none", { event: "none", timeout: "40ms" }),
    late(),
  ]);
});

const oneFails = workflow({ name: "one fails" }, async ({ step }) => {
  await Promise.all([
    step.run("fails", () => Promise.reject(new Error("no")), {
      retry: { maxAttempts: 2, backoff: 1 },
    }),
    step.sleep("sleeps", "1h"),
    step.run(
      "works",
      ({ signal }) => new Promise((done) => signal.addEventListener("abort", done)),
    ),
  ]);
});
const settled = workflow({ name: "settled" }, async ({ step }) => {
  const all = await Promise.allSettled([
    step.run("fails", () => Promise.reject(new Error("no")), failing),
    step.sleep("sleeps", "50ms").then(() => step.run("after", () => "after")),
  ]);
  return all.map(({ status }) => status);
});

const shop = app("shop", {
  workflows: [order, approval, notify, fraud, checks, cascades, together, oneFails, settled],
});
const invoice = workflow({ name: "invoice" }, ({ ctx, input }) => `${ctx.app} invoiced ${input}`);
const billing = app("billing", { workflows: [fraud, invoice] });

describe.skipIf(!hasServer())("the building blocks of runs", { timeout: 120_000 }, () => {
  let server: TestServer;
  let stop: (() => Promise<void>)[] = [];

  beforeAll(async () => {
    server = await TestServer.start({ args: ["--linger", "50ms"] });
    const options = { url: server.url, log: false } as const;
    stop = [(await shop.serve(options)).stop, (await billing.serve(options)).stop];
  }, 60_000);

  afterAll(async () => {
    for (const one of stop) await one();
    await server?.stop();
  });

  const start = async (name: string, input?: unknown): Promise<RunHandle> =>
    await client({ url: server.url }).start(ref(name), input, { app: "shop" });

  /** §2, §3.4, §5.1: steps run top to bottom; what has a meaningful input records it. */
  it("run, sleep, sleep until and emit one after the other", async () => {
    const renewsAt = new Date(Date.now() + 100).toISOString();
    const run = await start("order", { orderId: "o-7", renewsAt });
    expect(await run.wait()).toEqual({
      charge: { id: "ch_o-7", amount: 4200 },
      ship: "ship ch_o-7",
    });
    const { steps } = await run.show();
    expect(steps.map(({ id }) => id)).toEqual([
      "charge",
      "settle",
      "renewal",
      "past",
      "past too",
      "ship",
      "notify",
    ]);
    expect(steps.slice(0, 2).map(({ input }) => input)).toEqual([
      { orderId: "o-7", amount: 4200 },
      { duration: "50ms" },
    ]);
    expect(Date.parse(steps[2]?.completedAt ?? "")).toBeGreaterThanOrEqual(Date.parse(renewsAt));
    expect(calls).toEqual(["charge o-7"]);
    // §8.3: the event has started a run, with its data as the input.
    const stepwell = client({ url: server.url });
    await expect
      .poll(async () => (await stepwell.list({ workflow: "notify" })).runs.length, {
        timeout: 10_000,
      })
      .toBe(1);
    const [notified] = (await stepwell.list({ workflow: "notify" })).runs;
    expect(await stepwell.run(notified?.id ?? "").wait()).toEqual([
      "notification.requested",
      { orderId: "o-7", kind: "shipped" },
    ]);
  });

  /** §8.4, §8.5, §8.6: what came before it was parked is nothing to a wait; an event resumes every run. */
  it("wait for an event, or for null", async () => {
    const stepwell = client({ url: server.url });
    await stepwell.send("order.approved", { by: "too early" });
    const runs = [await start("approval"), await start("approval")];
    for (const run of runs) await stepIs(run, "await-approval", "waiting");
    await stepwell.send("order.approved", { by: "ada" });
    for (const run of runs) expect(await run.wait()).toEqual([{ by: "ada" }, null]);
  });

  /** §9.2, §9.3: a name is looked up in the own app, then in others; `app` says which; failures cascade. */
  it("invoke workflows of the own app, of a named one, and of another", async () => {
    expect(await (await start("checks")).wait()).toEqual([
      "shop checked a",
      "billing checked b",
      "billing invoiced c",
    ]);
    const run = await start("cascades");
    const error = (await rejectionOf(run.wait())) as Error;
    expect(ChildFailedError.is(error.cause) && error.cause.message).toContain("fraud");
  });

  /** §5.2: branches of all kinds run at the same time; one that awaits something else is still right. */
  it("run side by side", async () => {
    const run = await start("together");
    expect(await run.wait()).toEqual(["user", "prefs", "plan", null, null, "late"]);
    const { steps } = await run.show();
    const first = steps.filter(({ after }) => after.length === 0).map(({ id }) => id);
    expect(first).toEqual(expect.arrayContaining(["nap", "none", "plan", "prefs", "user"]));
  });

  /** §5.3: one branch that fails for good ends the run, nothing is left; `allSettled` lets all finish. */
  it("end together where one fails, or all finish", async () => {
    const run = await start("one fails");
    await rejectionOf(run.wait());
    const status = Object.fromEntries(
      (await run.show()).steps.map((step) => [step.id, step.status]),
    );
    expect(status).toMatchObject({ fails: "failed", sleeps: "cancelled" });
    expect(["cancelled", "completed"]).toContain(status.works);
    expect(await (await start("settled")).wait()).toEqual(["rejected", "fulfilled"]);
  });
});
