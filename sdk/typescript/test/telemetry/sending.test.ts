import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  createTelemetryClient,
  type TelemetryClient,
  type TelemetryOptions,
  type TelemetrySendError,
} from "../../src/telemetry/index.js";
import { FakeServer, type Reply } from "./server.js";

/** An address at which nobody listens. */
const NOBODY = "http://127.0.0.1:1";

const DOWN: Reply = { status: 500, body: { detail: "no room", code: "SW1007" } };

let server: FakeServer;
let clients: TelemetryClient[];
let errors: TelemetrySendError[];

beforeEach(async () => {
  server = await FakeServer.start();
  clients = [];
  errors = [];
});

afterEach(async () => {
  for (const client of clients) await client.close(1);
  await server.stop();
});

function telemetry(options: TelemetryOptions = {}): TelemetryClient {
  const client = createTelemetryClient({
    url: server.url,
    projectKey: "sw_project_key",
    onError: (error) => errors.push(error),
    ...options,
  });
  clients.push(client);
  return client;
}

async function steps(client: TelemetryClient, count: number): Promise<void> {
  const run = client.run("checkout", { runId: "req_1" });
  for (let n = 0; n < count; n += 1) await run.step(`step-${n}`, () => n);
}

describe("in the background", () => {
  /** §10.3: awaiting a step waits for its function only; events go in batches. */
  it("sends what comes together in one request, without being waited for", async () => {
    server.otherwise = "hang";
    const client = telemetry();
    await steps(client, 100);
    expect(server.requests).toHaveLength(0);
    await server.until(() => server.requests.length === 1);
    const [request] = server.requests;
    expect(request?.events).toHaveLength(200);
    expect(request?.path).toBe("/api/v1/telemetry");
    expect(request?.headers).toMatchObject({
      authorization: "Bearer sw_project_key",
      "content-type": "application/json",
    });
    expect(client.stats).toEqual({ recorded: 200, sent: 0, dropped: 0, pending: 200 });
  });

  /** §10.3: a batch is bounded. */
  it("sends many events in several requests, each one once and in order", async () => {
    const client = telemetry();
    await steps(client, 2_500);
    expect(await client.flush("60s")).toBe(true);
    expect(Math.max(...server.requests.map(({ events }) => events.length))).toBe(1_000);
    expect(Math.max(...server.requests.map(({ bytes }) => bytes))).toBeLessThan(512 * 1_024);
    expect(new Set(server.events.map(({ id }) => id)).size).toBe(5_000);
    const wanted = Array.from({ length: 2_500 }, (_, n) => [`step-${n}`, `step-${n}`]).flat();
    expect(server.events.map(({ step }) => step)).toEqual(wanted);
    expect(client.stats).toEqual({ recorded: 5_000, sent: 5_000, dropped: 0, pending: 0 });
  });

  it("keeps requests small where events are large", async () => {
    const client = telemetry();
    const run = client.run("checkout", { runId: "req_1" });
    const metadata = { text: "x".repeat(15_000) };
    for (let n = 0; n < 100; n += 1) await run.step(`step-${n}`, () => n, { metadata });
    expect(await client.flush("60s")).toBe(true);
    expect(server.events).toHaveLength(200);
    expect(Math.max(...server.requests.map(({ bytes }) => bytes))).toBeLessThan(300 * 1_024);
  });

  /** §10.3: what fails is tried again, with the ids that it had, and `onError` is told. */
  it.each<[string, Reply, string, number | undefined]>([
    ["fails", DOWN, "the server answered 500: no room (SW1007)", 500],
    [
      "is busy",
      { status: 503, headers: { "retry-after": "0" }, body: { detail: "full" } },
      "the server answered 503: full",
      503,
    ],
    ["has had too much", { status: 429, body: "slow down" }, "answered 429: slow down", 429],
    ["breaks off", "break", "the server was not reached: ", undefined],
  ])("tries again where the server %s", async (_, reply, why, status) => {
    server.replies.push(reply);
    const client = telemetry();
    await steps(client, 1);
    await server.until(() => server.requests.length === 2);
    expect(await client.flush("60s")).toBe(true);
    const ids = server.requests.map(({ events }) => events.map(({ id }) => id));
    expect(ids[1]).toEqual(ids[0]);
    expect(client.stats).toMatchObject({ sent: 2, dropped: 0 });
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatchObject({ name: "TelemetrySendError", events: 2, isLost: false });
    expect(errors[0]?.status).toBe(status);
    expect(errors[0]?.message).toContain(why);
  });

  /** §10.3: what is refused is not tried again: it is dropped and counted. */
  it.each([400, 401, 403, 404, 413, 415])("drops what is answered %d", async (status) => {
    server.replies.push({ status, body: { detail: "no", code: "SW1010" } });
    const client = telemetry();
    await steps(client, 1);
    expect(await client.flush("60s")).toBe(false);
    expect(client.stats).toEqual({ recorded: 2, sent: 0, dropped: 2, pending: 0 });
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatchObject({ events: 2, isLost: true, status });
    await client.run("checkout", { runId: "req_2" }).skip("a");
    expect(await client.flush("60s")).toBe(true);
    expect(server.requests).toHaveLength(2);
    expect(client.stats).toMatchObject({ sent: 1, dropped: 2 });
  });

  it("counts events that the server refuses among others that it takes", async () => {
    const client = telemetry();
    const refused = [{ index: 1, code: "SW1001", detail: "`at` is in the future" }];
    server.replies.push({ status: 200, body: { accepted: 3, refused, refusedTotal: 1 } });
    await steps(client, 2);
    expect(await client.flush("60s")).toBe(false);
    expect(client.stats).toMatchObject({ sent: 3, dropped: 1, pending: 0 });
    expect(errors[0]).toMatchObject({ events: 1, isLost: true });
    expect(errors[0]?.message).toContain("`at` is in the future");
  });

  it("does not take any answer of 200 for one of the server", async () => {
    server.replies.push({ status: 200, body: "<html>hello</html>" });
    const client = telemetry();
    await steps(client, 1);
    expect(await client.flush("60s")).toBe(false);
    expect(client.stats).toMatchObject({ sent: 0, dropped: 2 });
  });

  /** §10.3: without `onError`, failures are counted and nothing else. */
  it("says nothing where nobody asks", async () => {
    server.replies.push({ status: 403 });
    const client = telemetry({ onError: undefined });
    await steps(client, 1);
    await client.flush("60s");
    expect(client.stats.dropped).toBe(2);
  });

  /** §10.3: what `onError` throws is swallowed. */
  it("is not troubled by what onError throws", async () => {
    server.replies.push(DOWN, DOWN);
    let calls = 0;
    const client = telemetry({
      onError: () => {
        calls += 1;
        if (calls === 1) throw new Error("in onError");
        return Promise.reject(new Error("later, in onError")) as never;
      },
    });
    await steps(client, 1);
    await server.until(() => server.requests.length === 3);
    expect(await client.flush("60s")).toBe(true);
    expect(calls).toBe(2);
  });

  /** §10.3: memory is bounded: of what is too much the oldest is dropped, and counted. */
  it("keeps the latest events where too many wait", async () => {
    server.otherwise = "hang";
    const client = telemetry();
    const run = client.run("checkout", { runId: "req_1" });
    await run.skip("first");
    await server.until(() => server.requests.length === 1);
    for (let n = 0; n < 60_000; n += 1) void run.skip(`s-${n}`);
    const { dropped, pending } = client.stats;
    expect(dropped).toBeGreaterThanOrEqual(10_000);
    expect(pending).toBe(60_001 - dropped);
    server.otherwise = undefined;
    await server.stop();
    expect(await client.flush(1)).toBe(false);
    expect(client.stats).toMatchObject({ recorded: 60_001, sent: 0 });
  });

  it("holds a bounded number of bytes", async () => {
    const client = telemetry({ url: NOBODY });
    const run = client.run("checkout", { runId: "req_1" });
    const metadata = { text: "x".repeat(15_000) };
    for (let n = 0; n < 2_000; n += 1) await run.step("large", () => n, { metadata });
    const { recorded, dropped, pending } = client.stats;
    expect([recorded, dropped + pending]).toEqual([4_000, 4_000]);
    // 16 MiB, at two bytes a character, and a batch that is on its way.
    expect(pending).toBeGreaterThan(900);
    expect(pending).toBeLessThan(1_300);
  });
});

describe("flush", () => {
  /** §10.3: what was recorded before is sent as it resolves. */
  it("sends at once what waits for others", async () => {
    const client = telemetry();
    await steps(client, 1);
    expect(await client.flush("60s")).toBe(true);
    expect(server.events).toHaveLength(2);
    expect(await client.flush("60s")).toBe(true);
    expect(server.requests).toHaveLength(1);
  });

  it("does not wait for what is recorded later", async () => {
    const client = telemetry();
    await steps(client, 1);
    const flushed = client.flush("60s");
    let isDone = false;
    const flood = (async () => {
      while (!isDone) {
        await steps(client, 10);
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    expect(await flushed).toBe(true);
    isDone = true;
    await flood;
    expect(client.stats.pending).toBeGreaterThan(0);
  });

  it("ends after its time where the server is away or hangs, and does not throw", async () => {
    server.otherwise = "hang";
    for (const url of [NOBODY, server.url]) {
      const client = telemetry({ url });
      await steps(client, 1);
      expect(await client.flush("100ms")).toBe(false);
      expect(client.stats).toMatchObject({ sent: 0, dropped: 0, pending: 2 });
    }
  });

  it("tries at once, also amid the pause after a failure", async () => {
    server.replies.push({ status: 503, headers: { "retry-after": "300" } });
    const client = telemetry();
    await steps(client, 1);
    await server.until(() => server.requests.length === 1);
    while (errors.length === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(await client.flush("60s")).toBe(true);
    expect(client.stats).toMatchObject({ sent: 2, dropped: 0 });
  });
});

describe("close", () => {
  /** §10.3: what is left is sent; later steps run their functions and are counted as dropped. */
  it("flushes, and lets functions run on", async () => {
    const client = telemetry();
    await steps(client, 1);
    expect(await client.close("60s")).toBe(true);
    expect(server.events).toHaveLength(2);
    const run = client.run("checkout", { runId: "req_2" });
    expect(await run.step("late", () => 7)).toBe(7);
    expect(client.stats).toEqual({ recorded: 4, sent: 2, dropped: 2, pending: 0 });
    expect(await client.close("60s")).toBe(true);
    expect(server.requests).toHaveLength(1);
  });

  it("gives up what cannot be sent, and counts it", async () => {
    const client = telemetry({ url: NOBODY });
    await steps(client, 1);
    expect(await client.close("50ms")).toBe(false);
    expect(client.stats).toEqual({ recorded: 2, sent: 0, dropped: 2, pending: 0 });
    expect(errors.at(-1)?.message).toContain("the client is closed");
  });

  it("is what `await using` does", async () => {
    const client = telemetry();
    await steps(client, 1);
    await client[Symbol.asyncDispose]();
    expect(server.events).toHaveLength(2);
  });
});
