/** Everything that the page of Loops about steps says: docs/coming-from/loops.md lists it. */

import { app, client, type RunHandle, type Runner, type RunView, ref } from "stepwell";
import { loop, stepStatus, timeline } from "stepwell/dialects/loops";
import { hasServer, TestServer } from "stepwell/test";
import { afterAll, beforeAll, describe, expect, expectTypeOf, it } from "vitest";
import { Checks, type Showable, until } from "./checks.ts";
import { care, dailyScan, program, row, rowsWith, shortScan } from "./loops.ts";
import { Gate, rejectionOf } from "./support.ts";

let gate = new Gate();
const calls: string[] = [];

/** Each of its steps fails where its input says so. */
const odd = loop({
  name: "odd",
  async run({ step, input }) {
    const name = String(input);
    if (name === "twice") await step.do("Once", async () => 1);
    if (name === "twice") await step.do("Once", async () => 2);
    if (name === "throws" || name === "well") await step.do("Goes well", async () => "well");
    if (name === "throws") {
      await step.do("Ask the records", async () => {
        throw new TypeError("no such patient");
      });
    }
    if (name === "no JSON") await step.do("Counts", async () => ({ pulse: 61n }) as never);
    if (name === "hangs") return await step.do("Hangs", async () => await gate.pass());
    return "done";
  },
});

/** Its names are what a person would write into a log. */
const NAMES = ["Ask Ada's records (2nd try)…", "  two  spaces", "größer & <b>bolder</b>", "✓ 完了"];
const named = loop({
  name: "named",
  async run({ step }) {
    for (const name of NAMES) await step.do(name, async () => undefined);
  },
});

/** Counts how often its functions are called. */
const counting = loop({
  name: "counting",
  async run({ step }) {
    const first = await step.do("First", async () => {
      calls.push("First");
      return { at: calls.length };
    });
    const scan: unknown = await step.waitForScan({ timeout: "1 hour" });
    const last = await step.do("Last", async () => {
      calls.push("Last");
      return "last";
    });
    return { first, scan, last };
  },
});

const ward = app("ward", { workflows: [odd, named, counting] });

describe.skipIf(!hasServer())("loops", () => {
  let server: TestServer;
  let runners: Runner[] = [];

  beforeAll(async () => {
    server = await TestServer.start({ args: ["--linger", "50ms"] });
    process.env.STEPWELL_URL = server.url;
    runners = [await care.serve({ log: false }), await ward.serve({ log: false })];
  });

  afterAll(async () => {
    for (const runner of runners) await runner.stop({ timeout: "100ms" });
    await server?.stop();
  });

  const start = async (name: string): Promise<RunHandle> =>
    await client({ url: server.url }).start(ref("odd"), name);
  const rowsOf = async (run: Showable) => timeline(await run.show());

  it("the program comes to its end", async () => {
    const checks = new Checks();
    await program(checks);
    expect(checks.made).toBeGreaterThan(5);
  });

  /** §13.1, §3.5: one row for each call, in their order, with timing and outcome. */
  it("each step has one row, in the order in which they ran", async () => {
    const run = await client({ url: server.url }).start(dailyScan, { patientId: "p-7" });
    await rowsWith(run, "waitForScan", "running");
    await client({ url: server.url }).send("scan", { pulse: 60, sleptHours: 8 }, { run: run.id });
    await run.wait();
    const rows = await rowsOf(run);
    expect(rows.map(({ name }) => name)).toEqual([
      "Load profile",
      "Ask for a scan",
      "waitForScan",
      "Send notification",
    ]);
    const began = rows.map(({ startedAt }) => Date.parse(startedAt ?? ""));
    expect(began).toEqual([...began].sort((a, b) => a - b));
    for (const { startedAt, completedAt, status } of rows) {
      expect(Date.parse(completedAt ?? "")).toBeGreaterThanOrEqual(Date.parse(startedAt ?? ""));
      expect(status).toBe("succeeded");
    }
  });

  /** §2.5: the name is the step's id, to the letter. */
  it("names are kept to the letter", async () => {
    const run = await client({ url: server.url }).start(named);
    await run.wait();
    expect((await rowsOf(run)).map(({ name }) => name)).toEqual(NAMES);
  });

  /** §2.5: a name is used once in a run. */
  it("a name that is used twice is refused", async () => {
    const run = await start("twice");
    expect(String(await rejectionOf(run.wait()))).toContain("DuplicateStepIdError");
    expect((await rowsOf(run)).map(({ name, return: gave }) => [name, gave])).toEqual([
      ["Once", 1],
    ]);
  });

  /** §3.3: when a step began is known, and that it has not ended. */
  it("a step in flight runs, and has not completed", async () => {
    gate = new Gate();
    const run = await start("hangs");
    const [open] = await rowsWith(run, "Hangs", "running");
    expect(open?.startedAt).not.toBeNull();
    expect(open?.completedAt).toBeNull();
    expect(open?.return ?? null).toBeNull();
    gate.open();
    await run.wait();
    const [ended] = await rowsOf(run);
    expect(ended).toMatchObject({ status: "succeeded", return: 1, startedAt: open?.startedAt });
    expect(ended?.completedAt).not.toBeNull();
  });

  /** §3.1: what lost its runner is registered, and begins when there is one again. */
  it("a step that is known and has not begun is pending", async () => {
    gate = new Gate();
    const run = await start("hangs");
    await rowsWith(run, "Hangs", "running");
    await runners[1]?.stop({ timeout: "100ms" });
    const [pending] = await rowsWith(run, "Hangs", "pending");
    expect(pending?.completedAt).toBeNull();
    runners[1] = await ward.serve({ url: server.url, log: false });
    await rowsWith(run, "Hangs", "running");
    gate.open();
    expect(await run.wait()).toBe(2);
  });

  /** §2.6: results are JSON; what is none fails the step. */
  it("what a callback returns is kept as JSON, and has to be JSON", async () => {
    const run = await client({ url: server.url }).start(dailyScan, { patientId: "p-7" });
    await rowsWith(run, "waitForScan", "running");
    const [first] = await rowsOf(run);
    expect(first).toMatchObject({
      status: "succeeded",
      return: { id: "p-7", region: "north", plan: "plus" },
    });
    await run.cancel();
    const wrong = await start("no JSON");
    expect(String(await rejectionOf(wrong.wait()))).toContain("is not JSON");
    expect((await rowsOf(wrong))[0]).toMatchObject({ name: "Counts", status: "failed" });
  });

  /** §6.3, §13.5: one attempt; the row says why, and only that row has an error. */
  it("a callback that throws fails its step, with message and stack", async () => {
    const run = await start("throws");
    expect(String(await rejectionOf(run.wait()))).toContain("no such patient");
    const rows = await rowsOf(run);
    const well = row(rows, "Goes well");
    expect(well).toMatchObject({ status: "succeeded", return: "well" });
    expect(well).not.toHaveProperty("error");
    const failed = row(rows, "Ask the records");
    expect(failed.status).toBe("failed");
    expect(failed.error?.message).toBe("no such patient");
    expect(failed.error?.stack).toContain("loops.test.ts");
    expect((await run.show()).steps.at(-1)?.attempts).toHaveLength(1);
  });

  /** §2.4, §8.6: a wait is a row as others are; its return is what came. */
  it("a wait runs until its scan comes, which is its return", async () => {
    const stepwell = client({ url: server.url });
    const run = await stepwell.start(dailyScan, { patientId: "p-7" });
    const waiting = row(await rowsWith(run, "waitForScan", "running"), "waitForScan");
    expect(waiting.startedAt).not.toBeNull();
    expect(waiting.completedAt).toBeNull();
    const other = await stepwell.start(dailyScan, { patientId: "p-7" });
    await rowsWith(other, "waitForScan", "running");
    await stepwell.send("scan", { pulse: 72, sleptHours: 6 }, { run: run.id });
    expect(await run.wait()).toMatchObject({ pulse: 72 });
    expect(row(await rowsOf(run), "waitForScan")).toMatchObject({
      status: "succeeded",
      return: { pulse: 72, sleptHours: 6 },
    });
    // It was for one run, and the other one waits on.
    expect(row(await rowsOf(other), "waitForScan").status).toBe("running");
    await other.cancel();
  });

  /** §8.6, §13.3: `onTimeout: "fail"`. */
  it("a wait that is over in vain has failed, and has no return", async () => {
    const run = await client({ url: server.url }).start(shortScan);
    expect(String(await rejectionOf(run.wait()))).toContain("WaitTimeoutError");
    const [missed] = await rowsOf(run);
    expect(missed).toMatchObject({ name: "waitForScan", status: "failed" });
    expect(missed?.return ?? null).toBeNull();
    expect(missed?.error?.message).toBe("no event `scan` came in time");
    expect(missed?.completedAt).not.toBeNull();
  });

  /** §4.1, §3.5: a replay calls nothing again, and changes no row. */
  it("a replay calls nothing again, and its rows are those that they were", async () => {
    calls.length = 0;
    const stepwell = client({ url: server.url });
    const run = await stepwell.start(counting);
    await rowsWith(run, "waitForScan", "running");
    const before = await rowsOf(run);
    await runners[1]?.stop();
    runners[1] = await ward.serve({ url: server.url, log: false });
    await stepwell.send("scan", 7, { run: run.id });
    expect(await run.wait()).toEqual({ first: { at: 1 }, scan: 7, last: "last" });
    expect(calls).toEqual(["First", "Last"]);
    const after = await rowsOf(run);
    expect(after[0]).toEqual(before[0]);
    const members = after.map((one) => Object.keys(one).sort());
    expect(members[0]).toEqual(members[2]);
  });

  /** §13.2: the four words, and what they stand for. */
  it("statuses are pending, running, succeeded and failed", async () => {
    const words = (["pending", "running", "retrying", "sleeping", "waiting"] as const).map(
      stepStatus,
    );
    expect(words).toEqual(["pending", "running", "running", "running", "running"]);
    const ends = (
      ["completed", "skipped", "failed", "timed_out", "cancelled", "unknown"] as const
    ).map(stepStatus);
    expect(ends).toEqual(["succeeded", "succeeded", "failed", "failed", "failed", "failed"]);
    const run = await start("well");
    await run.wait();
    expect((await rowsOf(run)).map(({ status }) => status)).toEqual(["succeeded"]);
    const view = await fetch(`${server.url}/api/v1/runs/${run.id}?dialect=loops`);
    const { steps } = (await view.json()) as RunView;
    expect(steps.map(({ status }) => status)).toEqual(["succeeded"]);
  });

  /** §13.1: what TypeScript would infer on the page is inferred. */
  it("types are those of the callbacks and of the scan", async () => {
    loop({
      name: "typed",
      async run({ step, ctx }) {
        const profile = await step.do("Load", async () => ({ region: "north", at: new Date(0) }));
        expectTypeOf(profile).toEqualTypeOf<{ region: string; at: string }>();
        expectTypeOf(ctx.runId).toBeString();
        const nothing = await step.do("Tell", async () => {});
        expectTypeOf(nothing).toBeVoid();
      },
    });
    expectTypeOf<Parameters<typeof stepStatus>[0]>().not.toBeAny();
    expect(await until(async () => dailyScan.name, Boolean)).toBe("daily-scan");
  });
});
