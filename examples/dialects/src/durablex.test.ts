/** Everything that the page of Durablex about steps says: docs/coming-from/durablex.md lists it. */

import { setTimeout } from "node:timers/promises";
import { app, client, type RunHandle, type Runner, ref, unchecked } from "stepwell";
import { stepStatus, workflow } from "stepwell/dialects/durablex";
import { hasServer, TestServer } from "stepwell/test";
import { afterAll, beforeAll, describe, expect, expectTypeOf, it } from "vitest";
import { Checks, until } from "./checks.ts";
import { billing, fulfil, program, shop } from "./durablex.ts";
import { Gate, rejectionOf, stepIs } from "./support.ts";

let gate = new Gate();
const calls: string[] = [];
const called = <T>(name: string, value: T): T => {
  calls.push(name);
  return value;
};

/** The example of the order of steps: pay, let it settle, ship. */
const settled = workflow({ name: "settled" }, async (ctx) => {
  const charge = await ctx.step.run("charge", () =>
    called("charge", { tx: "t", at: Math.random() }),
  );
  await ctx.step.sleep("settle", "4s");
  const ship = await ctx.step.run("ship", () => called("ship", `parcel of ${charge.tx}`));
  return { charge, ship };
});

const inputs = workflow({ name: "inputs" }, async (ctx) => {
  await ctx.step.run("bare", () => ctx.event.data);
  const both = await ctx.step.run("given", { orderId: "o-1", amount: 4200 }, (input, info) => [
    input.orderId,
    input.amount,
    info.attempt,
  ]);
  await ctx.step.sleep("short", 5);
  await ctx.step.sleepUntil("past", 1);
  await ctx.step.emit("tell", { name: "told", data: { kind: "shipped" } });
  await ctx.step.waitForEvent("wait", { event: "never", timeout: "15ms" });
  await ctx.step.runWorkflow("child", { name: "echo", data: { orderId: "o-1" } });
  return both;
});
const echo = workflow({ name: "echo" }, async (ctx) => {
  if (ctx.event.data === "bad") throw new RangeError("not this one");
  if (ctx.event.data === "slow") await ctx.step.run("hangs", () => gate.pass());
  return { app: ctx.app, runner: ctx.runner, data: ctx.event.data ?? null };
});

const returns = workflow({ name: "returns" }, async (ctx) => [
  (await ctx.step.sleep("sleep", 1)) === undefined,
  (await ctx.step.sleepUntil("date", new Date(0))) === undefined,
  (await ctx.step.sleepUntil("text", "2001-01-01T00:00:00Z")) === undefined,
  (await ctx.step.sleepUntil("number", 1)) === undefined,
  (await ctx.step.emit("emit", { name: "nobody.hears" })) === undefined,
  await ctx.step.waitForEvent("wait", { event: "never", timeout: 10 }),
]);

const misused = workflow({ name: "misused" }, async (ctx) => {
  if (ctx.event.data === "twice") {
    await ctx.step.run("same", () => 1);
    await ctx.step.run("same", () => 2);
  }
  if (ctx.event.data === "no JSON") await ctx.step.run("big", () => 7n as never);
  if (ctx.event.data === "throws") {
    await ctx.step.run("throws", () => {
      called("throws", 0);
      throw new Error("no");
    });
  }
});

/** An id that is made of something that changes names another step on the next pass. */
const unstable = workflow({ name: "unstable" }, async (ctx) => {
  await ctx.step.run(`made ${calls.length}`, () => called("made", 1));
  await ctx.step.waitForEvent("wait", { event: "unstable.go" });
  await ctx.step.run("after", () => 2);
});

const until2 = workflow({ name: "until" }, async (ctx) => {
  await ctx.step.sleepUntil("renewal", String(ctx.event.data));
  return "awake";
});

const approval = workflow({ name: "approval" }, async (ctx) => {
  const given = await ctx.step.waitForEvent("await-approval", {
    event: "order.approved",
    timeout: "24h",
  });
  if (given === null) return { status: "expired" };
  return { status: "approved", by: given.by };
});
const expires = workflow({ name: "expires" }, async (ctx) => {
  const given = await ctx.step.waitForEvent("await-approval", { event: "nobody", timeout: "20ms" });
  return given === null ? { status: "expired" } : { status: "approved" };
});

const parents = workflow({ name: "parents" }, async (ctx) => {
  const to = ctx.event.data as { name: string; app?: string; runner?: string; data?: unknown };
  return await ctx.step.runWorkflow("child", to);
});

const emits = workflow({ name: "emits" }, async (ctx) => {
  await ctx.step.emit("both", { name: "stock.changed", data: { sku: "pen" } });
  await ctx.step.emit("one", { name: "price.changed", app: "depot", data: { sku: "lamp" } });
  await ctx.step.emit("wakes", { name: "order.approved", data: { by: "a run" } });
});
const TRIGGERS = [{ event: "stock.changed" }, { event: "price.changed" }];
const hears = workflow({ name: "hears", triggers: TRIGGERS }, async (ctx) => [
  ctx.app,
  ctx.event.name,
  ctx.event.data,
]);

const together = workflow({ name: "together" }, async (ctx) => {
  const begun = new Set<string>();
  const meet = (id: string) => async (): Promise<string> => {
    begun.add(id);
    // Each waits for the others: one after the other they would never end.
    while (begun.size < 3) await setTimeout(1);
    return id;
  };
  const late = async (): Promise<string> => {
    await setTimeout(20);
    return await ctx.step.run("late", () => "late");
  };
  const all = await Promise.all([
    ctx.step.run("user", meet("user")),
    ctx.step.run("prefs", meet("prefs")),
    ctx.step.run("plan", meet("plan")),
    ctx.step.sleep("nap", "30ms").then(() => "slept"),
    ctx.step.waitForEvent("none", { event: "none", timeout: "60ms" }),
    late(),
  ]);
  await ctx.step.run("join", () => "join");
  return all;
});

const oneFails = workflow({ name: "one fails" }, async (ctx) => {
  await Promise.all([
    ctx.step.run(
      "fails",
      () => {
        called("fails", 0);
        throw new Error("no");
      },
      { retry: { maxAttempts: 2, backoff: 1 } },
    ),
    ctx.step.sleep("sleeps", "1h"),
    ctx.step.waitForEvent("waits", { event: "never" }),
  ]);
});
const allSettled = workflow({ name: "all settled" }, async (ctx) => {
  const ends = await Promise.allSettled([
    ctx.step.run("fails", () => Promise.reject(new Error("no"))),
    ctx.step.sleep("sleeps", "50ms").then(() => ctx.step.run("after", () => "after")),
  ]);
  return ends.map(({ status }) => status);
});

const desk = app("desk", {
  workflows: [
    settled,
    inputs,
    echo,
    returns,
    misused,
    unstable,
    until2,
    approval,
    expires,
    parents,
    emits,
    hears,
    together,
    oneFails,
    allSettled,
  ],
});
const onlyThere = workflow({ name: "only there" }, async (ctx) => ctx.app);
const depot = app("depot", { workflows: [echo, hears, onlyThere] });

describe.skipIf(!hasServer())("durablex", () => {
  let server: TestServer;
  let runners: Runner[] = [];

  const serve = async (): Promise<Runner[]> => {
    const options = { url: server.url, log: false } as const;
    const there = [await desk.serve(options), await depot.serve(options)];
    return [...there, await depot.serve({ ...options, runner: "night shift" })];
  };
  beforeAll(async () => {
    server = await TestServer.start({ args: ["--linger", "50ms", "--grace", "200ms"] });
    process.env.STEPWELL_URL = server.url;
    runners = await serve();
  });
  afterAll(async () => {
    for (const runner of runners) await runner.stop({ timeout: "100ms" });
    await server?.stop();
  });

  const stepwell = () => client({ url: server.url });
  const start = async (name: string, input?: unknown): Promise<RunHandle> =>
    await stepwell().start(ref(name), input, { app: "desk" });
  const stepOf = async (run: RunHandle, id: string) =>
    (await run.show()).steps.find((step) => step.id === id);

  it("the program comes to its end", async () => {
    const checks = new Checks();
    await program(checks);
    expect(checks.made).toBe(4);
    expect([shop.name, billing.name, fulfil.name]).toEqual(["shop", "billing", "order.fulfil"]);
  });

  /** §4.1, §5.1: what completed is not repeated, whatever dies in between. */
  it("an interrupted run goes on at the step where it was", async () => {
    calls.length = 0;
    const run = await start("settled");
    await stepIs(run, "settle", "sleeping");
    const charged = await stepOf(run, "charge");
    for (const runner of runners) await runner.stop();
    server = await server.restart();
    runners = await serve();
    const again = stepwell().run(run.id);
    expect(await again.wait()).toEqual({ charge: charged?.output, ship: "parcel of t" });
    expect(calls).toEqual(["charge", "ship"]);
    const { steps } = await again.show();
    expect(steps.map(({ id }) => id)).toEqual(["charge", "settle", "ship"]);
    const [charge, settle, ship] = steps;
    expect(charge?.completedAt?.localeCompare(settle?.startedAt ?? "")).toBeLessThanOrEqual(0);
    expect(settle?.completedAt?.localeCompare(ship?.startedAt ?? "")).toBeLessThanOrEqual(0);
    // It slept as long as it was told, and through the restart.
    const slept = Date.parse(settle?.completedAt ?? "") - Date.parse(settle?.startedAt ?? "");
    expect(slept).toBeGreaterThanOrEqual(3_999);
  });

  /** §2: what each method gives. */
  it("each method gives what the table says", async () => {
    expect(await (await start("returns")).wait()).toEqual([true, true, true, true, true, null]);
    const both = await start("inputs", "x");
    expect(await both.wait()).toEqual(["o-1", 4200, 1]);
    expect((await stepOf(both, "bare"))?.output).toBe("x");
    expect((await stepOf(both, "child"))?.output).toMatchObject({ app: "desk" });
  });

  /** §3.4: inputs are recorded where there is one. */
  it("steps record their inputs", async () => {
    const run = await start("inputs");
    await run.wait();
    const { steps } = await run.show();
    expect(Object.fromEntries(steps.map(({ id, input }) => [id, input]))).toEqual({
      bare: null,
      given: { orderId: "o-1", amount: 4200 },
      short: { duration: "5ms" },
      past: { until: "1970-01-01T00:00:00.001000Z" },
      tell: { event: "told", data: { kind: "shipped" } },
      wait: { event: "never", timeout: "15ms", since: "parked" },
      child: { workflow: "echo", input: { orderId: "o-1" } },
    });
  });

  /** §2.5, §2.6, §13.5: one attempt; ids are unique; results are JSON. */
  it("an id that is used twice is refused, and so is a result that is no JSON", async () => {
    const twice = await start("misused", "twice");
    expect(String(await rejectionOf(twice.wait()))).toContain("DuplicateStepIdError");
    const big = await start("misused", "no JSON");
    expect(String(await rejectionOf(big.wait()))).toContain("is not JSON");
    calls.length = 0;
    const throws = await start("misused", "throws");
    await rejectionOf(throws.wait());
    expect(calls).toEqual(["throws"]);
  });

  /** §4.10: results are found by their ids. */
  it("an id that changes names another step", async () => {
    calls.length = 0;
    const run = await start("unstable");
    await stepIs(run, "wait", "waiting");
    await runners[0]?.stop();
    runners[0] = await desk.serve({ url: server.url, log: false });
    await stepwell().send("unstable.go");
    await run.wait();
    expect(calls).toEqual(["made", "made"]);
    const ids = (await run.show()).steps.map(({ id }) => id);
    expect(ids).toEqual(expect.arrayContaining(["made 0", "made 1", "wait", "after"]));
  });

  /** §2, §11: an absolute time, however it is written; one that is past wakes at once. */
  it("sleepUntil wakes at its instant, or at once where that is past", async () => {
    const at = new Date(Date.now() + 400).toISOString();
    const run = await start("until", at);
    expect(await run.wait()).toBe("awake");
    const woke = Date.parse((await stepOf(run, "renewal"))?.completedAt ?? "");
    expect(woke).toBeGreaterThanOrEqual(Date.parse(at));
    const past = await start("until", "2001-01-01T00:00:00Z");
    expect(await past.wait()).toBe("awake");
    const step = await stepOf(past, "renewal");
    expect(step?.input).toEqual({ until: "2001-01-01T00:00:00.000000Z" });
  });

  /** §3.1: nothing stays with a runner while it sleeps. */
  it("a sleep of days needs nothing that runs", async () => {
    const run = await start("until", new Date(Date.now() + 5 * 86_400_000).toISOString());
    await stepIs(run, "renewal", "sleeping");
    const held = async () => (await stepwell().runners()).map(({ held }) => held);
    await until(held, (all) => all.every((one) => one === 0));
    expect((await run.show()).status).toBe("waiting");
    await run.cancel();
  });

  /** §8.4, §8.5, §13.4: what came before counts for nothing, what comes resumes all. */
  it("an event resumes every run that waits, and none that waits later", async () => {
    await stepwell().send("order.approved", { by: "too early" });
    const runs = [await start("approval"), await start("approval")];
    for (const run of runs) await stepIs(run, "await-approval", "waiting");
    await stepwell().send("order.approved", { by: "ada" });
    for (const run of runs) expect(await run.wait()).toEqual({ status: "approved", by: "ada" });
    const late = await start("approval");
    await stepIs(late, "await-approval", "waiting");
    await late.cancel();
  });

  /** §8.6, §13.3: null, and no error. */
  it("a wait whose time is over gives null", async () => {
    const run = await start("expires");
    expect(await run.wait()).toEqual({ status: "expired" });
    expect((await stepOf(run, "await-approval"))?.status).toBe("timed_out");
  });

  /** §9.2: the own app first, then the only other one; `app` and `runner` pin. */
  it("a child is found in the own app, then in others, and where it is pinned", async () => {
    const child = async (to: object) => await (await start("parents", to)).wait();
    expect(await child({ name: "echo", data: 1 })).toMatchObject({ app: "desk", data: 1 });
    expect(await child({ name: "echo", app: "depot" })).toMatchObject({ app: "depot", data: null });
    expect(await child({ name: "only there" })).toBe("depot");
    expect(await child({ name: "echo", app: "depot", runner: "night shift" })).toMatchObject({
      app: "depot",
      runner: "night shift",
    });
  });

  /** §9.3: a parent waits for the end, and fails with it. */
  it("a parent waits for its child, and fails where that does", async () => {
    gate = new Gate();
    const waits = await start("parents", { name: "echo", data: "slow" });
    await stepIs(waits, "child", "waiting");
    gate.open();
    expect(await waits.wait()).toMatchObject({ data: "slow" });
    const fails = await start("parents", { name: "echo", data: "bad" });
    const error = await rejectionOf(fails.wait());
    expect(String(error)).toContain("not this one");
    expect((await fails.show()).status).toBe("failed");
    expect((await fails.show()).steps[0]?.error?.name).toBe("ChildFailedError");
  });

  /** §8.1, §4.6: events start workflows and end waits, of one app where that is said. */
  it("an event of a run starts workflows, and resumes waits", async () => {
    const waiting = await start("approval");
    await stepIs(waiting, "await-approval", "waiting");
    await (await start("emits")).wait();
    expect(await waiting.wait()).toEqual({ status: "approved", by: "a run" });
    const heard = await until(
      async () => (await stepwell().list({ workflow: "hears", status: "completed" })).runs,
      (runs) => runs.length === 3,
    );
    const outputs = await Promise.all(heard.map(({ id }) => stepwell().run(id).wait()));
    expect(outputs.map((one) => JSON.stringify(one)).sort()).toEqual([
      '["depot","price.changed",{"sku":"lamp"}]',
      '["depot","stock.changed",{"sku":"pen"}]',
      '["desk","stock.changed",{"sku":"pen"}]',
    ]);
  });

  /** §5.2: a batch is registered at once and runs at the same time; the join waits for all. */
  it("branches run at the same time, of whatever kind, and all are awaited", async () => {
    const run = await start("together");
    expect(await run.wait()).toEqual(["user", "prefs", "plan", "slept", null, "late"]);
    const { steps } = await run.show();
    const first = steps.filter(({ after }) => after.length === 0).map(({ id }) => id);
    expect(first).toEqual(expect.arrayContaining(["nap", "none", "plan", "prefs", "user"]));
    const outputs = Object.fromEntries(steps.map(({ id, output }) => [id, output]));
    expect(outputs).toMatchObject({ user: "user", prefs: "prefs", plan: "plan", late: "late" });
    const join = steps.at(-1);
    const ends = steps.slice(0, -1).map(({ completedAt }) => completedAt ?? "");
    expect(join?.id).toBe("join");
    for (const end of ends) expect(end.localeCompare(join?.startedAt ?? "")).toBeLessThanOrEqual(0);
  });

  /** §5.3: after its last attempt; nothing is left open. */
  it("a branch that fails for good fails the run, and its siblings are cancelled", async () => {
    calls.length = 0;
    const run = await start("one fails");
    await rejectionOf(run.wait());
    const { status, steps } = await run.show();
    expect(status).toBe("failed");
    expect(Object.fromEntries(steps.map((step) => [step.id, step.status]))).toEqual({
      fails: "failed",
      sleeps: "cancelled",
      waits: "cancelled",
    });
    expect(calls).toEqual(["fails", "fails"]);
  });

  /** §5.3: code that waits for all gets the end of each. */
  it("allSettled lets every branch end", async () => {
    expect(await (await start("all settled")).wait()).toEqual(["rejected", "fulfilled"]);
  });

  /** §13.2: the page names no statuses of its own. */
  it("statuses are those of Stepwell", () => {
    expect((["sleeping", "waiting", "timed_out"] as const).map(stepStatus)).toEqual([
      "sleeping",
      "waiting",
      "timed_out",
    ]);
  });

  /** §13.1: what TypeScript would infer on the page is inferred. */
  it("types are those of functions, inputs and workflows", () => {
    const typed = workflow(
      { name: "typed", input: unchecked<{ orderId: string }>() },
      async (ctx) => {
        expectTypeOf(ctx.event.data).toEqualTypeOf<{ orderId: string }>();
        const saved = await ctx.step.run("a", () => ({ at: new Date(0), n: 1 }));
        expectTypeOf(saved).toEqualTypeOf<{ at: string; n: number }>();
        const given = await ctx.step.run("b", { n: 1 }, (input) => input.n + 1);
        expectTypeOf(given).toBeNumber();
        const approval = await ctx.step.waitForEvent("c", { event: "e", timeout: "1h" });
        expectTypeOf(approval).toBeAny();
        const verdict = await ctx.step.runWorkflow("d", { name: "anything" });
        expectTypeOf(verdict).toBeAny();
        const told = await ctx.step.runWorkflow<typeof onlyThere>("e", { name: "only there" });
        expectTypeOf(told).toBeString();
        expectTypeOf(await ctx.step.sleep("f", "1h")).toBeVoid();
        expectTypeOf(await ctx.step.emit("g", { name: "e" })).toBeVoid();
        const [user, plan] = await Promise.all([
          ctx.step.run("h", () => "ada"),
          ctx.step.run("i", () => 7),
        ]);
        expectTypeOf(user).toBeString();
        expectTypeOf(plan).toBeNumber();
        return given;
      },
    );
    expect(typed.name).toBe("typed");
  });
});
