/** Everything that the pages of Failpath about runs and events say: docs/coming-from/failpath.md lists it. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createFailpathClient, type FailpathClient, stepStatus } from "stepwell/dialects/failpath";
import { hasServer, TestServer } from "stepwell/test";
import { afterAll, beforeAll, describe, expect, expectTypeOf, it } from "vitest";
import { Checks } from "./checks.ts";
import { program as events } from "./failpath-events.ts";
import { program as runs, takeOrder } from "./failpath-runs.ts";
import { pushFlows, type ShownRun, shownRun, statuses } from "./observed.ts";
import { rejectionOf } from "./support.ts";

/** A server that takes connections and never answers. */
async function silent(): Promise<{ url: string; server: Server }> {
  const server = createServer(() => undefined);
  await once(server.listen(0, "127.0.0.1"), "listening");
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server };
}

describe.skipIf(!hasServer())("failpath", () => {
  let server: TestServer;
  let failpath: FailpathClient;
  const failures: string[] = [];

  beforeAll(async () => {
    server = await TestServer.start();
    process.env.STEPWELL_URL = server.url;
    process.env.FAILPATH_PROJECT_KEY = "sw_not_asked_for";
    await pushFlows(server.url);
    failpath = make();
  });
  afterAll(async () => {
    await failpath?.close("60s");
    await server?.stop();
    expect(failures.join()).toBe("");
  });

  function make(more: Parameters<typeof createFailpathClient>[0] = {}): FailpathClient {
    return createFailpathClient({
      url: server.url,
      onError: ({ message }) => failures.push(message),
      ...more,
    });
  }

  /** Resolves to a run of the flow that is declared, once all that was told of it is there. */
  async function told(run: string, count: number, flow = "order"): Promise<ShownRun> {
    await failpath.flush("60s");
    return await shownRun(flow, run, (shown) => shown.events === count, server.url);
  }

  const seen = async (run: string): Promise<number> =>
    (await fetch(`${server.url}/api/v1/flows/order/runs/${run}`)).status;

  it("both programs come to their end", async () => {
    const checks = new Checks();
    await runs(checks);
    const before = checks.made;
    expect(before).toBeGreaterThan(5);
    await events(checks);
    expect(checks.made).toBeGreaterThan(before + 8);
  });

  /** §10.2: up to two events for each call: it runs, and how it ended. */
  it("a step tells that it runs, then how it ended, and when", async () => {
    const run = failpath.run("order", { runId: "two-events" });
    await run.step("check-basket", () => 1);
    await rejectionOf(run.step("take-payment", () => Promise.reject(new Error("declined"))));
    const shown = await told("two-events", 4);
    expect(statuses(shown)).toMatchObject({ "check-basket": "success", "take-payment": "error" });
    const [check, pay] = shown.steps.flatMap(({ attempts }) => attempts);
    expect([check?.status, pay?.status]).toEqual(["success", "error"]);
    expect(check?.startedAt).not.toBeNull();
    expect(pay?.error?.message).toBe("declined");
  });

  /** §10.2: the function is called after that was told; the instants are those of the begin and the end. */
  it("running is told before the function is called, and the duration goes from there to the end", async () => {
    // Each event is sent and awaited: what the server knows while the function runs was told before it.
    const strict = make({ throwOnSendError: true });
    const run = strict.run("order", { runId: "before" });
    let during: ShownRun | null = null;
    const begun = Date.now();
    await run.step("check-basket", async () => {
      during = await shownRun("order", "before", ({ events }) => events === 1, server.url);
      await new Promise((resolve) => setTimeout(resolve, 30));
    });
    const took = Date.now() - begun;
    expect(during).toMatchObject({ status: "running", steps: [{ status: "running" }, {}, {}, {}] });
    const ended = await told("before", 2);
    const [attempt] = ended.steps[0]?.attempts ?? [];
    expect(attempt?.status).toBe("success");
    expect(attempt?.durationMs).toBeGreaterThanOrEqual(29);
    expect(attempt?.durationMs).toBeLessThanOrEqual(took + 1);
    await strict.close();
  });

  /** §10.5: nobody tells the end of what died. */
  it("a step whose process died stays running", async () => {
    const program = [
      'import { createFailpathClient } from "stepwell/dialects/failpath";',
      `const failpath = createFailpathClient({ url: ${JSON.stringify(server.url)} });`,
      'const run = failpath.run("order", { runId: "died" });',
      'await run.step("check-basket", () => 1);',
      'void run.step("take-payment", () => new Promise(() => setInterval(() => 1, 1000)));',
      "await failpath.flush();",
      'process.kill(process.pid, "SIGKILL");',
    ].join("\n");
    const cwd = new URL(".", import.meta.url);
    const child = spawn(process.execPath, ["--input-type=module", "-e", program], { cwd });
    const [, signal] = await once(child, "exit");
    expect(signal).toBe("SIGKILL");
    const shown = await told("died", 3);
    expect(shown.status).toBe("running");
    expect(statuses(shown)).toMatchObject({ "check-basket": "success", "take-payment": "running" });
    expect(shown.steps[1]?.attempts[0]).toMatchObject({ status: "running", durationMs: null });
  });

  /** §10.1, §10.2: the message, and the stack where the client was made so. */
  it("an error has its message, and its stack where captureStack says so", async () => {
    const fails = () => Promise.reject(new RangeError("too much"));
    await rejectionOf(failpath.run("order", { runId: "no-stack" }).step("take-payment", fails));
    const tracing = make({ captureStack: true });
    await rejectionOf(tracing.run("order", { runId: "stack" }).step("take-payment", fails));
    await tracing.close("60s");
    const errors = [await told("no-stack", 2), await told("stack", 2)].map(
      (shown) => shown.steps.find(({ key }) => key === "take-payment")?.attempts[0]?.error,
    );
    expect(errors.map((error) => error?.message)).toEqual(["too much", "too much"]);
    expect(errors[0]?.stack).toBeNull();
    expect(errors[1]?.stack).toContain("failpath.test.ts");
  });

  /** §10.2: the very same value, as if there were nothing around the function. */
  it("what a function throws comes out as it is, after it was told", async () => {
    const strict = make({ throwOnSendError: true });
    const run = strict.run("order", { runId: "same" });
    const thrown = Object.freeze({ code: 7 });
    let known: ShownRun | null = null;
    const caught = await run
      .step("take-payment", async () => Promise.reject(thrown))
      .catch(async (error: unknown) => {
        known = await shownRun("order", "same", ({ events }) => events === 2, server.url);
        return error;
      });
    expect(caught).toBe(thrown);
    expect(known).toMatchObject({ steps: [{}, { status: "error" }, {}, {}] });
    await strict.close();
    const answers = [
      await takeOrder(failpath, "expired", { items: ["pen"], card: "expired", gift: false }),
      await takeOrder(make({ enabled: false }), "e", {
        items: ["pen"],
        card: "expired",
        gift: false,
      }),
    ];
    expect(answers[0]).toEqual(answers[1]);
  });

  /** §10.2: a function's value goes through, whatever it is. */
  it("what a function gives comes out as it is", async () => {
    const run = failpath.run("order", { runId: "values" });
    const given = { at: new Date(0), say: () => "hello" };
    expect(await run.step("check-basket", () => given)).toBe(given);
    expect(await run.step("take-payment", async () => undefined)).toBeUndefined();
    const next = await run.step("mail-receipt", async () => `${given.say()} again`);
    expect(next).toBe("hello again");
    expectTypeOf(next).toBeString();
  });

  /** §10.2, §10.4: by hand, from wherever; each of three statuses. */
  it("steps are told by hand, with any of three statuses", async () => {
    await failpath.run("order", { runId: "hand" }).step("check-basket", () => 1);
    const elsewhere = make();
    const step = { flowKey: "order", runId: "hand" };
    await elsewhere.recordStep({ ...step, stepKey: "take-payment", status: "success" });
    await elsewhere.recordStep({ ...step, stepKey: "wrap-gift", status: "error" });
    await elsewhere.recordStep({ ...step, stepKey: "mail-receipt", status: "running" });
    await elsewhere.close("60s");
    const shown = await told("hand", 5);
    expect(statuses(shown)).toEqual({
      "check-basket": "success",
      "take-payment": "success",
      "wrap-gift": "error",
      "mail-receipt": "running",
    });
    // What began by hand ends by hand.
    await failpath.recordStep({ ...step, stepKey: "mail-receipt", status: "success" });
    const ended = await told("hand", 6);
    expect(ended.steps[3]?.attempts).toHaveLength(1);
    expect(statuses(ended)["mail-receipt"]).toBe("success");
  });

  /** §10.3: awaiting a step waits for its function only. */
  it("steps wait for nothing but their functions", async () => {
    const nowhere = await silent();
    const quiet = make({ url: nowhere.url, onError: () => undefined });
    const run = quiet.run("order", { runId: "unheard" });
    // No request is ever answered: if a step waited for one, this would not come to an end.
    for (let n = 0; n < 100; n += 1) expect(await run.step("check-basket", () => n)).toBe(n);
    await run.skip("wrap-gift");
    const step = { flowKey: "order", runId: "unheard", stepKey: "mail-receipt" } as const;
    await quiet.recordStep({ ...step, status: "success" });
    expect(quiet.stats).toMatchObject({ sent: 0, pending: 202 });
    await quiet.close(1);
    nowhere.server.closeAllConnections();
    nowhere.server.close();
  });

  /** §10.3: nothing is thrown; `onError` hears of it, unless errors are to be thrown. */
  it("failures to send are swallowed, told to onError, or thrown where that is asked for", async () => {
    const nowhere = await silent();
    nowhere.server.close();
    const heard: Error[] = [];
    const quiet = make({ url: nowhere.url, onError: (error) => heard.push(error) });
    expect(await quiet.run("order", { runId: "a" }).step("check-basket", () => 7)).toBe(7);
    await quiet.close(1);
    expect(heard.length).toBeGreaterThan(0);
    expect(heard[0]).toBeInstanceOf(Error);
    expect(quiet.stats.dropped).toBe(2);
    // Without anybody who is told it is as quiet.
    const mute = createFailpathClient({ url: nowhere.url });
    expect(await mute.run("order", { runId: "a" }).step("check-basket", () => 7)).toBe(7);
    await mute.close(1);
    const strict = make({ url: nowhere.url, throwOnSendError: true, onError: () => undefined });
    const called: number[] = [];
    const step = strict.run("order", { runId: "a" }).step("check-basket", () => called.push(1));
    expect((await rejectionOf(step)).name).toBe("TelemetrySendError");
    expect(called).toEqual([]);
  });

  /** §10.1: the key is that of the options, else of the variable. */
  it("the project key is given, or found in FAILPATH_PROJECT_KEY", async () => {
    const keys: (string | undefined)[] = [];
    const taker = createServer((request, response) => {
      keys.push(request.headers.authorization);
      request.resume();
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ accepted: 1, refused: [], refusedTotal: 0 }));
    });
    await once(taker.listen(0, "127.0.0.1"), "listening");
    const url = `http://127.0.0.1:${(taker.address() as AddressInfo).port}`;
    for (const client of [
      createFailpathClient({ url, projectKey: "fp_given" }),
      createFailpathClient({ url }),
    ]) {
      await client.run("order", { runId: "a" }).skip("wrap-gift");
      await client.close("60s");
    }
    expect(keys).toEqual(["Bearer fp_given", "Bearer sw_not_asked_for"]);
    taker.closeAllConnections();
    taker.close();
  });

  /** §10.7: metadata is sent and shown; what looks like a secret is not. */
  it("metadata is shown, but for what looks like a secret", async () => {
    const metadata = { orderId: "o-1", items: 3, statusCode: 402, password: "hunter2" };
    const run = failpath.run("order", { runId: "metadata" });
    await run.step("check-basket", () => 1, { metadata });
    const shown = await told("metadata", 2);
    expect(shown.steps[0]?.attempts[0]?.metadata).toEqual({ ...metadata, password: "[redacted]" });
  });

  /** §10.4: (flow, run id) is the run. */
  it("one run id is one run, and another one is another", async () => {
    await failpath.run("order", { runId: "req_1" }).step("check-basket", () => 1);
    await failpath.run("order", { runId: "req_1" }).step("take-payment", () => 1);
    await failpath.run("order", { runId: "req_2" }).step("take-payment", () => 1);
    await failpath.run("refund", { runId: "req_1" }).step("check-basket", () => 1);
    const [first, second] = [await told("req_1", 4), await told("req_2", 2)];
    const done = (shown: ShownRun) =>
      shown.steps.filter(({ status }) => status === "success").map(({ key }) => key);
    expect([done(first), done(second)]).toEqual([
      ["check-basket", "take-payment"],
      ["take-payment"],
    ]);
    expect(done(await told("req_1", 2, "refund"))).toEqual(["check-basket"]);
  });

  /** §10.4: a name of the program's own. */
  it("ids of requests, jobs and deliveries name runs", async () => {
    for (const id of ["req_8f3/a", "job:4711", "whd 2026-11-22T10:00Z"]) {
      await failpath.run("order", { runId: id }).step("check-basket", () => 1);
      expect((await told(id, 2)).status).toMatch(/^(running|completed)$/);
    }
  });

  /** §10.2: a run is a name. */
  it("a run sends nothing until one of its steps is called or skipped", async () => {
    const run = failpath.run("order", { runId: "lazy" });
    await failpath.flush("60s");
    const { recorded } = failpath.stats;
    expect(await seen("lazy")).toBe(404);
    failpath.run("order", { runId: "lazy-too" });
    expect(failpath.stats.recorded).toBe(recorded);
    await run.skip("wrap-gift");
    await told("lazy", 1);
    expect(await seen("lazy")).toBe(200);
    await run.step("check-basket", () => 1);
    await told("lazy", 3);
  });

  /** §10.5: what is skipped was left out, what is missing was forgotten. */
  it("a step that is skipped is shown as such, and one that nobody spoke of as missing", async () => {
    const run = failpath.run("order", { runId: "left-out" });
    await run.step("check-basket", () => 1);
    await run.step("take-payment", () => 1);
    await run.skip("wrap-gift");
    await failpath.flush("60s");
    const ended = ({ status }: ShownRun) => status === "completed";
    const shown = await shownRun("order", "left-out", ended, server.url);
    expect(statuses(shown)).toEqual({
      "check-basket": "success",
      "take-payment": "success",
      "wrap-gift": "skipped",
      "mail-receipt": "missing",
    });
    expect(shown.steps[2]?.attempts).toEqual([]);
  });

  /** §10.6: the flow is that of the file, with its steps and edges. */
  it("slug and keys are those of .failpath/flows.json", async () => {
    const answer = await fetch(`${server.url}/api/v1/flows/order`);
    const flow = (await answer.json()) as Record<string, unknown>;
    expect(JSON.stringify(flow)).toContain("Mail the receipt");
    const run = failpath.run("order", { runId: "declared" });
    await run.step("check-basket", () => 1);
    await run.step("somewhere-else", () => 1);
    const shown = await told("declared", 4);
    expect(shown.steps.map(({ key }) => key)).toEqual([
      ...["check-basket", "take-payment", "wrap-gift", "mail-receipt", "somewhere-else"],
    ]);
    expect(shown.steps.map((step) => Reflect.get(step, "declared"))).toEqual([
      ...[true, true, true, true, false],
    ]);
  });

  /** §13.2: the four words. */
  it("statuses are running, success, error and skipped", async () => {
    expect(
      (["running", "waiting", "completed", "skipped", "failed"] as const).map(stepStatus),
    ).toEqual([...["running", "running", "success", "skipped", "error"]]);
    const run = failpath.run("words", { runId: "all" });
    await run.step("good", () => 1);
    await run.skip("left-out");
    await rejectionOf(run.step("bad", () => Promise.reject(new Error("no"))));
    const shown = await told("all", 5, "words");
    expect(statuses(shown)).toEqual({ good: "success", "left-out": "skipped", bad: "error" });
    const native = await fetch(`${server.url}/api/v1/flows/words/runs/all`);
    const own = statuses((await native.json()) as ShownRun);
    expect(own).toEqual({ good: "completed", "left-out": "skipped", bad: "failed" });
  });
});
