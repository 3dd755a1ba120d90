import { afterEach, beforeEach, expect, it, vi } from "vitest";
import {
  createFailpathClient,
  type FailpathClient,
  type FailpathOptions,
  TelemetrySendError,
} from "../../src/dialects/failpath/index.js";
import { ArgumentError } from "../../src/errors.js";
import { rejectionOf, thrownBy } from "../support.js";
import { FakeServer } from "../telemetry/server.js";

let server: FakeServer;
let clients: FailpathClient[];

beforeEach(async () => {
  server = await FakeServer.start();
  clients = [];
  vi.stubEnv("STEPWELL_URL", server.url);
  for (const name of ["FAILPATH_PROJECT_KEY", "STEPWELL_KEY", "STEPWELL_PROJECT_KEY"]) {
    vi.stubEnv(name, "");
  }
});

afterEach(async () => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  for (const client of clients) await client.close(1);
  await server.stop();
});

function failpath(options?: FailpathOptions): FailpathClient {
  const client = createFailpathClient(options);
  clients.push(client);
  return client;
}

/** §13.1: the key is the given one, else that of Failpath's variable, else that of the native ones. */
it("finds its key", async () => {
  const wanted: string[] = [];
  const tell = async (key: string, options?: FailpathOptions): Promise<void> => {
    const client = failpath(options);
    await client.run("a", { runId: "1" }).skip("s");
    expect(await client.flush("60s")).toBe(true);
    wanted.push(`Bearer ${key}`);
  };
  vi.stubEnv("STEPWELL_KEY", "sw_native");
  await tell("sw_native");
  vi.stubEnv("STEPWELL_PROJECT_KEY", "sw_native_project");
  await tell("sw_native_project", { projectKey: undefined });
  vi.stubEnv("FAILPATH_PROJECT_KEY", "sw_failpath");
  await tell("sw_failpath");
  await tell("sw_given", { projectKey: "sw_given" });
  expect(server.requests.map(({ headers }) => headers.authorization)).toEqual(wanted);
});

/** §13.1, §10.2: runs, steps, skips and steps by hand. */
it("tells of steps as the native client does", async () => {
  const client = failpath({ projectKey: "sw_given", captureStack: true });
  const run = client.run("checkout", { runId: "req_123" });
  expect(server.requests).toEqual([]);
  expect(await run.step("validate", async () => 7)).toBe(7);
  const thrown = new RangeError("no");
  expect(await rejectionOf(run.step("charge", () => Promise.reject(thrown)))).toBe(thrown);
  await run.skip("mail");
  const byHand = { flowKey: "checkout", runId: "req_123", stepKey: "by hand" } as const;
  for (const status of ["running", "success", "error"] as const) {
    await client.recordStep({ ...byHand, status });
  }
  expect(await client.flush("60s")).toBe(true);
  expect(server.events.map(({ flow, run, step, status }) => [flow, run, step, status])).toEqual(
    [
      ["validate", "running"],
      ["validate", "success"],
      ["charge", "running"],
      ["charge", "error"],
      ["mail", "skipped"],
      ["by hand", "running"],
      ["by hand", "success"],
      ["by hand", "error"],
    ].map((told) => ["checkout", "req_123", ...told]),
  );
  expect(server.events[3]?.error).toMatchObject({ message: "no" });
  expect(server.events[3]?.error?.stack).toContain("failpath.test");
});

/** §10.3: a failure to send is swallowed, told to `onError`, or thrown, as the options say. */
it("treats failures to send as its options say", async () => {
  server.otherwise = { status: 403 };
  const told: TelemetrySendError[] = [];
  const quiet = failpath({ projectKey: "sw_given", onError: (error) => void told.push(error) });
  expect(await quiet.run("a", { runId: "1" }).step("s", () => 1)).toBe(1);
  expect(await quiet.flush("60s")).toBe(false);
  expect(told.length).toBeGreaterThan(0);
  const strict = failpath({ projectKey: "sw_given", throwOnSendError: true });
  const error = await rejectionOf(strict.run("a", { runId: "1" }).step("s", () => 1));
  expect(TelemetrySendError.is(error)).toBe(true);
});

/** §10.1: nothing that is wrong with options breaks the program, unless it asked for that. */
it("takes what it is given as the native client does", async () => {
  vi.spyOn(console, "warn").mockImplementation(() => undefined);
  const hostile = {
    get projectKey(): string {
      throw new Error("not to be read");
    },
  };
  for (const options of [null, 7, hostile, { projectKey: "" }] as never[]) {
    expect(
      await failpath(options)
        .run("a", { runId: "1" })
        .step("s", () => 1),
    ).toBe(1);
  }
  expect(
    await failpath({ enabled: false })
      .run("a", { runId: "1" })
      .step("s", () => 2),
  ).toBe(2);
  const strict = thrownBy(() => failpath({ throwOnSendError: true }));
  expect(ArgumentError.is(strict)).toBe(true);
});
