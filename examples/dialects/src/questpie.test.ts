/** Everything that the page of QUESTPIE about steps says: docs/coming-from/questpie.md lists it. */

import {
  app,
  client,
  type RunHandle,
  type Runner,
  type RunView,
  ref,
  StepError,
  StepTimeoutError,
} from "stepwell";
import { StepSuspendError, stepStatus, steps, workflow } from "stepwell/dialects/questpie";
import { hasServer, TestServer } from "stepwell/test";
import { afterAll, beforeAll, beforeEach, describe, expect, expectTypeOf, it } from "vitest";
import { z } from "zod";
import { Checks, type Showable, until } from "./checks.ts";
import transfer, { bank, program } from "./questpie.ts";
import { Gate, rejectionOf, stepIs } from "./support.ts";

let gate = new Gate();
let calls: string[] = [];
const called = <T>(name: string, value: T): T => {
  calls.push(name);
  return value;
};

const cached = workflow({
  name: "cached",
  handler: async ({ input, step }) => {
    const user = await step.run("fetch-user", async () =>
      called("fetch", { id: input, at: calls.length }),
    );
    await step.waitForEvent("wait", { event: "cached.go" });
    await step.run("use-user", async () => called("use", user.id));
    return user;
  },
});

const timesOut = workflow({
  name: "times out",
  handler: async ({ step }) => {
    try {
      await step.run("hangs", { timeout: "30ms" }, () => new Promise<never>(() => undefined));
    } catch (error) {
      const is = [StepSuspendError, StepTimeoutError, StepError].map((one) => one.is(error));
      const of = [StepSuspendError, StepTimeoutError, StepError].map((one) => error instanceof one);
      return { name: (error as Error).name, is, of };
    }
    return null;
  },
});
const suspended = workflow({
  name: "suspended",
  handler: async ({ step }) =>
    await step.run("hangs", { timeout: "30ms" }, () => new Promise<never>(() => undefined)),
});

const retries = workflow({
  name: "retries",
  handler: async ({ input, step }) => {
    const retry = input === "none" ? {} : { retry: { maxAttempts: 3, backoff: "60ms" } as const };
    return await step.run("flaky", retry, async () => {
      calls.push("flaky");
      if (input !== "well" || calls.length < 3) throw new Error(`no ${calls.length}`);
      return calls.length;
    });
  },
});

const pauses = workflow({
  name: "pauses",
  handler: async ({ input, step }) => {
    await step.sleep("wait-before-followup", "3s");
    await step.sleepUntil("wait-for-deadline", new Date(String(input)));
    await step.sleepUntil("long-ago", new Date("2025-01-01T00:00:00Z"));
    return "followed up";
  },
});
const sleeps = workflow({
  name: "sleeps",
  handler: async ({ step }) => await step.sleep("a week", "1w"),
});

const decides = workflow({
  name: "decides",
  schema: z.object({ requestId: z.string() }),
  handler: async ({ input, step }) => {
    const approval = await step.waitForEvent("wait-for-approval", {
      event: "approval.decision",
      match: { requestId: input.requestId },
      timeout: "48h",
    });
    if (approval.approved) return await step.run("process-approved", async () => "approved");
    return await step.run("handle-rejection", async () => "rejected");
  },
});
const nested = workflow({
  name: "nested",
  handler: async ({ step }) =>
    await step.waitForEvent("nested", { event: "deep", match: { order: { tags: ["a"] } } }),
});
const patient = workflow({
  name: "patient",
  handler: async ({ step }) => {
    await step.run("first", async () => await gate.pass());
    return await step.waitForEvent("then", { event: "patient.go", timeout: "1h" });
  },
});
const expires = workflow({
  name: "expires",
  handler: async ({ step }) =>
    await step.waitForEvent("in vain", { event: "never", timeout: "20ms" }),
});

const suborder = workflow({
  name: "process-sub-order",
  handler: async ({ input, step }) => {
    const { subOrderId, waits } = input as { subOrderId: number; waits?: boolean };
    if (waits === true) await step.waitForEvent("waits", { event: "never" });
    return await step.run("process", async () => subOrderId * 2);
  },
});
const parents = (name: string, timeout: "1h" | "3s") =>
  workflow({
    name,
    timeout,
    handler: async ({ input, step }) => {
      const result = await step.invoke("first", {
        workflow: "process-sub-order",
        input: { subOrderId: 4 },
        timeout: "1h",
      });
      if (input !== "waits") return result;
      return await step.invoke("second", {
        workflow: "process-sub-order",
        input: { subOrderId: 5, waits: true },
        timeout: "1h",
      });
    },
  });
const parent = parents("parent", "1h");
const hasty = parents("hasty", "3s");
const impatient = workflow({
  name: "impatient",
  handler: async ({ step }) =>
    await step.invoke("slow", {
      workflow: suborder,
      input: { subOrderId: 6, waits: true },
      timeout: "50ms",
    }),
});

const ready = workflow({
  name: "ready",
  schema: z.object({ orderId: z.string() }),
  handler: async ({ input, step }) => {
    const nothing = await step.sendEvent("notify-ready", {
      event: "order.ready-for-pickup",
      data: { orderId: input.orderId, location: "Store #42" },
      match: { orderId: input.orderId },
    });
    return nothing === undefined;
  },
});
const pickup = workflow({
  name: "pickup",
  schema: z.object({ orderId: z.string() }),
  handler: async ({ input, step }) =>
    await step.waitForEvent("ready", {
      event: "order.ready-for-pickup",
      match: { orderId: input.orderId },
    }),
});

/** Its second step fails; what that does to the first ones is in `calls`. */
const saga = (name: string, told: boolean) =>
  workflow({
    name,
    handler: async ({ input, step }) => {
      const result = await step.run(
        "first",
        { compensate: async () => void calls.push(`undo first ${result.transactionId}`) },
        async () => ({ transactionId: "t-1" }),
      );
      await step.run(
        "second",
        { compensate: async () => void calls.push("undo second") },
        async () => undefined,
      );
      await step.run("without", async () => undefined);
      await step.run("last", { compensate: async () => void calls.push("undo last") }, async () => {
        if (input === "bad") throw new Error("the last one fails");
        return result;
      });
      return "well";
    },
    ...(told && {
      onFailure: async ({ error, completedSteps }) => {
        calls.push(`told of ${completedSteps.map(({ id }) => id).join(", ")}`);
        calls.push(error.message);
      },
    }),
  });
const told = saga("told", true);
const untold = saga("untold", false);

const misused = workflow({
  name: "misused",
  handler: async ({ step }) => {
    await step.run("same", async () => 1);
    await step.run("same", async () => 2);
  },
});
const hangs = workflow({
  name: "hangs",
  handler: async ({ step }) => await step.run("hangs", async () => await gate.pass()),
});
const throws = workflow({
  name: "throws",
  handler: async ({ step }) => {
    await step.run("throws", async () => {
      throw new TypeError("broken");
    });
  },
});

const lab = app("lab", {
  workflows: [
    cached,
    timesOut,
    suspended,
    retries,
    pauses,
    sleeps,
    decides,
    nested,
    expires,
    patient,
    suborder,
    parent,
    hasty,
    impatient,
    ready,
    pickup,
    told,
    untold,
    misused,
    hangs,
    throws,
  ],
});

describe.skipIf(!hasServer())("questpie", () => {
  let server: TestServer;
  let runner: Runner;
  let banker: Runner;

  beforeAll(async () => {
    server = await TestServer.start({ args: ["--linger", "50ms", "--grace", "200ms"] });
    process.env.STEPWELL_URL = server.url;
    runner = await lab.serve({ log: false });
    banker = await bank.serve({ log: false });
  });
  afterAll(async () => {
    await banker?.stop();
    await runner?.stop({ timeout: "100ms" });
    await server?.stop();
  });
  beforeEach(() => {
    calls = [];
  });

  const stepwell = () => client({ url: server.url });
  const start = async (name: string, input?: unknown): Promise<RunHandle> =>
    await stepwell().start(ref(name), input, { app: "lab" });
  const rowOf = async (run: Showable, name: string) =>
    steps(await run.show()).find((one) => one.name === name);
  const again = async (): Promise<void> => {
    await runner.stop({ timeout: "100ms" });
    runner = await lab.serve({ url: server.url, log: false });
  };

  it("the program comes to its end", async () => {
    await banker.stop();
    const checks = new Checks();
    await program(checks);
    expect(checks.made).toBeGreaterThan(7);
    banker = await bank.serve({ log: false });
    expect(transfer.name).toBe("transfer");
  });

  /** §4.1, §13.6: the result is kept, and used in the place of the function. */
  it("a step completes once, and its result is what replays give", async () => {
    const run = await start("cached", "u-1");
    await stepIs(run, "wait", "waiting");
    const row = await rowOf(run, "fetch-user");
    expect(row).toMatchObject({ status: "completed", result: { id: "u-1", at: 0 } });
    await again();
    await stepwell().send("cached.go");
    expect(await run.wait()).toEqual({ id: "u-1", at: 0 });
    expect(calls).toEqual(["fetch", "use"]);
    expect(await rowOf(run, "fetch-user")).toEqual(row);
  });

  /** §4.2, §13.6: what died before it was saved begins again. */
  it("a step whose runner is lost begins again, and completes once", async () => {
    gate = new Gate();
    const run = await start("hangs");
    await stepIs(run, "hangs", "running");
    await runner.stop({ timeout: "100ms" });
    await stepIs(run, "hangs", "pending");
    expect((await rowOf(run, "hangs"))?.status).toBe("pending");
    runner = await lab.serve({ url: server.url, log: false });
    await stepIs(run, "hangs", "running");
    gate.open();
    expect(await run.wait()).toBe(2);
    expect((await rowOf(run, "hangs"))?.status).toBe("completed");
  });

  /** §2.5: names are unique. */
  it("a name that is used twice is refused", async () => {
    const run = await start("misused");
    expect(String(await rejectionOf(run.wait()))).toContain("DuplicateStepIdError");
  });

  /** §13.2: the six words, and what they stand for. */
  it("statuses are those of the table", async () => {
    const all = ["pending", "running", "retrying", "sleeping", "waiting", "completed"] as const;
    expect(all.map(stepStatus)).toEqual([
      ...["pending", "running", "running", "sleeping", "waiting", "completed"],
    ]);
    const others = ["failed", "timed_out", "skipped", "cancelled", "unknown"] as const;
    expect(others.map(stepStatus)).toEqual(["failed", "failed", "completed", "failed", "failed"]);
    gate = new Gate();
    const run = await start("hangs");
    await stepIs(run, "hangs", "running");
    expect((await rowOf(run, "hangs"))?.status).toBe("running");
    gate.open();
    await run.wait();
    const asleep = await start("sleeps");
    await stepIs(asleep, "a week", "sleeping");
    const failed = await start("throws");
    await rejectionOf(failed.wait());
    expect(await rowOf(failed, "throws")).toMatchObject({
      status: "failed",
      error: { message: "broken" },
      attempts: 1,
    });
    // The API says the same words where it is asked for them.
    const words = await Promise.all(
      [run, asleep, failed].map(async ({ id }) => {
        const answer = await fetch(`${server.url}/api/v1/runs/${id}?dialect=questpie`);
        return ((await answer.json()) as RunView).steps.map(({ status }) => status);
      }),
    );
    expect(words.flat()).toEqual(["completed", "sleeping", "failed"]);
    await asleep.cancel();
  });

  /** §3.1: until when it sleeps is known. */
  it("a sleeping step says until when", async () => {
    const run = await start("sleeps");
    await stepIs(run, "a week", "sleeping");
    const row = await rowOf(run, "a week");
    expect(row?.status).toBe("sleeping");
    const week = 7 * 86_400_000;
    const begun = Date.parse(row?.startedAt ?? "");
    expect(Math.abs(Date.parse(row?.scheduledAt ?? "") - begun - week)).toBeLessThan(1_000);
    await run.cancel();
  });

  /** §3.1: for an event, or for a child. */
  it("a step waits for an event or for a child", async () => {
    const event = await start("decides", { requestId: "r-0" });
    await stepIs(event, "wait-for-approval", "waiting");
    expect((await rowOf(event, "wait-for-approval"))?.status).toBe("waiting");
    const child = await start("parent", "waits");
    await stepIs(child, "second", "waiting");
    expect((await rowOf(child, "second"))?.status).toBe("waiting");
    for (const run of [event, child]) await run.cancel();
  });

  /** §6.4, §13.7: an error of that name, which is natively a timeout of a step. */
  it("a step that runs out of time throws StepSuspendError", async () => {
    const run = await start("times out");
    expect(await run.wait()).toEqual({
      name: "StepSuspendError",
      is: [true, true, true],
      of: [true, true, true],
    });
    const uncaught = await start("suspended");
    expect(String(await rejectionOf(uncaught.wait()))).toContain("did not end within 30ms");
    expect((await rowOf(uncaught, "hangs"))?.status).toBe("failed");
  });

  /** §6.1, §13.5: `maxAttempts`, and a pause that stays the same; none unless it is said. */
  it("failed attempts are tried again as the policy says", async () => {
    const run = await start("retries", "well");
    expect(await run.wait()).toBe(3);
    expect((await rowOf(run, "flaky"))?.attempts).toBe(3);
    const [view] = (await run.show()).steps;
    const begins = view?.attempts.map(({ startedAt }) => Date.parse(startedAt)) ?? [];
    const ends = view?.attempts.map(({ endedAt }) => Date.parse(endedAt ?? "")) ?? [];
    for (const n of [1, 2]) {
      expect((begins[n] ?? 0) - (ends[n - 1] ?? 0)).toBeGreaterThanOrEqual(59);
    }
    calls = [];
    const fails = await start("retries", "badly");
    expect(String(await rejectionOf(fails.wait()))).toContain("no 3");
    expect(await rowOf(fails, "flaky")).toMatchObject({ status: "failed", attempts: 3 });
    calls = [];
    const once = await start("retries", "none");
    expect(String(await rejectionOf(once.wait()))).toContain("no 1");
  });

  /** §2: pauses outlive the process that asked for them. */
  it("sleep and sleepUntil pause, also while no runner is there", async () => {
    const at = new Date(Date.now() + 4_000).toISOString();
    const run = await start("pauses", at);
    await stepIs(run, "wait-before-followup", "sleeping");
    await again();
    expect(await run.wait()).toBe("followed up");
    const rows = steps(await run.show());
    const took = rows.map(({ startedAt, completedAt }) => {
      return Date.parse(completedAt ?? "") - Date.parse(startedAt ?? "");
    });
    expect(took[0]).toBeGreaterThanOrEqual(2_999);
    expect(Date.parse(rows[1]?.completedAt ?? "")).toBeGreaterThanOrEqual(Date.parse(at));
    expect(rows.map(({ status }) => status)).toEqual(["completed", "completed", "completed"]);
  });

  /** §8.2: containment, in what the event says. */
  it("a wait takes the event that contains its match", async () => {
    const runs = [
      await start("decides", { requestId: "r-1" }),
      await start("decides", { requestId: "r-2" }),
    ];
    for (const run of runs) await stepIs(run, "wait-for-approval", "waiting");
    await stepwell().send("approval.decision", { requestId: "r-3", approved: true });
    await stepwell().send("approval.other", { requestId: "r-1", approved: true });
    await stepwell().send("approval.decision", { requestId: "r-2", approved: false, by: "bob" });
    await stepwell().send("approval.decision", { requestId: "r-1", approved: true, by: "ada" });
    expect(await Promise.all(runs.map((run) => run.wait()))).toEqual(["approved", "rejected"]);
    const ids = await Promise.all(runs.map(async (run) => (await run.show()).steps.at(-1)?.id));
    expect(ids).toEqual(["process-approved", "handle-rejection"]);
    const deep = await start("nested");
    await stepIs(deep, "nested", "waiting");
    await stepwell().send("deep", { order: { tags: ["b"] } });
    await stepwell().send("deep", { order: { tags: ["b", "a"], n: 1 }, more: true });
    expect(await deep.wait()).toEqual({ order: { tags: ["b", "a"], n: 1 }, more: true });
  });

  /** §8.4, §13.4: what came since the run began counts. */
  it("a wait also takes what came before it, since the run began", async () => {
    gate = new Gate();
    const run = await start("patient");
    await stepIs(run, "first", "running");
    await stepwell().send("patient.go", { n: 7 });
    gate.open();
    expect(await run.wait()).toEqual({ n: 7 });
  });

  /** §8.6, §13.3: null. */
  it("a wait whose time is over gives null", async () => {
    const run = await start("expires");
    expect(await run.wait()).toBeNull();
    expect((await rowOf(run, "in vain"))?.status).toBe("failed");
  });

  /** §9.2, §7.7: by name, with its input; the least of all time limits counts. */
  it("a child is run by its name, and its result is awaited", async () => {
    const run = await start("parent");
    expect(await run.wait()).toBe(8);
    const [child] = (await stepwell().list({ parent: run.id })).runs;
    expect(child).toMatchObject({ workflow: "process-sub-order", status: "completed" });
    const impatient = await start("impatient");
    expect(String(await rejectionOf(impatient.wait()))).toContain("ChildTimeoutError");
  });

  /** §7.7: children inherit what their parent has left, and are cancelled with it. */
  it("children end where their parent's time is over", async () => {
    const run = await start("hasty", "waits");
    await rejectionOf(run.wait());
    const { status, deadline } = await run.show();
    expect(status).toBe("timed_out");
    const children = (await stepwell().list({ parent: run.id })).runs;
    expect(children.map((one) => one.status)).toEqual(["timed_out", "completed"]);
    const shown = await stepwell()
      .run(children[0]?.id ?? "")
      .show();
    // An hour was asked for, and the parent had less.
    expect(Date.parse(shown.deadline ?? "")).toBeLessThanOrEqual(Date.parse(deadline ?? ""));
    expect(steps(shown).map((one) => one.status)).toEqual(["failed"]);
  });

  /** §4.6, §8.2: an event of a run, with its own match. */
  it("an event that a run sends is heard by the run that waits for it", async () => {
    const own = await start("pickup", { orderId: "o-1" });
    const other = await start("pickup", { orderId: "o-2" });
    for (const run of [own, other]) await stepIs(run, "ready", "waiting");
    expect(await (await start("ready", { orderId: "o-1" })).wait()).toBe(true);
    expect(await own.wait()).toEqual({ orderId: "o-1", location: "Store #42" });
    expect((await rowOf(other, "ready"))?.status).toBe("waiting");
    await other.cancel();
  });

  /** §7.3, §7.4: in reverse order, and only then `onFailure`; what failed has nothing to take back. */
  it("completed steps are taken back, the last first, before onFailure is called", async () => {
    const run = await start("told", "bad");
    const error = await rejectionOf(run.wait());
    expect(String(error)).toContain("the last one fails");
    expect(calls.slice(0, 3)).toEqual([
      "undo second",
      "undo first t-1",
      "told of first, second, without",
    ]);
    expect(calls[3]).toContain("the last one fails");
    expect(calls).toHaveLength(4);
    calls = [];
    expect(await (await start("told", "good")).wait()).toBe("well");
    expect(calls).toEqual([]);
  });

  /** §13.8: without `onFailure` nothing is taken back. */
  it("nothing is taken back where the workflow has no onFailure", async () => {
    const run = await start("untold", "bad");
    await rejectionOf(run.wait());
    expect(calls).toEqual([]);
    expect(steps(await run.show()).map(({ name }) => name)).toEqual([
      ...["first", "second", "without", "last"],
    ]);
  });

  /** §9.1: the schema is that of the input. */
  it("an input that does not fit the schema is refused", async () => {
    await expect(start("decides", { requestId: 7 })).rejects.toThrow("requestId");
  });

  /** §11: seconds to weeks in the short form. */
  it("durations are seconds, minutes, hours, days and weeks", async () => {
    const units = { "30s": 30e3, "5m": 300e3, "2h": 7_200e3, "7d": 604_800e3, "1w": 604_800e3 };
    const naps = Object.keys(units);
    const napping = workflow({
      name: "napping",
      handler: async ({ step }) => {
        await Promise.all(naps.map(async (one) => await step.sleep(one, one as "1w")));
      },
    });
    await using _runner = await app("beds", { workflows: [napping] }).serve({ log: false });
    const run = await stepwell().start(napping);
    const rows = await until(
      async () => steps(await run.show()),
      (all) => all.length === 5 && all.every(({ status }) => status === "sleeping"),
    );
    for (const { name, startedAt, scheduledAt } of rows) {
      const nap = Date.parse(scheduledAt ?? "") - Date.parse(startedAt ?? "");
      expect(Math.abs(nap - (units[name as keyof typeof units] ?? 0))).toBeLessThan(1_000);
    }
    await run.cancel();
  });

  /** §13.1: what TypeScript would infer on the page is inferred. */
  it("types are those of schemas and functions", () => {
    const typed = workflow({
      name: "typed",
      schema: z.object({ n: z.number() }),
      handler: async ({ input, step, ctx }) => {
        expectTypeOf(input).toEqualTypeOf<{ n: number }>();
        expectTypeOf(ctx.runId).toBeString();
        const user = await step.run("a", async () => ({ name: "Ada", at: new Date(0) }));
        expectTypeOf(user).toEqualTypeOf<{ name: string; at: string }>();
        const result = await step.run(
          "b",
          { timeout: "30s", compensate: async () => void result.id.length },
          async () => ({ id: "t" }),
        );
        expectTypeOf(result).toEqualTypeOf<{ id: string }>();
        const event = await step.waitForEvent("c", { event: "e" });
        expectTypeOf(event).toBeAny();
        const child = await step.invoke("d", { workflow: "w" });
        expectTypeOf(child).toBeAny();
        expectTypeOf(await step.sendEvent("e", { event: "e" })).toBeVoid();
        return user;
      },
    });
    expect(typed.name).toBe("typed");
  });
});
