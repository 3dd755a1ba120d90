import { readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  createTelemetryClient,
  type TelemetryClient,
  type TelemetryOptions,
} from "../../src/telemetry/index.js";
import { rejectionOf } from "../support.js";
import { type Event, FakeServer } from "./server.js";

interface Example {
  readonly key: string;
  readonly value: unknown;
}

interface Examples {
  readonly secret: readonly Example[];
  readonly harmless: readonly Example[];
}

const spec = new URL("../../../../spec/redaction.json", import.meta.url);
const { secret, harmless }: Examples = JSON.parse(readFileSync(spec, "utf8"));

let server: FakeServer;
let problems: string[];

beforeEach(async () => {
  server = await FakeServer.start();
  problems = [];
});

afterEach(async () => await server.stop());

/** Returns the events that come of what is done with a client. */
async function sent(
  act: (client: TelemetryClient) => Promise<unknown>,
  options: TelemetryOptions = {},
): Promise<readonly Event[]> {
  const client = createTelemetryClient({
    url: server.url,
    projectKey: "sw_project_key",
    onError: ({ message }) => problems.push(message),
    ...options,
  });
  await act(client);
  expect(await client.close("60s")).toBe(true);
  return server.events;
}

/** Returns metadata as it is sent. */
async function shown(metadata: object, options: TelemetryOptions = {}): Promise<unknown> {
  const events = await sent(
    (client) => client.run("f", { runId: "r" }).step("s", () => 1, { metadata: metadata as never }),
    options,
  );
  return events.at(-2)?.metadata;
}

describe("metadata", () => {
  /** §10.7: keys and values that look like secrets do not leave the process. */
  it("loses what looks like a secret", async () => {
    expect(secret.length).toBeGreaterThanOrEqual(200);
    const events = await sent(async (client) => {
      const run = client.run("f", { runId: "r" });
      for (const { key, value } of secret)
        await run.step("s", () => 1, { metadata: { [key]: value } });
    });
    const all = events.filter(({ status }) => status === "running");
    const kept = secret.filter(({ value }, at) => {
      const text = JSON.stringify(all[at]?.metadata);
      const plain = JSON.stringify(value).replace(/^"|"$/g, "");
      return !text.includes("[redacted]") || text.includes(plain);
    });
    expect(kept).toEqual([]);
  });

  /** §10.7: ids, hashes and counts stay as they are. */
  it("keeps what does not, to the letter", async () => {
    expect(harmless.length).toBeGreaterThanOrEqual(200);
    const events = await sent(async (client) => {
      const run = client.run("f", { runId: "r" });
      for (const { key, value } of harmless) {
        await run.step("s", () => 1, { metadata: { [key]: value } });
      }
    });
    const all = events.filter(({ status }) => status === "running");
    const found = all.map(({ metadata }) => metadata);
    expect(found).toEqual(harmless.map(({ key, value }) => ({ [key]: value })));
  });

  /** §10.7: what stands in texts of errors goes too. */
  it("is not the only place that is looked at", async () => {
    const thrown = new Error("login failed for postgres://app:hunter2@db/shop");
    const events = await sent(
      async (client) => {
        const run = client.run("f", { runId: "r", metadata: { password: "hunter2" } });
        await rejectionOf(run.step("s", () => Promise.reject(thrown)));
        const odd = { reason: "no", token: "hunter2" };
        await rejectionOf(run.step("s", () => Promise.reject(odd)));
        const text = "Authorization: Bearer abcDEF123456";
        await client.recordStep({
          flowKey: "f",
          runId: "r",
          stepKey: "s",
          status: "error",
          error: text,
        });
      },
      { captureStack: true, defaultMetadata: { apiKey: "hunter2", region: "eu" } },
    );
    expect(JSON.stringify(events)).not.toMatch(/hunter2|abcDEF/);
    const errors = events.flatMap(({ error }) => (error === undefined ? [] : [error.message]));
    expect(errors).toEqual([
      "login failed for postgres://app:[redacted]@db/shop",
      '{"reason":"no","token":"[redacted]"}',
      "Authorization: Bearer [redacted]",
    ]);
    expect(events[1]?.error?.stack).toContain("app:[redacted]@db");
    expect(events[0]?.runMetadata).toEqual({
      apiKey: "[redacted]",
      region: "eu",
      password: "[redacted]",
    });
    expect(thrown.message).toContain("hunter2");
  });

  it("is written as JSON, whatever it holds", async () => {
    const self: Record<string, unknown> = { at: new Date(0) };
    self.self = self;
    const refuse = {
      get member(): string {
        throw new Error("no");
      },
    };
    const found = await shown({
      text: "é \ud83d\ude00 \ud83d",
      numbers: [1.5, Number.NaN, 7n],
      none: [null, undefined, () => 1, Symbol("s")],
      left: undefined,
      map: new Map([["a", 1]]),
      bytes: Buffer.from("abc"),
      refuse,
      error: new TypeError("no"),
    });
    expect(found).toEqual({
      text: "é \ud83d\ude00 \ufffd",
      numbers: [1.5, null, "7"],
      none: [null, null, null, null],
      map: {},
      bytes: "[3 bytes]",
      refuse: {},
      error: "TypeError: no",
    });
    const deep = JSON.stringify(await shown(self));
    expect(deep).toContain('"at":"1970-01-01T00:00:00.000Z"');
    expect(deep).toContain('"self":"[redacted]"');
  });

  /** §12: what is too large is left out, and said once; the step runs. */
  it("is left out where it is too large or no object", async () => {
    const large = { stepwell: "metadata of more than 16 KiB is left out" };
    expect(await shown({ text: "x".repeat(20_000) })).toEqual(large);
    expect(await shown(Array.from({ length: 3 }) as object)).toEqual({
      stepwell: "metadata that is no object is left out",
    });
    expect(await shown({ list: Array.from({ length: 100_000 }, (_, n) => n) })).toEqual(large);
    expect(await shown({ text: "ä".repeat(9_000) })).toEqual(large);
    expect(await shown({ text: "x".repeat(16_000) })).toEqual({ text: "x".repeat(16_000) });
    expect(problems).toHaveLength(4);
  });
});

describe("redact", () => {
  /** §10.1: the hook is asked for each value and text, before the rules that are built in. */
  it("says what is sent in the place of a value", async () => {
    const paths: string[] = [];
    const redact = (value: string | number | boolean, path: string): unknown => {
      paths.push(path);
      if (path === "customer.mail") return String(value).replace(/.*@/, "…@");
      if (path === "tags.1") return undefined;
      if (path === "note") return "password=hunter2";
      return value;
    };
    const metadata = {
      customer: { mail: "ada@example.org", age: 36 },
      tags: ["a", "b"],
      note: "n",
    };
    expect(await shown({ ...metadata, token: "t" }, { redact })).toEqual({
      customer: { mail: "…@example.org", age: 36 },
      tags: ["a", null],
      note: "password=[redacted]",
      token: "[redacted]",
    });
    expect(paths).toEqual(["customer.mail", "customer.age", "tags.0", "tags.1", "note"]);
  });

  it("is asked about errors", async () => {
    const redact = (value: unknown, path: string): unknown =>
      path === "error.message" ? undefined : value;
    const events = await sent(
      async (client) => {
        const run = client.run("f", { runId: "r" });
        await rejectionOf(run.step("s", () => Promise.reject(new TypeError("ada@example.org"))));
      },
      { redact },
    );
    expect(events[1]?.error).toEqual({ name: "TypeError", message: "[redacted]" });
  });

  it("may give anything", async () => {
    const given: unknown[] = [Symbol("s"), { a: 1 }, null, () => 1, 7n];
    const redact = (value: unknown, path: string): unknown =>
      path === "error.message" ? given[0] : given[Number(value)];
    const events = await sent(
      async (client) => {
        const run = client.run("f", { runId: "r" });
        const metadata = { a: 0, b: 1, c: 2, d: 3, e: 4, f: 9 };
        await rejectionOf(run.step("s", () => Promise.reject(new Error("no")), { metadata }));
      },
      { redact },
    );
    expect(events[0]?.metadata).toEqual({ a: null, b: null, c: null, d: null, e: null });
    expect(events[1]?.error?.message).toBe("[redacted]");
  });

  /** §10.1: the value at which it throws is left out, and the step runs. */
  it("may throw", async () => {
    const redact = (value: unknown, path: string): unknown => {
      if (path === "b") throw new Error("in redact");
      return value;
    };
    expect(await shown({ a: 1, b: 2 }, { redact })).toEqual({ a: 1 });
    expect(problems).toEqual(["`redact` threw; what it threw at is left out"]);
  });
});
