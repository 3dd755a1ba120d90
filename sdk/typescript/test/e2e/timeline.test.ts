import { app, client, type StepView, waits, workflow } from "stepwell";
import { hasServer, TestServer } from "stepwell/test";
import { describe, expect, it } from "vitest";
import { rejectionOf } from "../support.js";
import { shown, stepIs } from "./shown.js";

const scans = waits({
  waitForScan: {
    event: "scan.done",
    match: ({ run }: { run: string }) => ({ run }),
    onTimeout: "fail",
  },
});

const loop = workflow.withWaits(scans)({ name: "loop" }, async ({ step }) => {
  const profile = await step.run("Load profile", () => ({
    id: 7,
    region: "north",
    plan: undefined,
  }));
  await step.run("Generate health scan", ({ ctx }) => ctx.runId);
  const scan = await step.waitForScan({ timeout: "30 minutes" });
  await step.run("Send notification", () => undefined);
  return { profile, scan };
});

const quick = workflow.withWaits(scans)({ name: "quick" }, async ({ step }) => {
  await step.waitForScan({ timeout: "20ms" });
});

const broken = workflow({ name: "broken" }, async ({ step }) => {
  await step.run("Load profile", () => Promise.reject(new TypeError("no such patient")), {
    retry: false,
  });
});

const shop = app("care", { workflows: [loop, quick, broken], waits: scans });

describe.skipIf(!hasServer())("a run as a timeline", { timeout: 120_000 }, () => {
  /** §2.4, §3.1, §3.3, §3.5: one row for each step, in the order in which they ran. */
  it("shows each step with timing and outcome, while it runs and after", async () => {
    await using server = await TestServer.start();
    await using _runner = await shop.serve({ url: server.url, log: false });
    const stepwell = client({ url: server.url });
    const run = await stepwell.start(loop);
    const waiting = await stepIs(run, "wait waitForScan", "waiting");
    expect(waiting).toMatchObject({ kind: "namedWait", completedAt: null, output: null });
    expect(waiting.startedAt).not.toBeNull();
    await expect.poll(async () => (await run.why()).why).toContain("scan.done");
    // A scan for another run is none.
    await stepwell.send("scan.done", { run: "another", value: 1 });
    await stepwell.send("scan.done", { run: run.id, value: 2 });
    const output = { profile: { id: 7, region: "north" }, scan: { run: run.id, value: 2 } };
    expect(await run.wait()).toEqual(output);
    const rows = (await run.show()).steps.map(({ id, status, output: gave, error }) => {
      return [id.replace("\u001f", " "), status, gave, error];
    });
    expect(rows).toEqual([
      ["Load profile", "completed", { id: 7, region: "north" }, null],
      ["Generate health scan", "completed", run.id, null],
      ["wait waitForScan", "completed", { run: run.id, value: 2 }, null],
      ["Send notification", "completed", null, null],
    ]);
  });

  /** §8.6, §3.3: a wait that times out has failed here; a callback that threw has message and stack. */
  it("shows what failed, and why", async () => {
    await using server = await TestServer.start();
    await using _runner = await shop.serve({ url: server.url, log: false });
    const stepwell = client({ url: server.url });
    const late = await stepwell.start(quick);
    expect(String(await rejectionOf(late.wait()))).toContain("WaitTimeoutError");
    expect((await late.show()).steps[0]).toMatchObject({
      status: "failed",
      output: null,
      error: { name: "WaitTimeoutError", message: "no event `scan.done` came in time" },
    });
    const run = await stepwell.start(broken);
    await rejectionOf(run.wait());
    const [row] = (await run.show()).steps;
    expect(row).toMatchObject({ status: "failed", error: { message: "no such patient" } });
    expect(row?.error?.stack).toContain("timeline.test.ts");
  });

  /** §3.5: a step that was replayed shows as it did when it ran. */
  it("does not tell a replayed step from one that ran", async () => {
    const first = await TestServer.start();
    const runner = await shop.serve({ url: first.url, log: false });
    const { id } = await client({ url: first.url }).start(loop);
    await stepIs(client({ url: first.url }).run(id), "wait waitForScan", "waiting");
    const before = (await client({ url: first.url }).run(id).show()).steps;
    await runner.stop();
    await using server = await first.restart();
    await using _other = await shop.serve({ url: server.url, log: false });
    const stepwell = client({ url: server.url });
    await stepwell.send("scan.done", { run: id, value: 3 });
    await stepwell.run(id).wait();
    const after = (await shown(stepwell.run(id), ({ status }) => status === "completed")).steps;
    const plain = ({ attempts, ...row }: StepView): object => ({ ...row, tried: attempts.length });
    expect(after.slice(0, 2).map(plain)).toEqual(before.slice(0, 2).map(plain));
  });
});
