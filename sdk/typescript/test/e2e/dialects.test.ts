import { app, client, StepTimeoutError } from "stepwell";
import * as durablex from "stepwell/dialects/durablex";
import { loop, timeline } from "stepwell/dialects/loops";
import * as questpie from "stepwell/dialects/questpie";
import { hasServer, TestServer } from "stepwell/test";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { stepIs } from "./shown.js";

const care = loop({
  name: "care",
  input: z.object({ patient: z.string() }),
  async run({ step, input }) {
    const profile = await step.do("Load profile", async () => ({ id: input.patient, plan: "b" }));
    await step.do("Fail once", () => Promise.reject(new RangeError("no"))).catch(() => undefined);
    const scan = await step.waitForScan({ timeout: "30 minutes" });
    return [profile.id, scan.marker];
  },
});
const late = loop({ name: "late", run: ({ step }) => step.waitForScan({ timeout: "50ms" }) });
const looks = durablex.workflow({ name: "looks" }, async ({ step }) => {
  await step.waitForEvent("go", { event: "go" });
  return await step.waitForEvent("note", { event: "note", timeout: "50ms" });
});
const suspends = questpie.workflow({
  name: "suspends",
  handler: async ({ step }) => {
    await step.run("nothing", { compensate: () => undefined }, () => 1);
    try {
      await step.run("hangs", { timeout: "50ms" }, () => new Promise(() => undefined));
    } catch (error) {
      return [questpie.StepSuspendError.is(error), StepTimeoutError.is(error)];
    }
    return "it came back";
  },
});
const undoes = questpie.workflow({
  name: "undoes",
  handler: async ({ step }) => {
    const made = await step.run(
      "make",
      { compensate: async (_, { log }) => log.info(`undo ${made.id}`) },
      async () => ({ id: "m-1" }),
    );
    await step.run("fails", () => Promise.reject(new Error("no")));
  },
  onFailure: ({ error }, { log }) => log.info(error.message),
});

const shop = app("shop", { workflows: [care, late, looks, suspends, undoes] });

describe.skipIf(!hasServer())("dialects on a server", { timeout: 120_000 }, () => {
  let server: TestServer;
  let runner: Awaited<ReturnType<typeof shop.serve>>;
  const stepwell = (): ReturnType<typeof client<typeof shop>> =>
    client<typeof shop>({ url: server.url });

  beforeAll(async () => {
    server = await TestServer.start();
    runner = await shop.serve({ url: server.url, log: false });
  });

  afterAll(async () => {
    await runner.stop();
    await server.stop();
  });

  /** §13.1, §13.2, §13.5: one attempt, and the rows that the timeline of Loops has. */
  it("shows a loop as its timeline does", async () => {
    const run = await stepwell().start("care", { patient: "ada" });
    await stepIs(run, "wait waitForScan", "waiting");
    expect(timeline(await run.show()).at(-1)).toMatchObject({
      name: "waitForScan",
      status: "running",
      completedAt: null,
      return: null,
    });
    await stepwell().send("scan", { marker: 7 }, { run: run.id });
    expect(await run.wait()).toEqual(["ada", 7]);
    const view = await run.show();
    expect(timeline(view)).toMatchObject([
      { name: "Load profile", status: "succeeded", return: { id: "ada", plan: "b" } },
      { name: "Fail once", status: "failed", error: { name: "RangeError", message: "no" } },
      { name: "waitForScan", status: "succeeded", return: { marker: 7 } },
    ]);
    expect(view.steps[1]?.attempts).toHaveLength(1);
  });

  /** §13.3: a scan that does not come fails its step and, uncaught, its run. */
  it("fails a loop whose scan does not come", async () => {
    const run = await stepwell().start("late");
    await expect.poll(async () => (await run.show()).status, { timeout: 60_000 }).toBe("failed");
    expect(timeline(await run.show())).toMatchObject([
      { name: "waitForScan", status: "failed", error: { name: "WaitTimeoutError" } },
    ]);
  });

  /** §13.3, §13.4: what came before a wait of Durablex does not count. */
  it("does not look back in Durablex", async () => {
    const run = await stepwell().start("looks");
    await stepIs(run, "go", "waiting");
    await stepwell().send("note", 1, { run: run.id });
    await stepwell().send("go", null, { run: run.id });
    expect(await run.wait()).toBeNull();
  });

  /** §13.7, §13.2 */
  it("suspends a step of QUESTPIE", async () => {
    const run = await stepwell().start("suspends");
    expect(await run.wait()).toEqual([true, true]);
    expect(questpie.steps(await run.show())).toMatchObject([
      { name: "nothing", status: "completed", result: 1, error: null, attempts: 1 },
      { name: "hangs", status: "failed", result: null, attempts: 1 },
    ]);
  });

  /** §13.8 */
  it("takes steps of QUESTPIE back", async () => {
    const run = await stepwell().start("undoes");
    await expect.poll(async () => (await run.show()).status, { timeout: 60_000 }).toBe("failed");
    const { steps } = await run.show();
    expect(questpie.steps({ steps }).map(({ name, status }) => [name, status])).toEqual([
      ["make", "completed"],
      ["fails", "failed"],
      ["compensate make", "completed"],
      ["onFailure", "completed"],
    ]);
    expect(steps.flatMap(({ logs }) => logs.map(({ message }) => message))).toEqual([
      "undo m-1",
      "step `fails` failed after 1 attempt: no",
    ]);
  });
});
