/**
 * The app that the end-to-end tests serve, in a process of its own that they may kill.
 *
 * Every call of a function is a line in the file CALLS, so that calls can be counted over processes.
 * CRASH names a point, such as `b:before` or `b:after`, at which the process kills itself, once.
 */
import { appendFileSync, existsSync, writeFileSync } from "node:fs";
import { app, ChildFailedError, event, NonRetryableError, StepError, workflow } from "stepwell";

const { CALLS, CRASH, CRASHED, SERVER, SLOTS } = process.env;

function called(what) {
  appendFileSync(CALLS, `${what}\n`);
  process.stdout.write("called\n");
}

function crash(point) {
  if (CRASH !== point || existsSync(CRASHED)) return;
  writeFileSync(CRASHED, point);
  process.kill(process.pid, "SIGKILL");
}

function effect(id, value) {
  return async () => {
    crash(`${id}:before`);
    called(id);
    await new Promise((resolve) => setTimeout(resolve, 5));
    crash(`${id}:after`);
    return value;
  };
}

const approved = event("approved");

const chain = workflow({ name: "chain" }, async ({ input, step, ctx }) => {
  const a = await step.run("a", effect("a", { n: input.n, at: new Date(0) }));
  const [b, c] = await Promise.all([step.run("b", effect("b", 2)), step.run("c", effect("c", 3))]);
  await step.sleep("nap", "30ms");
  crash("nap:after");
  const d = await step.run("d", effect("d", 4));
  return { a, sum: b + c + d, random: ctx.random(), uuid: ctx.uuid() };
});

const retries = workflow({ name: "retries" }, async ({ step }) => {
  const fast = { maxAttempts: 3, backoff: "10ms" };
  const third = await step.run(
    "third",
    ({ attempt }) => {
      called(`third ${attempt}`);
      if (attempt < 3) throw new Error("not yet");
      return attempt;
    },
    { retry: fast },
  );
  const failed = await step
    .run("fails", () => Promise.reject(new TypeError("never")), { retry: fast })
    .catch((error) => StepError.is(error) && [error.attempts, error.cause.name, error.message]);
  const stopped = await step
    .run("stops", () => {
      throw new NonRetryableError("no use");
    })
    .catch((error) => error.attempts);
  const late = await step
    .run(
      "late",
      ({ signal }) => new Promise((resolve) => signal.addEventListener("abort", resolve)),
      {
        timeout: "40ms",
        retry: { maxAttempts: 2, backoff: 1 },
      },
    )
    .catch((error) => [error.name, error.attempts]);
  return { third, failed, stopped, late };
});

const child = workflow({ name: "child" }, async ({ input }) => {
  if (input.fails) throw new RangeError("the child is broken");
  return { doubled: input.n * 2 };
});

const engine = workflow(
  {
    name: "engine",
    waits: {
      waitForScan: { event: "scanned", match: ({ input, run }) => ({ parcel: input.parcel, run }) },
    },
  },
  async ({ input, step, ctx }) => {
    ctx.setSearch({ parcel: input.parcel, gone: null });
    await step.sleepUntil("past", "2020-01-01T00:00:00Z");
    const nothing = await step.waitForEvent("nothing", { event: "never", timeout: "20ms" });
    const value = await step.waitForEvent("value", {
      event: "never",
      timeout: "20ms",
      onTimeout: { value: 7 },
    });
    const fail = await step
      .waitForEvent("fail", { event: "never", timeout: "20ms", onTimeout: "fail" })
      .catch((error) => error.name);
    await step.emit("tell", {
      event: approved,
      data: { by: "ann" },
      match: { parcel: input.parcel },
    });
    const ok = await step.waitForEvent("ok", { event: approved, match: { parcel: input.parcel } });
    const scan = step.waitForScan({ timeout: "10s" });
    await step.emit("scan", {
      event: "scanned",
      data: { gate: 3 },
      match: { parcel: input.parcel, run: ctx.runId },
    });
    const scanned = await scan;
    const doubled = await step.invoke("double", { workflow: child, input: { n: 21 } });
    const broken = await step
      .invoke("broken", { workflow: "child", input: { fails: true } })
      .catch(
        (error) => ChildFailedError.is(error) && [error.cause.name, error.childRunId !== undefined],
      );
    const won = await step.race("race", {
      slow: async (one) => {
        await one.sleep("slow nap", "1h");
        return "slow";
      },
      quick: async (one) => (await one.run("quick run", effect("quick", { q: 1 }))).q,
    });
    await step.skip("skipped", { reason: "not today" });
    return { nothing, value, fail, ok, scanned, doubled, broken, won };
  },
);

const saga = workflow(
  {
    name: "saga",
    compensateOnCancel: true,
    onFailure: ({ error, completedSteps, uncertainSteps, run }) => {
      const ids = completedSteps.map(({ id }) => id);
      called(`onFailure ${error.name} ${ids} [${uncertainSteps}] ${run.status}`);
      crash("onFailure:after");
    },
  },
  async ({ input, step }) => {
    await step.run("reserve", effect("reserve", { seat: 7 }), {
      compensate: ({ seat }) => {
        called(`undo reserve ${seat}`);
        crash("undo reserve:after");
      },
    });
    await step.race("pay", {
      card: async (one) =>
        await one.run("charge", effect("charge", { tx: "t" }), {
          compensate: ({ tx }) => {
            crash("undo charge:before");
            called(`undo charge ${tx}`);
          },
        }),
    });
    if (input.waits) await step.waitForEvent("forever", { event: "never" });
    throw new RangeError("out of stock");
  },
);

const once = workflow({ name: "once" }, async ({ step }) => {
  const verify = () => {
    called("verify");
    return { outcome: "done", value: "verified" };
  };
  return await step.run("wire", effect("wire", "wired"), { atMostOnce: { verify } });
});

const loop = workflow({ name: "loop" }, async ({ input, step, ctx }) => {
  await step.run("turn", effect(`turn ${input.n}`, 1));
  if (input.n < 3) return ctx.continueAs({ n: input.n + 1 });
  return `ended at ${input.n}`;
});

const block = workflow({ name: "block" }, async ({ input, step }) => {
  return await step.run("block", () => {
    called("block");
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, input.ms);
    return "unblocked";
  });
});

const gate = workflow({ name: "gate" }, async ({ input, step }) => {
  const asked = await step.run("ask", effect("ask", input.order));
  const match = { order: input.order };
  const { by } = await step.waitForEvent("opened", { event: "opened", match });
  return { asked, by };
});

const logs = workflow({ name: "logs" }, async ({ step, ctx }) => {
  ctx.log.info("begin");
  await step.run("talk", ({ log }) => log.warn("said", { n: 1 }));
  await step.sleep("nap", "1200ms");
  ctx.log.info("end");
});

const many = workflow({ name: "many" }, async ({ input, step }) => {
  for (let n = 0; n < input.n; n++) {
    await step.run(`s${n}`, () => {
      called("many");
      return n;
    });
  }
  await step.sleep("evicted", "1500ms");
  return input.n;
});

const workflows = [chain, retries, child, engine, saga, once, loop, block, gate, logs, many];
const runner = await app("e2e", { workflows }).serve({
  url: SERVER,
  ...(SLOTS && { slots: Number(SLOTS) }),
});
process.stdout.write("serving\n");
await runner.closed;
process.stdout.write("stopped\n");
