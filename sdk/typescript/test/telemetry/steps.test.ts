import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  createTelemetryClient,
  type TelemetryClient,
  type TelemetryOptions,
} from "../../src/telemetry/index.js";
import { rejectionOf } from "../support.js";
import { type Event, FakeServer } from "./server.js";

let server: FakeServer;
let clients: TelemetryClient[];

beforeEach(async () => {
  server = await FakeServer.start();
  clients = [];
});

afterEach(async () => {
  for (const client of clients) await client.close("1s");
  await server.stop();
});

function telemetry(options: TelemetryOptions = {}): TelemetryClient {
  const client = createTelemetryClient({
    url: server.url,
    projectKey: "sw_project_key",
    ...options,
  });
  clients.push(client);
  return client;
}

/** Returns what came of each event, in order: its step and status. */
function told(events: readonly Event[] = server.events): string[] {
  return events.map(({ step, status }) => `${step} ${status}`);
}

describe("a run", () => {
  /** §10.2: creating a run sends nothing; events are sent when a step is called or skipped. */
  it("sends nothing as it is named", async () => {
    const client = telemetry();
    const run = client.run("checkout", { runId: "req_1", metadata: { region: "eu" } });
    expect([run.flowKey, run.runId]).toEqual(["checkout", "req_1"]);
    expect(client.stats).toEqual({ recorded: 0, sent: 0, dropped: 0, pending: 0 });
    expect(await client.flush("60s")).toBe(true);
    expect(server.requests).toEqual([]);
    await run.skip("gift-wrap");
    await client.flush("60s");
    expect(told()).toEqual(["gift-wrap skipped"]);
  });

  /** §10.2: `running` is told before the function is called, `success` once it has returned. */
  it("tells that a step began and how it ended, and gives what the function gives", async () => {
    const client = telemetry();
    const run = client.run("checkout", { runId: "req_1" });
    const cart = { items: [1, 2] };
    let recorded = -1;
    const value = await run.step("validate-cart", async () => {
      recorded = client.stats.recorded;
      return cart;
    });
    expect(value).toBe(cart);
    expect(recorded).toBe(1);
    expect(client.stats.recorded).toBe(2);
    expect(await client.flush("60s")).toBe(true);
    expect(told()).toEqual(["validate-cart running", "validate-cart success"]);
    const [begin, end] = server.events;
    expect(begin).toMatchObject({ flow: "checkout", run: "req_1" });
    expect(end).toMatchObject({ flow: "checkout", run: "req_1" });
    expect(end?.call).toBe(begin?.call);
    expect(end?.id).not.toBe(begin?.id);
    expect(end?.error).toBeUndefined();
  });

  /** §10.2: the function is called at once, and may be a plain one. */
  it("calls functions that return no promise, before it returns itself", async () => {
    const run = telemetry().run("checkout", { runId: "req_1" });
    let isCalled = false;
    const step = run.step("sum", () => {
      isCalled = true;
      return 7;
    });
    expect(isCalled).toBe(true);
    expect(step).toBeInstanceOf(Promise);
    expect(await step).toBe(7);
    expect(await run.step("none", () => undefined)).toBeUndefined();
  });

  /** §10.4: times are those at which it happened, in order, and the duration is that of the function. */
  it("tells when a step began and ended", async () => {
    const client = telemetry();
    const before = Date.now();
    await client.run("checkout", { runId: "req_1" }).step("wait", async () => {
      await new Promise((resolve) => setTimeout(resolve, 30));
    });
    const after = Date.now();
    await client.flush("60s");
    const [begin = Number.NaN, end = Number.NaN] = server.events.map(({ at }) => at);
    expect(begin).toBeGreaterThan(before - 100);
    expect(end).toBeLessThan(after + 100);
    expect(end - begin).toBeGreaterThan(28);
  });

  /** §10.4: each call has an id of its own: retries and loops under one run id are attempts. */
  it("tells calls of one step apart, in this client and in another one", async () => {
    const clientOf = [telemetry(), telemetry()];
    for (const client of [clientOf[0], clientOf[0], clientOf[1]]) {
      await client?.run("job", { runId: "job_7" }).step("send", () => "sent");
    }
    for (const client of clientOf) await client.flush("60s");
    expect(new Set(server.events.map(({ call }) => call)).size).toBe(3);
    expect(new Set(server.events.map(({ id }) => id)).size).toBe(6);
    expect(new Set(server.events.map(({ run }) => run))).toEqual(new Set(["job_7"]));
  });

  /** §10.2: a skipped step is told as such, and nothing is called. */
  it("tells what is skipped, of which no call is known", async () => {
    const client = telemetry();
    await client.run("checkout", { runId: "req_1" }).skip("send-receipt-email");
    await client.flush("60s");
    expect(server.events).toHaveLength(1);
    expect(server.events[0]).toMatchObject({ step: "send-receipt-email", status: "skipped" });
    expect(server.events[0]).not.toHaveProperty("call");
  });

  /** §10.1, §10.2: metadata of the client, the run and the step. */
  it("takes metadata along: the run's once, the step's with its beginning", async () => {
    const client = telemetry({ defaultMetadata: { service: "shop", region: "eu" } });
    const run = client.run("checkout", { runId: "req_1", metadata: { region: "us", tenant: 7 } });
    await run.step("charge", () => 1, { metadata: { cents: 500 } });
    await run.step("ship", () => 1);
    await client.flush("60s");
    const [first, ...others] = server.events;
    expect(first?.runMetadata).toEqual({ service: "shop", region: "us", tenant: 7 });
    expect(first?.metadata).toEqual({ cents: 500 });
    for (const event of others) {
      expect(event).not.toHaveProperty("runMetadata");
      expect(event).not.toHaveProperty("metadata");
    }
  });

  /** §10.2: metadata is taken as it is at the call. */
  it("is not touched by what becomes of the metadata later", async () => {
    const client = telemetry();
    const metadata = { tries: 1 };
    await client.run("checkout", { runId: "req_1" }).step("charge", () => 1, { metadata });
    metadata.tries = 2;
    await client.flush("60s");
    expect(server.events[0]?.metadata).toEqual({ tries: 1 });
  });

  it("names the process that sends, and the trace that it is in", async () => {
    const client = telemetry();
    const traceId = "4BF92F3577B34DA6A3CE929D0E0E4736";
    await client.run("checkout", { runId: "req_1", traceId }).skip("a");
    await client.run("checkout", { runId: "req_2" }).skip("a");
    await client.flush("60s");
    expect(server.requests[0]?.process).toContain(String(process.pid));
    expect(server.events.map(({ trace }) => trace)).toEqual([traceId.toLowerCase(), undefined]);
  });

  it("takes the trace of the active span of OpenTelemetry", async () => {
    const api = Symbol.for("opentelemetry.js.api.1");
    const span = { spanContext: () => ({ traceId: "4bf92f3577b34da6a3ce929d0e0e4736" }) };
    const key = Symbol.for("OpenTelemetry Context Key SPAN");
    const active = (): unknown => ({ getValue: (asked: symbol) => asked === key && span });
    Reflect.set(globalThis, api, { context: { active } });
    try {
      const client = telemetry();
      await client.run("checkout", { runId: "req_1" }).skip("a");
      await client.flush("60s");
      expect(server.events[0]?.trace).toBe("4bf92f3577b34da6a3ce929d0e0e4736");
    } finally {
      Reflect.deleteProperty(globalThis, api);
    }
  });
});

describe("what a step throws", () => {
  const hostile = new Proxy(
    {},
    {
      get() {
        throw new Error("trap");
      },
      getPrototypeOf() {
        throw new Error("trap");
      },
      ownKeys() {
        throw new Error("trap");
      },
    },
  );
  const odd = Object.freeze({
    get message(): string {
      throw new Error("no message");
    },
    toString(): string {
      throw new Error("no text");
    },
    toJSON(): string {
      throw new Error("no JSON");
    },
  });
  const values: readonly (() => unknown)[] = [
    () => new TypeError("no luck"),
    () => "a text",
    () => undefined,
    () => null,
    () => 0,
    () => 7n,
    () => Symbol("s"),
    () => Object.freeze(new RangeError("frozen")),
    () => Object.freeze({ code: 7 }),
    () => Object.create(null),
    () => odd,
    () => hostile,
    () => () => 1,
    () => new AggregateError([new Error("one"), new Error("two")]),
  ];

  /** §10.2: the very same value comes out, whatever it is, and is told. */
  it("is thrown on as it is", async () => {
    const client = telemetry({ captureStack: true });
    const run = client.run("checkout", { runId: "req_1" });
    for (const make of values) {
      const thrown = make();
      const isSame = (error: unknown): boolean => Object.is(error, thrown);
      const later = run.step("later", async () => {
        await Promise.resolve();
        throw thrown;
      });
      expect(await later.then(() => false, isSame)).toBe(true);
      const atOnce = run.step("at-once", () => {
        throw thrown;
      });
      expect(await atOnce.then(() => false, isSame)).toBe(true);
    }
    expect(await client.flush("60s")).toBe(true);
    const errors = server.events.filter(({ status }) => status === "error");
    expect(errors).toHaveLength(values.length * 2);
    expect(client.stats).toMatchObject({ sent: values.length * 4, dropped: 0, pending: 0 });
    const messages = errors.filter(({ step }) => step === "later").map(({ error }) => error);
    const texts = messages.map((error) => error?.message);
    expect(texts.slice(0, 9)).toEqual([
      "no luck",
      "a text",
      "undefined",
      "null",
      "0",
      "7",
      "Symbol(s)",
      "frozen",
      '{"code":7}',
    ]);
    expect(messages[0]?.name).toBe("TypeError");
    expect(messages[1]).toEqual({ name: "Error", message: "a text" });
    expect(texts.at(-1)).toBe("one; two");
  });

  /** §10.2: an `error` event after `running`, with the call that threw. */
  it("is told with its call", async () => {
    const client = telemetry();
    const run = client.run("checkout", { runId: "req_1" });
    const error = new Error("card declined");
    const thrown = await rejectionOf(
      run.step("charge-card", async () => {
        throw error;
      }),
    );
    expect(thrown).toBe(error);
    await client.flush("60s");
    expect(told()).toEqual(["charge-card running", "charge-card error"]);
    expect(server.events[1]?.call).toBe(server.events[0]?.call);
    expect(server.events[1]?.error).toEqual({ name: "Error", message: "card declined" });
  });

  /** §10.1, §10.2: the stack is sent only where it is asked for. */
  it("is told with its stack where that is asked for", async () => {
    for (const captureStack of [undefined, false, true]) {
      const client = telemetry({ captureStack });
      const fails = client.run("checkout", { runId: `req ${captureStack}` }).step("a", () => {
        throw new Error("no");
      });
      await rejectionOf(fails);
      await client.flush("60s");
    }
    const stacks = server.events.filter(({ error }) => error).map(({ error }) => error?.stack);
    expect(stacks.slice(0, 2)).toEqual([undefined, undefined]);
    expect(stacks[2]).toContain("steps.test.ts");
  });

  it("is bounded", async () => {
    const client = telemetry();
    const thrown = new Error("ä".repeat(1_000_000));
    await rejectionOf(
      client.run("checkout", { runId: "req_1" }).step("a", () => Promise.reject(thrown)),
    );
    await client.flush("60s");
    const message = server.events[1]?.error?.message ?? "";
    expect(Buffer.byteLength(message)).toBeGreaterThan(8_000);
    expect(Buffer.byteLength(message)).toBeLessThan(8_200);
  });
});

describe("a step that is told by hand", () => {
  /** §10.2, §10.4: it joins the run by its ids, and has no call. */
  it("is of the run that it names", async () => {
    const client = telemetry({ defaultMetadata: { service: "mailer" } });
    const step = { flowKey: "checkout", runId: "req_123", stepKey: "send-receipt-email" };
    await client.recordStep({ ...step, status: "running", at: new Date(1_795_390_276_123) });
    await client.recordStep({ ...step, status: "error", error: new Error("bounced"), at: 5.25 });
    await client.recordStep({ ...step, status: "error", error: "bounced", metadata: { n: 1 } });
    await client.recordStep({ ...step, status: "success", at: "2026-11-21T10:00:00Z" });
    await client.flush("60s");
    const status = server.events.map((event) => event.status);
    expect(status).toEqual(["running", "error", "error", "success"]);
    for (const event of server.events) {
      expect(event).toMatchObject({ flow: "checkout", run: "req_123", step: "send-receipt-email" });
      expect(event.runMetadata).toEqual({ service: "mailer" });
      expect(event).not.toHaveProperty("call");
    }
    const [first, second, third, last] = server.events;
    expect([first?.at, second?.at, last?.at]).toEqual([
      1_795_390_276_123,
      5.25,
      Date.parse("2026-11-21T10:00:00Z"),
    ]);
    expect([second?.error, third?.error, last?.error]).toEqual([
      { name: "Error", message: "bounced" },
      { name: "Error", message: "bounced" },
      undefined,
    ]);
    expect(third?.metadata).toEqual({ n: 1 });
  });
});
