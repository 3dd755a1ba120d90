import {
  app,
  client,
  NonRetryableError,
  type RunHandle,
  ref,
  StepTimeoutError,
  workflow,
} from "stepwell";
import { hasServer, TestServer } from "stepwell/test";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { rejectionOf } from "../support.js";
import { shown, stepIs } from "./shown.js";

const accounts = new Map([
  ["a", 100],
  ["b", 0],
]);
const notes: string[] = [];

function move(account: string, amount: number): void {
  if (!accounts.has(account)) throw new NonRetryableError(`no account ${account}`);
  accounts.set(account, (accounts.get(account) ?? 0) + amount);
}

const transfer = workflow(
  {
    name: "transfer-funds",
    input: z.object({ from: z.string(), to: z.string(), amount: z.number() }),
    onFailure: ({ error, completedSteps }) => {
      notes.push(`failed: ${error.message}; after ${completedSteps.map(({ id }) => id)}`);
      notes.push(`a has ${accounts.get("a")}`);
    },
  },
  async ({ input, step }) => {
    await step.run("fee", () => move(input.from, -1), {
      compensate: () => {
        notes.push("the fee is paid back");
        move(input.from, 1);
      },
    });
    await step.run("debit", () => move(input.from, -input.amount), {
      compensate: () => {
        notes.push("the debit is paid back");
        move(input.from, input.amount);
      },
    });
    await step.run("credit", () => move(input.to, input.amount));
    return "moved";
  },
);

const options = workflow({ name: "options" }, async ({ step }) => {
  const attempts: number[] = [];
  const third = await step.run(
    "call-api",
    ({ attempt }) => {
      attempts.push(attempt);
      if (attempt < 3) throw new Error("not yet");
      return attempts;
    },
    { timeout: "30s", retry: { maxAttempts: 3, backoff: "20ms", factor: 1 } },
  );
  const late = await step
    .run("hangs", () => new Promise(() => undefined), { timeout: "30ms", retry: false })
    .catch((error: unknown) => StepTimeoutError.is(error) && error.message);
  return [third, late];
});

const decision = workflow({ name: "decision" }, async ({ input, step }) => {
  const { requestId } = input as { requestId: string };
  const approval = await step.waitForEvent("wait-for-approval", {
    event: "approval.decision",
    match: { requestId },
    timeout: "48h",
  });
  const { approved } = approval as { approved: boolean };
  return await step.run(approved ? "process-approved" : "handle-rejection", () => approved);
});

const suborder = workflow({ name: "process-sub-order" }, async ({ input, step }) => {
  const { subOrderId, waits } = input as { subOrderId: number; waits: boolean };
  if (waits) await step.waitForEvent("waits", { event: "never" });
  return subOrderId * 2;
});
const parent = workflow({ name: "parent", timeout: "300ms" }, async ({ input, step }) => {
  const invoked = { workflow: suborder, timeout: "1h" } as const;
  const first = await step.invoke("first", { ...invoked, input: { subOrderId: 4, waits: false } });
  if (input === "waits") {
    await step.invoke("second", { ...invoked, input: { subOrderId: 5, waits: true } });
  }
  return first;
});

const ready = workflow({ name: "ready" }, async ({ input, step }) => {
  await step.emit("notify-ready", {
    event: "order.ready-for-pickup",
    data: { location: "Store #42" },
    match: { orderId: String(input) },
  });
});
const pickup = workflow({ name: "pickup" }, ({ input, step }) =>
  step.waitForEvent("ready", {
    event: "order.ready-for-pickup",
    match: { orderId: String(input) },
  }),
);

const bank = app("bank", {
  workflows: [transfer, options, decision, suborder, parent, ready, pickup],
});

describe.skipIf(!hasServer())("sagas and what they are made of", { timeout: 120_000 }, () => {
  let server: TestServer;
  let stop: () => Promise<void> = async () => undefined;

  beforeAll(async () => {
    server = await TestServer.start({ args: ["--grace", "200ms", "--linger", "50ms"] });
    stop = (await bank.serve({ url: server.url, log: false })).stop;
  }, 60_000);

  afterAll(async () => {
    await stop();
    await server?.stop();
  });

  const start = async (name: string, input?: unknown): Promise<RunHandle> =>
    await client({ url: server.url }).start(ref(name), input);

  /** §7.3, §7.4: completed steps are taken back, the last first; then the workflow is told. */
  it("takes back a transfer whose second half fails", async () => {
    const run = await start("transfer-funds", { from: "a", to: "nobody", amount: 30 });
    const error = await rejectionOf(run.wait());
    expect(String(error)).toContain("no account nobody");
    expect(accounts.get("a")).toBe(100);
    expect(notes).toEqual([
      "the debit is paid back",
      "the fee is paid back",
      "failed: step `credit` failed after 1 attempt: no account nobody; after fee,debit",
      "a has 100",
    ]);
    await (await start("transfer-funds", { from: "a", to: "b", amount: 30 })).wait();
    expect([...accounts.values()]).toEqual([69, 30]);
  });

  /** §2.1, §6.1, §6.4: a time limit is thrown as such; failed attempts are tried again with a pause. */
  it("has time limits and retries", async () => {
    const run = await start("options");
    expect(await run.wait()).toEqual([
      [1, 2, 3],
      "step `hangs` timed out after 1 attempt: step `hangs` did not end within 30ms",
    ]);
    const [api] = (await run.show()).steps;
    expect(api?.attempts.map(({ status }) => status)).toEqual(["failed", "failed", "completed"]);
  });

  /** §8.2: what is contained in the event decides whose it is. */
  it("waits for the event that is its own", async () => {
    const runs = [
      await start("decision", { requestId: "r1" }),
      await start("decision", { requestId: "r2" }),
    ];
    for (const run of runs)
      expect((await stepIs(run, "wait-for-approval", "waiting")).nextAt).not.toBeNull();
    const stepwell = client({ url: server.url });
    await stepwell.send("approval.decision", { requestId: "r2", approved: false, by: "bob" });
    await stepwell.send("approval.decision", { requestId: "r1", approved: true, by: "ada" });
    expect(await Promise.all(runs.map((run) => run.wait()))).toEqual([true, false]);
    expect((await runs[1]?.show())?.steps.at(-1)?.id).toBe("handle-rejection");
  });

  /** §7.7: children inherit their parent's time limit, and are cancelled with it. */
  it("runs children within the parent's time", async () => {
    expect(await (await start("parent")).wait()).toBe(8);
    const run = await start("parent", "waits");
    await rejectionOf(run.wait());
    expect((await run.show()).status).toBe("timed_out");
    const children = await client({ url: server.url }).list({ parent: run.id });
    expect(children.runs.map(({ status }) => status)).toEqual(["timed_out", "completed"]);
  });

  /** §4.6, §8.2: an event that a run sends is held against waits by its own `match`. */
  it("sends events that other runs wait for", async () => {
    const [own, other] = [await start("pickup", 1), await start("pickup", 2)];
    await stepIs(own, "ready", "waiting");
    await stepIs(other, "ready", "waiting");
    await (await start("ready", 1)).wait();
    expect(await own.wait()).toEqual({ location: "Store #42" });
    expect((await shown(other, ({ status }) => status === "waiting")).output).toBeNull();
  });
});
