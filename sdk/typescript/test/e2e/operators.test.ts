import { app, client, NonRetryableError, type Runner, workflow } from "stepwell";
import { hasServer, TestServer } from "stepwell/test";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { rejectionOf } from "../support.js";
import { shown, stepIs } from "./shown.js";

/** What the test opens, one call after another. */
class Gate {
  calls = 0;
  #open: () => void = () => undefined;
  readonly opened: Promise<void> = new Promise((resolve) => {
    this.#open = resolve;
  });

  open(): void {
    this.#open();
  }
}

let gate = new Gate();
let left = 0;
const undone: string[] = [];

const held = workflow({ name: "held" }, async ({ step }) => {
  await step.run("works", async () => {
    gate.calls++;
    await gate.opened;
    return gate.calls;
  });
  const event = await step.waitForEvent("waits", { event: "held.go" });
  return await step.run("after", () => [++gate.calls, event]);
});

const backs = workflow({ name: "backs off" }, ({ step }) =>
  step.run(
    "busy",
    ({ attempt }) => {
      if (attempt < 3) throw new Error("busy");
      return attempt;
    },
    { retry: { maxAttempts: 3, backoff: "1h", maxBackoff: "1d" } },
  ),
);

const again = workflow(
  { name: "again", retry: { maxAttempts: 3, backoff: "20ms" } },
  async ({ step }) => {
    const kept = await step.run("kept", () => ++left);
    await step.run("fails", () => {
      if (++left < 4) throw new NonRetryableError("not yet");
    });
    return kept;
  },
);

const priced = workflow({ name: "priced" }, async ({ input, step }) => {
  const price = await step.run("price", () => (input as { cents: number }).cents);
  const rate = await step.run("rate", () => 2);
  return await step.run("sum", () => {
    if (price * rate > 1_000) throw new NonRetryableError("too much");
    return price * rate;
  });
});

const takesBack = workflow({ name: "takes back", compensateOnCancel: true }, async ({ step }) => {
  await step.run("one", () => 1, {
    compensate: async () => {
      undone.push("began");
      await gate.opened;
      undone.push("ended");
    },
  });
  await step.waitForEvent("waits", { event: "never" });
});

const wire = workflow({ name: "wire" }, ({ step }) =>
  step.run("wire", () => new Promise(() => undefined), { timeout: "20ms", atMostOnce: true }),
);

const shop = app("shop", { workflows: [held, backs, again, priced, takesBack, wire] });

describe.skipIf(!hasServer())("operators of a real server", { timeout: 120_000 }, () => {
  let server: TestServer;
  let runner: Runner;
  const stepwell = (): ReturnType<typeof client> => client({ url: server.url });

  beforeAll(async () => {
    server = await TestServer.start({ args: ["--linger", "50ms", "--grace", "200ms"] });
    runner = await shop.serve({ url: server.url, log: false });
  }, 60_000);

  afterAll(async () => {
    // A function hangs for ever.
    await runner?.stop({ timeout: "100ms" });
    await server?.stop();
  });

  /** §9.6: what runs ends and is recorded; events go on, and take effect when the run goes on. */
  it("pause and resume a run", async () => {
    gate = new Gate();
    const run = await stepwell().start(held);
    await expect.poll(() => gate.calls).toBe(1);
    expect(await run.pause({ by: "ada", reason: "a look" })).toBe("paused");
    gate.open();
    await stepIs(run, "works", "completed");
    await stepwell().send("held.go", 7);
    const paused = await run.show();
    expect(paused.steps.map(({ id }) => id)).toEqual(["works"]);
    expect(paused.paused).toMatchObject({ by: "ada", reason: "a look" });
    expect((await run.why()).why).toContain("ada");
    await run.resume({ by: "bob" });
    expect(await run.wait()).toEqual([2, 7]);
    const acts = (await run.show()).history.map(({ what, by }) => [what, by]);
    expect(acts).toEqual(
      expect.arrayContaining([
        ["paused", "ada"],
        ["resumed", "bob"],
      ]),
    );
  });

  /** §9.6: a wait that is parked ends while the run is paused; its code goes on at resume. */
  it("hold back a run that waits", async () => {
    gate = new Gate();
    gate.open();
    const run = await stepwell().start(held);
    await stepIs(run, "waits", "waiting");
    await run.pause();
    await stepwell().send("held.go", 8, { run: run.id });
    await stepIs(run, "waits", "completed");
    expect(gate.calls).toBe(1);
    await run.resume();
    expect(await run.wait()).toEqual([2, 8]);
  });

  /** §9.5: a backoff of an hour is over at once. */
  it("retry a step now", async () => {
    const run = await stepwell().start(backs);
    for (const n of [1, 2]) {
      await shown(
        run,
        ({ steps }) => steps[0]?.status === "retrying" && steps[0].attempts.length === n,
      );
      await run.retry({ by: "ada" });
    }
    expect(await run.wait()).toBe(3);
  });

  /** §6.5: the handler runs again with what completed; each run of it is shown. */
  it("see a handler run again", async () => {
    left = 0;
    const run = await stepwell().start(again);
    expect(await run.wait()).toBe(1);
    const { steps, generation } = await run.show();
    expect(generation).toBe(3);
    expect(steps.map(({ id, status }) => `${id} ${status}`)).toEqual([
      "kept completed",
      "fails failed",
      "fails failed",
      "fails completed",
    ]);
  });

  /** §6.6, §9.8: a run that ended is tried again by a fork, or from the beginning with another input. */
  it("fork and rerun a run that failed", async () => {
    const run = await stepwell().start(priced, { cents: 600 });
    await rejectionOf(run.wait());
    const forked = await run.fork({ outputs: { price: 400 }, by: "ada" });
    expect(await forked.wait()).toBe(800);
    const rerun = await run.rerun({ input: { cents: 7 } });
    expect(await rerun.wait()).toBe(14);
    expect(await run.status()).toBe("failed");
  });

  /** §7.6: a cancel during clean-up changes nothing; `terminate` stops it. */
  it("terminate a clean-up", async () => {
    gate = new Gate();
    const run = await stepwell().start(takesBack);
    await stepIs(run, "waits", "waiting");
    await run.cancel();
    await expect.poll(() => undone).toEqual(["began"]);
    expect(await run.cancel()).toBe("compensating");
    expect(await run.terminate({ by: "ada" })).toBe("cancelled");
    gate.open();
    const { status, history } = await run.show();
    expect([status, history.some(({ what, by }) => what === "terminated" && by === "ada")]).toEqual(
      ["cancelled", true],
    );
  });

  /** §4.5: nobody knows how it ended, until somebody does. */
  it("resolve a step whose outcome is unknown", async () => {
    const run = await stepwell().start(wire);
    await shown(run, ({ status }) => status === "blocked");
    await run.resolve("wire", { outcome: "completed", output: "wired" }, { by: "ada" });
    expect(await run.wait()).toBe("wired");
  });

  /** §4.10: another kind under an id blocks the run, until a build comes with which it goes on. */
  it("see a run blocked by code that changed, and go on with another build", async () => {
    await using own = await TestServer.start({ args: ["--linger", "50ms"] });
    const of = (second: "run" | "sleep"): Promise<Runner> => {
      const changes = workflow({ name: "changes" }, async ({ step }) => {
        await step.waitForEvent("go", { event: "changes.go" });
        if (second === "sleep") await step.sleep("second", "10ms");
        else await step.run("second", () => 2);
        await step.waitForEvent("end", { event: "changes.end" });
        return second;
      });
      return app("shop", { workflows: [changes] }).serve({
        url: own.url,
        build: `build ${second} ${Math.random()}`,
        log: false,
      });
    };
    const stepwell = client({ url: own.url });
    const first = await of("run");
    const run = await stepwell.start("changes");
    await stepwell.send("changes.go");
    await stepIs(run, "end", "waiting");
    await first.stop();
    const wrong = await of("sleep");
    await stepwell.send("changes.end");
    const { blocked, blockedBecause } = await shown(run, ({ status }) => status === "blocked");
    expect(blocked).toMatchObject({ kind: "kindChanged", step: "second" });
    expect(blockedBecause).toBe("step `second` is recorded as `run`, the code asks for `sleep`");
    await wrong.stop();
    const right = await of("run");
    expect(await run.wait()).toBe("run");
    await right.stop();
  });

  /** §4.1, §4.7, §4.9: a function that is in progress while the server restarts is not called again. */
  it("restart the server under a function", async () => {
    gate = new Gate();
    const first = await TestServer.start();
    await using own = await shop.serve({ url: first.url, log: false });
    const { id } = await client({ url: first.url }).start(held);
    await expect.poll(() => gate.calls).toBe(1);
    await using second = await first.restart();
    await expect
      .poll(async () => (await client({ url: second.url }).runners()).length, { timeout: 20_000 })
      .toBe(1);
    gate.open();
    await client({ url: second.url }).send("held.go", 9);
    expect(await client({ url: second.url }).run(id).wait()).toEqual([2, 9]);
    expect(own.name).toBe("shop");
  });
});
