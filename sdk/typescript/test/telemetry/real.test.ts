import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  createTelemetryClient,
  type TelemetryClient,
  type TelemetrySendError,
} from "../../src/telemetry/index.js";
import { hasServer, TestServer } from "../../src/test/index.js";
import { rejectionOf } from "../support.js";

/** An observed run as the server shows it, as far as it is looked at. */
interface Shown {
  readonly status: string;
  readonly events: number;
  readonly metadata: unknown;
  readonly steps: readonly {
    readonly key: string;
    readonly status: string;
    readonly declared: boolean;
    readonly attemptsTotal: number;
    readonly attempts: readonly {
      readonly n: number;
      readonly status: string;
      readonly durationMs: number | null;
      readonly process: string | null;
      readonly error: { readonly message: string; readonly stack: string | null } | null;
      readonly metadata: unknown;
    }[];
  }[];
}

describe.skipIf(!hasServer())("a real server", () => {
  let server: TestServer;
  let telemetry: TelemetryClient;
  const failures: string[] = [];

  beforeAll(async () => {
    server = await TestServer.start();
    telemetry = client();
  });

  afterAll(async () => {
    await telemetry.close(1);
    expect(failures).toEqual([]);
    await server.stop();
  });

  function client(captureStack = false): TelemetryClient {
    const onError = (error: TelemetrySendError): void => {
      // That there is no key is fine here.
      if (error.events > 0) failures.push(error.message);
    };
    return createTelemetryClient({ url: server.url, captureStack, onError });
  }

  /** Returns a run once the server shows it as is wanted. */
  async function shown(
    run: string,
    is: (found: Shown) => boolean,
    flow = "checkout",
  ): Promise<Shown> {
    expect(await telemetry.flush("60s")).toBe(true);
    for (;;) {
      const answer = await fetch(`${server.url}/api/v1/flows/${flow}/runs/${run}`);
      const found = (await answer.json()) as Shown;
      if (answer.ok && is(found)) return found;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  const statuses = ({ steps }: Shown): Record<string, string> =>
    Object.fromEntries(steps.map(({ key, status }) => [key, status]));

  /** §10.2, §10.4: steps with their attempts, metadata and durations. */
  it("shows what a run told", async () => {
    const run = telemetry.run("checkout", {
      runId: "req_1",
      metadata: { tenant: 7, apiKey: "hunter2" },
    });
    await run.step("validate-cart", () => 1, { metadata: { items: 3 } });
    await rejectionOf(
      run.step("charge-card", () => Promise.reject(new TypeError("card declined"))),
    );
    await run.skip("gift-wrap");
    const found = await shown("req_1", ({ events }) => events === 5);
    expect(statuses(found)).toEqual({
      "validate-cart": "completed",
      "charge-card": "failed",
      "gift-wrap": "skipped",
    });
    expect(found.metadata).toEqual({ tenant: 7, apiKey: "[redacted]" });
    const [validate, charge] = found.steps.map(({ attempts }) => attempts[0]);
    expect(validate).toMatchObject({ n: 1, status: "success", metadata: { items: 3 } });
    expect(validate?.durationMs).toBeGreaterThanOrEqual(0);
    expect(validate?.process).toContain(String(process.pid));
    expect(charge?.error).toMatchObject({ message: "card declined", stack: null });
  });

  /** §10.4: a job that is retried under one run id shows attempts 1, 2, 3. */
  it("shows attempts of a job that is retried", async () => {
    for (let n = 1; n <= 3; n += 1) {
      const run = telemetry.run("checkout", { runId: "job_1" });
      const fn = (): Promise<number> =>
        n < 3 ? Promise.reject(new Error(`no ${n}`)) : Promise.resolve(n);
      await run.step("send", fn).catch(() => undefined);
    }
    const found = await shown("job_1", ({ events }) => events === 6);
    const [send] = found.steps;
    expect(send).toMatchObject({ key: "send", status: "completed", attemptsTotal: 3 });
    const attempts = send?.attempts.map(({ n, status }) => `${n} ${status}`).sort();
    expect(attempts).toEqual(["1 error", "2 error", "3 success"]);
  });

  /** §10.4: another process joins the run by its ids. */
  it("has what is told by hand elsewhere in the same run", async () => {
    await telemetry.run("checkout", { runId: "req_2" }).step("ship", () => 1);
    const other = client();
    const step = { flowKey: "checkout", runId: "req_2", stepKey: "deliver" };
    await other.recordStep({ ...step, status: "running", at: Date.now() - 5_000 });
    await other.recordStep({ ...step, status: "success" });
    expect(await other.close("60s")).toBe(true);
    const found = await shown("req_2", ({ events }) => events === 4);
    expect(statuses(found)).toEqual({ ship: "completed", deliver: "completed" });
    const deliver = found.steps.find(({ key }) => key === "deliver");
    expect(deliver?.attempts).toHaveLength(1);
    expect(deliver?.attempts[0]?.durationMs).toBeGreaterThanOrEqual(4_900);
  });

  /** §10.5: skipped is told, missing and not reached are computed. */
  it("tells apart what was skipped, is missing, and was not reached", async () => {
    const steps = ["a", "b", "c", "d"].map((key) => ({ key }));
    const declared = await fetch(`${server.url}/api/v1/flows/declared`, {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ steps, quietAfter: "1ms" }),
    });
    expect(declared.status).toBe(200);
    const ended = telemetry.run("declared", { runId: "ended" });
    await ended.step("a", () => 1);
    await ended.skip("b");
    await ended.step("d", () => 1);
    await ended.step("else", () => 1);
    const failed = telemetry.run("declared", { runId: "failed" });
    await failed.step("a", () => 1);
    await rejectionOf(failed.step("b", () => Promise.reject(new Error("no"))));
    const first = await shown("ended", ({ status }) => status === "completed", "declared");
    expect(statuses(first)).toEqual({
      a: "completed",
      b: "skipped",
      c: "missing",
      d: "completed",
      else: "completed",
    });
    expect(first.steps.filter((step) => !step.declared).map(({ key }) => key)).toEqual(["else"]);
    const second = await shown("failed", ({ status }) => status === "failed", "declared");
    expect(statuses(second)).toEqual({
      a: "completed",
      b: "failed",
      c: "not_reached",
      d: "not_reached",
    });
  });

  /** §10.1: the stack is kept where it is sent. */
  it("keeps stacks where they are asked for, and shows what still runs", async () => {
    const traced = client(true);
    const run = traced.run("checkout", { runId: "req_3" });
    await rejectionOf(run.step("charge", () => Promise.reject(new Error("no"))));
    let end = (_: number): void => undefined;
    const open = run.step("wait", () => new Promise<number>((resolve) => (end = resolve)));
    expect(await traced.flush("60s")).toBe(true);
    const found = await shown("req_3", ({ events }) => events === 3);
    expect(found.status).toBe("running");
    expect(statuses(found)).toEqual({ charge: "failed", wait: "running" });
    expect(found.steps[0]?.attempts[0]?.error?.stack).toContain("real.test.ts");
    end(7);
    expect(await open).toBe(7);
    await traced.close("60s");
    const later = await shown("req_3", ({ events }) => events === 4);
    expect(statuses(later)).toEqual({ charge: "failed", wait: "completed" });
  });
});
