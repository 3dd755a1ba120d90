import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { client } from "../../src/index.js";
import { BINARY, Server } from "../server.js";
import { Workshop } from "./process.js";

describe.skipIf(BINARY === undefined)("a runner of a real server", { timeout: 60_000 }, () => {
  let server: Server;
  const stepwell = (): ReturnType<typeof client> => client({ url: server.url });

  beforeAll(async () => {
    server = await Server.start(["--runner-ttl", "1500ms", "--ping", "300ms"]);
  }, 20_000);

  afterAll(async () => {
    await server[Symbol.asyncDispose]();
  });

  async function outcome(workflow: string, input: unknown): Promise<unknown> {
    return await stepwell().startAndWait(workflow, input);
  }

  /** §2: every sort of step gives what it is to give. */
  it("runs every sort of step", async () => {
    await using workshop = new Workshop(server.url);
    await workshop.runner();
    expect(await outcome("engine", { parcel: "p1" })).toEqual({
      nothing: null,
      value: 7,
      fail: "WaitTimeoutError",
      ok: { by: "ann" },
      scanned: { gate: 3 },
      doubled: { doubled: 42 },
      broken: ["RangeError", true],
      won: { winner: "quick", value: 1 },
    });
    expect(await outcome("loop", { n: 1 })).toBe("ended at 3");
  });

  /** §6.1, §6.2, §6.4: attempts end, are tried again, stop, and run out of time. */
  it("tries functions again", async () => {
    await using workshop = new Workshop(server.url);
    await workshop.runner();
    expect(await outcome("retries", null)).toEqual({
      third: 3,
      failed: [3, "TypeError", "step `fails` failed after 3 attempts: never"],
      stopped: 1,
      late: ["StepTimeoutError", 2],
    });
    expect(workshop.calls()).toEqual(["third 1", "third 2", "third 3"]);
  });

  /** §4.1, §4.2, §4.9: at every boundary a crash costs at most the function that ran. */
  it.each(["a:before", "a:after", "b:before", "c:after", "nap:after", "d:before", "d:after"])(
    "goes on after a crash at %s",
    async (point) => {
      await using workshop = new Workshop(server.url);
      const first = await workshop.runner(point);
      const crashed = once(first, "exit");
      const run = await stepwell().start("chain", { n: 1 });
      await crashed;
      await workshop.runner(point);
      expect(await run.wait()).toMatchObject({
        a: { n: 1, at: "1970-01-01T00:00:00.000Z" },
        sum: 9,
      });
      const calls = workshop.calls();
      const [step, when] = point.split(":");
      for (const id of ["a", "b", "c", "d"]) {
        const count = calls.filter((call) => call === id).length;
        // Functions that ran beside the one that crashed may have been lost with it.
        const most = id === step || "bc".includes(step ?? "") ? 2 : 1;
        expect(count, `${id} of ${calls}`).toBeGreaterThanOrEqual(1);
        expect(count, `${id} of ${calls}`).toBeLessThanOrEqual(
          when === "before" && id === step ? 1 : most,
        );
      }
    },
  );

  /** §7.3, §7.4, §7.5: what completed is taken back in reverse order, over crashes of the clean-up. */
  it.each(["none", "undo charge:before", "undo reserve:after", "onFailure:after"])(
    "takes steps back with a crash at %s",
    async (point) => {
      await using workshop = new Workshop(server.url);
      const first = await workshop.runner(point);
      const crashed = once(first, "exit");
      const run = await stepwell().start("saga", {});
      if (point !== "none") await crashed;
      if (point !== "none") await workshop.runner(point);
      await expect(run.wait()).rejects.toMatchObject({ name: "RunFailedError" });
      const calls = workshop.calls();
      const distinct = calls.filter((call, at) => calls.indexOf(call) === at);
      expect(distinct).toEqual([
        "reserve",
        "charge",
        "undo charge t",
        "undo reserve 7",
        "onFailure RangeError reserve,charge,pay [] failed",
      ]);
    },
  );

  /** §4.5: a start that was lost is not repeated; verify says what became of it. */
  it("starts a function at most once", async () => {
    await using workshop = new Workshop(server.url);
    const first = await workshop.runner("wire:after");
    const crashed = once(first, "exit");
    const run = await stepwell().start("once", null);
    await crashed;
    await workshop.runner();
    expect(await run.wait()).toBe("verified");
    expect(workshop.calls()).toEqual(["wire", "verify"]);
  });

  /** §4.7: a function that blocks its thread for longer than a grant lasts is called once. */
  it("keeps a run whose function blocks the event loop", async () => {
    await using workshop = new Workshop(server.url);
    await workshop.runner();
    await workshop.runner();
    expect(await outcome("block", { ms: 5_000 })).toBe("unblocked");
    expect(workshop.calls()).toEqual(["block"]);
  });

  /** §4.9: runners keep their runs while the server is away. */
  it("goes on with a server that comes back", async () => {
    await using workshop = new Workshop(server.url);
    await workshop.runner();
    const run = await stepwell().start("many", { n: 300 });
    await workshop.called(20);
    server = await server.restart();
    expect(await stepwell().run(run.id).wait()).toBe(300);
    const calls = workshop.calls().length;
    expect(calls).toBe(300);
  });

  /** §3.2, §4.1: a run that was given back is replayed without calling a function again. */
  it("replays a run that was evicted", async () => {
    await using workshop = new Workshop(server.url);
    await workshop.runner();
    expect(await outcome("many", { n: 100 })).toBe(100);
    expect(workshop.calls().length).toBe(100);
  });

  /** §2.2, §2.3: lines are stored with their step; what a handler logs is not repeated on replay. */
  it("stores lines", async () => {
    await using workshop = new Workshop(server.url);
    await workshop.runner();
    const run = await stepwell().start("logs", null);
    await run.wait();
    const shown = await run.show();
    const talk = shown.steps.find((step) => step.id === "talk");
    expect(talk?.logs.map((line) => line.message)).toEqual(['said {"n":1}']);
    expect(workshop.lines.filter((line) => line.endsWith("begin")).length).toBe(1);
    expect(workshop.lines.filter((line) => line.endsWith("end")).length).toBe(1);
  });

  /** §7.1, §7.3: a cancelled run is taken back where its workflow says so. */
  it("takes a cancelled run back", async () => {
    await using workshop = new Workshop(server.url);
    await workshop.runner();
    const run = await stepwell().start("saga", { waits: true });
    await workshop.called(2);
    await run.cancel();
    await expect(run.wait()).rejects.toMatchObject({ name: "RunCancelledError" });
    expect(workshop.calls()).toEqual([
      "reserve",
      "charge",
      "undo charge t",
      "undo reserve 7",
      // The race may have been decided before the cancel came, or not.
      expect.stringMatching(/^onFailure CancelledError reserve,charge(,pay)? \[\] cancelled$/),
    ]);
  });

  /** A graceful stop lets the function in progress end; the run goes on elsewhere at once. */
  it("stops gracefully", async () => {
    await using workshop = new Workshop(server.url);
    const first = await workshop.runner();
    const run = await stepwell().start("chain", { n: 2 });
    await workshop.called(1);
    const gone = once(first, "exit");
    first.kill("SIGTERM");
    expect(await gone).toEqual([0, null]);
    expect(workshop.lines).toContain("stopped");
    await workshop.runner();
    expect(await run.wait()).toMatchObject({ sum: 9 });
    expect(workshop.calls().toSorted()).toEqual(["a", "b", "c", "d"]);
  });
});
