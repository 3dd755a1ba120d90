import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ArgumentError } from "../../src/errors.js";
import {
  createTelemetryClient,
  type TelemetryClient,
  type TelemetryOptions,
  TelemetrySendError,
} from "../../src/telemetry/index.js";
import { rejectionOf, thrownBy } from "../support.js";
import { FakeServer } from "./server.js";

let server: FakeServer;
let clients: TelemetryClient[];
let errors: TelemetrySendError[];

beforeEach(async () => {
  server = await FakeServer.start();
  clients = [];
  errors = [];
  for (const name of ["STEPWELL_URL", "STEPWELL_KEY", "STEPWELL_PROJECT_KEY"]) vi.stubEnv(name, "");
});

afterEach(async () => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  for (const client of clients) await client.close(1);
  await server.stop();
});

function telemetry(options?: TelemetryOptions): TelemetryClient {
  const client = createTelemetryClient(options);
  clients.push(client);
  return client;
}

const told = (error: TelemetrySendError): void => {
  errors.push(error);
};

/** Has the console keep what it is given, and returns its lines. */
function listen(): () => readonly string[] {
  const warn = vi.spyOn(console, "warn").mockImplementation(() => undefined);
  return () => warn.mock.calls.map(([line]) => String(line));
}

describe("a client", () => {
  /** §10.1: the address and the key are those of the environment, unless they are given. */
  it("finds the server and the key", async () => {
    vi.stubEnv("STEPWELL_URL", server.url);
    vi.stubEnv("STEPWELL_KEY", "sw_a_key");
    const clientOf = (projectKey?: string): TelemetryClient => telemetry({ projectKey });
    await clientOf().run("a", { runId: "1" }).skip("s");
    vi.stubEnv("STEPWELL_PROJECT_KEY", "sw_project_key");
    await clientOf().run("a", { runId: "1" }).skip("s");
    await clientOf("sw_given").run("a", { runId: "1" }).skip("s");
    for (const client of clients) expect(await client.flush("60s")).toBe(true);
    expect(server.requests.map(({ headers }) => headers.authorization)).toEqual([
      "Bearer sw_a_key",
      "Bearer sw_project_key",
      "Bearer sw_given",
    ]);
  });

  it("keeps the path of the address", async () => {
    const client = telemetry({ url: `${server.url}/stepwell/`, projectKey: "sw_key" });
    await client.run("a", { runId: "1" }).skip("s");
    await client.flush("60s");
    expect(server.requests[0]?.path).toBe("/stepwell/api/v1/telemetry");
  });

  /** §10.1: a missing key warns once and breaks nothing; a server on this machine may ask for none. */
  it("warns once where there is no key, and sends to this machine only", async () => {
    const lines = listen();
    const near = telemetry({ url: server.url });
    for (let n = 0; n < 3; n += 1) await near.run("a", { runId: "1" }).step("s", () => n);
    expect(await near.flush("60s")).toBe(true);
    expect(server.events).toHaveLength(6);
    expect(server.requests[0]?.headers.authorization).toBeUndefined();
    expect(lines()).toHaveLength(1);
    expect(lines()[0]).toMatch(
      /\[stepwell\] telemetry: there is no project key: .*STEPWELL_PROJECT_KEY/,
    );
    const far = telemetry({ url: "https://stepwell.example", onError: told });
    expect(await far.run("a", { runId: "1" }).step("s", () => 7)).toBe(7);
    expect(far.stats).toEqual({ recorded: 2, sent: 0, dropped: 2, pending: 0 });
    expect([await far.flush("60s"), await far.close("60s")]).toEqual([false, false]);
    expect(errors).toHaveLength(1);
  });

  /** §10.1: with `throwOnSendError` a missing key is thrown as the client is made. */
  it("throws where there is no key and errors are to be thrown", () => {
    const make = (): unknown => createTelemetryClient({ url: server.url, throwOnSendError: true });
    const error = thrownBy(make);
    expect(ArgumentError.is(error)).toBe(true);
    expect(String(error)).toContain("there is no project key");
  });

  /** §10.1: what cannot be an address or a key breaks nothing either, and no key is shown. */
  it.each<[string, TelemetryOptions, string]>([
    ["an address", { url: "shop", projectKey: "sw_key" }, "url is `shop`"],
    [
      "an address with a password",
      { url: "http://a:hunter2@x", projectKey: "sw_key" },
      "holds a user",
    ],
    ["a key", { projectKey: "hünter2" }, "`projectKey` holds what is no letter"],
    ["a key that is no text", { projectKey: 7 as never }, "is no text"],
  ])("tells of %s that is none, and runs functions", async (_, options, why) => {
    const client = telemetry({ ...options, onError: told });
    expect(await client.run("a", { runId: "1" }).step("s", () => 7)).toBe(7);
    expect(client.stats).toMatchObject({ sent: 0, dropped: 2 });
    expect(errors).toHaveLength(1);
    expect(errors[0]?.message).toContain(why);
    expect(errors[0]?.message).not.toMatch(/h[uü]nter2/);
    expect(
      ArgumentError.is(thrownBy(() => telemetry({ ...options, throwOnSendError: true }))),
    ).toBe(true);
  });

  /** §10.1: `enabled: false` still runs functions, and sends and says nothing. */
  it("runs functions where it is not enabled", async () => {
    const lines = listen();
    const client = telemetry({ enabled: false, throwOnSendError: true });
    const run = client.run("checkout", { runId: "req_1" });
    expect([run.flowKey, run.runId]).toEqual(["checkout", "req_1"]);
    expect(await run.step("a", () => 7)).toBe(7);
    const error = new Error("no");
    expect(await rejectionOf(run.step("a", () => Promise.reject(error)))).toBe(error);
    await run.skip("b");
    await client.recordStep({ flowKey: "f", runId: "r", stepKey: "s", status: "success" });
    expect(client.stats).toEqual({ recorded: 0, sent: 0, dropped: 0, pending: 0 });
    expect([await client.flush("60s"), await client.close("60s")]).toEqual([true, true]);
    expect([server.requests, lines()]).toEqual([[], []]);
  });

  it("tells of options that it does not know", () => {
    telemetry({
      url: server.url,
      projectKey: "sw_key",
      onError: told,
      capturestack: true,
    } as never);
    expect(errors).toHaveLength(1);
    expect(errors[0]?.message).toContain("captureStack");
    expect(TelemetrySendError.is(errors[0])).toBe(true);
  });
});

describe("what cannot be told", () => {
  /** §10.2: code that is observed is not broken by how it is observed: functions run, and one line says why. */
  it.each<[string, (client: TelemetryClient) => Promise<unknown>, string]>([
    [
      "a missing run id",
      (it) => it.run("f", {} as never).step("s", () => 7),
      "`runId` is not a text",
    ],
    ["no options", (it) => it.run("f", undefined as never).step("s", () => 7), "`runId` is not"],
    ["an empty run id", (it) => it.run("f", { runId: "" }).step("s", () => 7), "`runId` is not"],
    [
      "a long run id",
      (it) => it.run("f", { runId: "x".repeat(201) }).step("s", () => 7),
      "`runId`",
    ],
    [
      "a missing flow",
      (it) => it.run(null as never, { runId: "r" }).step("s", () => 7),
      "the flow's",
    ],
    [
      "half a letter",
      (it) => it.run("f", { runId: "\ud83d" }).step("s", () => 7),
      "`runId` is not",
    ],
    ["a line break", (it) => it.run("f", { runId: "r" }).step("a\nb", () => 7), "the step's key"],
    ["no step", (it) => it.run("f", { runId: "r" }).step({} as never, () => 7), "the step's key"],
  ])("%s", async (_, call, why) => {
    const client = telemetry({ url: server.url, projectKey: "sw_key", onError: told });
    expect(await call(client)).toBe(7);
    expect(await call(client)).toBe(7);
    expect(client.stats).toEqual({ recorded: 2, sent: 0, dropped: 2, pending: 0 });
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatchObject({ events: 0, isLost: false });
    expect(errors[0]?.message).toContain(why);
  });

  it("a step by hand that names nothing, or has no status or instant", async () => {
    const client = telemetry({ url: server.url, projectKey: "sw_key", onError: told });
    const good = { flowKey: "f", runId: "r", stepKey: "s", status: "success" };
    const all: object[] = [{}, { ...good, status: "skipped" }, { ...good, at: "soon" }];
    for (const one of [...all, { ...good, flowKey: "" }, { ...good, at: new Date(Number.NaN) }]) {
      await client.recordStep(one as never);
    }
    await client.recordStep(undefined as never);
    expect(client.stats).toEqual({ recorded: 6, sent: 0, dropped: 6, pending: 0 });
    const texts = errors.map(({ message }) => message.split(" is ")[0]);
    expect(texts).toEqual(["the step's key", "`status`", "`at`", "the flow's key"]);
  });

  it("is said on the console where nobody else is told", async () => {
    const lines = listen();
    const client = telemetry({ url: server.url, projectKey: "sw_key" });
    for (let n = 0; n < 3; n += 1) await client.run("f", {} as never).step("s", () => n);
    expect(lines()).toHaveLength(1);
    expect(lines()[0]).toContain("[stepwell] telemetry: `runId` is not a text");
  });

  it("numbers name a run as their text does", async () => {
    const client = telemetry({ url: server.url, projectKey: "sw_key" });
    await client.run("f", { runId: 42 as never }).skip("s");
    await client.run("f", { runId: 42n as never }).skip("s");
    await client.flush("60s");
    expect(server.events.map(({ run }) => run)).toEqual(["42", "42"]);
  });
});

describe("with throwOnSendError", () => {
  const strict = (onError?: (error: TelemetrySendError) => void): TelemetryClient =>
    telemetry({ url: server.url, projectKey: "sw_key", throwOnSendError: true, onError });
  const refused = { status: 403, body: { detail: "not for this", code: "SW1011" } };

  /** §10.3: each event is sent and awaited. */
  it("has each event taken before it goes on", async () => {
    const client = strict();
    const run = client.run("checkout", { runId: "req_1" });
    const seen = await run.step("a", () => server.events.map(({ status }) => status));
    expect(seen).toEqual(["running"]);
    expect(server.events.map(({ status }) => status)).toEqual(["running", "success"]);
    await run.skip("b");
    await client.recordStep({ flowKey: "f", runId: "r", stepKey: "s", status: "success" });
    expect(server.requests.map(({ events }) => events.length)).toEqual([1, 1, 1, 1]);
    expect(client.stats).toEqual({ recorded: 4, sent: 4, dropped: 0, pending: 0 });
    expect([await client.flush("60s"), await client.close("60s")]).toEqual([true, true]);
  });

  /** §10.3: a failed `running` send throws before the function is called. */
  it("throws before the function where its beginning was not sent", async () => {
    server.replies.push(refused);
    const fn = vi.fn(() => 7);
    const error = await rejectionOf(strict().run("f", { runId: "r" }).step("a", fn));
    expect(TelemetrySendError.is(error)).toBe(true);
    expect(error).toMatchObject({ events: 1, isLost: true, status: 403 });
    expect(String(error)).toContain("not for this (SW1011)");
    expect(error).not.toHaveProperty("value");
    expect(fn).not.toHaveBeenCalled();
  });

  /** §10.3: a failed end send after success is thrown, with what the function gave. */
  it("throws what the function gave where its end was not sent", async () => {
    for (const value of [{ tx: "t-1" }, undefined]) {
      server.replies.push({ status: 200, body: { accepted: 1 } }, refused);
      const error = await rejectionOf(
        strict()
          .run("f", { runId: "r" })
          .step("a", () => value),
      );
      expect(TelemetrySendError.is(error) && "value" in error).toBe(true);
      expect((error as TelemetrySendError).value).toBe(value);
    }
  });

  /** §10.3: the function's own error always wins. */
  it("throws what the function threw, also where its end was not sent", async () => {
    server.replies.push({ status: 200, body: { accepted: 1 } }, refused);
    const own = new Error("card declined");
    const failed = strict(told)
      .run("f", { runId: "r" })
      .step("a", () => Promise.reject(own));
    expect(await rejectionOf(failed)).toBe(own);
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatchObject({ status: 403, isLost: true });
  });

  it("tries again where that may help, and not for ever", async () => {
    server.replies.push({ status: 500 }, "break");
    const client = strict();
    await client.run("f", { runId: "r" }).skip("a");
    expect(new Set(server.requests.map(({ events }) => events[0]?.id)).size).toBe(1);
    server.otherwise = { status: 503, headers: { "retry-after": "0" }, body: { detail: "full" } };
    const error = await rejectionOf(client.run("f", { runId: "r" }).skip("a"));
    expect(String(error)).toContain("the server answered 503: full");
    expect(client.stats).toEqual({ recorded: 2, sent: 1, dropped: 1, pending: 0 });
  });

  it("throws what cannot be told, before the function", async () => {
    const fn = vi.fn(() => 7);
    const client = strict();
    const error = await rejectionOf(client.run("f", {} as never).step("a", fn));
    expect(String(error)).toContain("`runId` is not a text");
    expect(fn).not.toHaveBeenCalled();
    await client.close("60s");
    const late = await rejectionOf(client.run("f", { runId: "r" }).skip("a"));
    expect(String(late)).toContain("the client is closed");
  });
});
