import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { WebSocket } from "ws";
import {
  client,
  RefusedError,
  RunCancelledError,
  RunFailedError,
  RunNotEndedError,
} from "../src/index.js";
import { hasServer, TestServer } from "../src/test/index.js";
import { type RawEnd, rawRunner } from "./raw-runner.js";
import { rejectionOf } from "./support.js";

const ORDER = { type: "object", properties: { order: { type: "string" } }, required: ["order"] };

function end(workflow: string, input: unknown): RawEnd {
  if (workflow === "echo") return { output: input };
  if (workflow === "none") return {};
  if (workflow === "bad") return { error: { name: "Oops", message: "no" } };
  return undefined;
}

describe.skipIf(!hasServer())("a client of a real server", () => {
  let server: TestServer;
  let runner: WebSocket;
  const stepwell = (): ReturnType<typeof client> => client({ url: server.url });

  beforeAll(async () => {
    server = await TestServer.start();
    const names = [
      { name: "echo", inputSchema: ORDER },
      { name: "none" },
      { name: "bad" },
      { name: "stays" },
    ];
    runner = await rawRunner(server.url, names, end);
  }, 20_000);

  afterAll(async () => {
    runner.close();
    await server.stop();
  });

  /** §4.8, §9.1: a start is durable when it is answered; a repeat gives the first run. */
  it("starts runs and reads what they give", async () => {
    const run = await stepwell().start("echo", { order: "o" }, { key: "k", search: { n: 7 } });
    expect(await run.wait()).toEqual({ order: "o" });
    const again = await stepwell().start("echo", { order: "o" }, { key: "k" });
    expect(again).toMatchObject({ id: run.id, created: false });
    expect(await stepwell().startAndWait("none")).toBeNull();
    const found = await stepwell().list({ search: { n: { ">": 6 } } });
    expect(found.runs.map((one) => one.id)).toEqual([run.id]);
    const rerun = await run.rerun({ input: { order: "p" }, by: "ann" });
    expect(await rerun.wait()).toEqual({ order: "p" });
    expect(await run.show()).toMatchObject({
      id: run.id,
      status: "completed",
      output: { order: "o" },
    });
  });

  /** §9.1: the server checks inputs too, and says where they do not fit. */
  it("is told why a start is refused", async () => {
    const unfit = await rejectionOf(stepwell().start("echo", { order: 7 }));
    expect(RefusedError.is(unfit) && unfit).toMatchObject({
      code: "SW2006",
      status: 422,
      issues: [{ path: "/order" }],
    });
    const unknown = await rejectionOf(stepwell().start("nope"));
    expect(RefusedError.is(unknown) && unknown.code).toBe("SW2002");
    const key = await stepwell().start("none", undefined, { key: "one" });
    const other = await rejectionOf(stepwell().start("none", 1, { key: "one" }));
    expect([key.created, RefusedError.is(other) && other.status]).toEqual([true, 409]);
  });

  it("throws as a run ended", async () => {
    const failed = await rejectionOf(stepwell().startAndWait("bad"));
    expect(RunFailedError.is(failed) && failed.cause).toMatchObject({
      name: "Oops",
      message: "no",
    });
    const run = await stepwell().start("stays");
    const late = await rejectionOf(run.wait({ timeout: "1ms" }));
    expect(RunNotEndedError.is(late) && late.runId).toBe(run.id);
    await run.cancel({ by: "ann", reason: "not needed" });
    const cancelled = await rejectionOf(run.wait());
    expect(RunCancelledError.is(cancelled) && cancelled.runId).toBe(run.id);
    expect((await run.show()).history).toContainEqual(
      expect.objectContaining({ what: "cancelled", by: "ann", detail: "not needed" }),
    );
  });

  /** §9.5, §9.6, §9.7: what operators do, and why a run does not move. */
  it("acts on runs", async () => {
    const run = await stepwell().start("none", undefined, { delay: "1h" });
    expect((await run.why()).cause).toBe("delayed");
    expect(await run.pause({ by: "ann" })).toBe("paused");
    expect((await run.why()).cause).toBe("paused");
    expect(await run.resume()).toBe("waiting");
    expect(await run.retry()).toBe("waiting");
    expect(await run.terminate({ reason: "over" })).toBe("cancelled");
    expect(await run.status()).toBe("cancelled");
    const refused = await rejectionOf(run.pause());
    expect(RefusedError.is(refused) && refused.code).toBe("SW2005");
    const unresolved = await rejectionOf(run.resolve("a", { outcome: "notDone" }));
    expect(RefusedError.is(unresolved) && unresolved.code).toBe("SW2005");
    const unforked = await rejectionOf(run.fork({ step: "a" }));
    expect(RefusedError.is(unforked) && unforked.code).toBe("SW2012");
  });

  /** §8.1, §8.7, §8.10: events and what they did. */
  it("sends events", async () => {
    const sent = await stepwell().send("order.paid", { order: 7 }, { id: "p-7" });
    expect(sent).toEqual({ id: "p-7", accepted: true });
    expect(await stepwell().send("order.paid", { order: 7 }, { id: "p-7" })).toEqual({
      id: "p-7",
      accepted: false,
    });
    const nobody = await stepwell().send("order.paid", null, {
      run: "run_0193b5e4000070008000000000000000",
    });
    expect(nobody).toMatchObject({ delivered: 0, reason: expect.any(String) });
    const { events } = await stepwell().events("order.paid", { limit: 1 });
    expect(events).toMatchObject([{ id: "p-7", data: { order: 7 } }]);
    expect(await stepwell().event("p-7")).toMatchObject({
      event: "order.paid",
      runsStarted: [],
      nearMisses: [],
    });
  });

  it("lists workflows and runners", async () => {
    const names = (await stepwell().workflows({ app: "shop" })).map((one) => one.name);
    expect(names.sort()).toEqual(["bad", "echo", "none", "stays"]);
    expect(await stepwell().runners()).toMatchObject([{ app: "shop", name: "raw", slots: 10 }]);
  });
});
