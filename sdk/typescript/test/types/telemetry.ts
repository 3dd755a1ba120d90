/** What the compiler shows and refuses of telemetry. */

import {
  createTelemetryClient,
  type ObservedRun,
  type TelemetryClient,
  type TelemetryOptions,
  TelemetrySendError,
} from "../../src/telemetry/index.js";

declare const run: ObservedRun;
declare const client: TelemetryClient;
declare const error: unknown;

run.step("a", () => 7); //=> Promise<number>
run.step("a", async () => ({ at: new Date(0) })); //=> Promise<{ at: Date; }>
run.step("a", async () => {}); //=> Promise<void>
run.step("a", () => undefined, { metadata: { orderId: "o-7", cents: 500 } }); //=> Promise<undefined>
run.step("a", () => (Math.random() < 1 ? Promise.resolve("x") : 7)); //=> Promise<string | 7>
run.skip("a"); //=> Promise<void>
client.flush("2s"); //=> Promise<boolean>
client.stats.dropped; //=> number

/** §10.1: the options, and no others. */
export const options: TelemetryOptions[] = [
  {},
  { enabled: process.env.NODE_ENV !== "test", projectKey: process.env.STEPWELL_PROJECT_KEY },
  { onError: (failure) => failure.events.toFixed(), redact: (value, path) => [value, path] },
  // @ts-expect-error
  { capturestack: true },
  // @ts-expect-error
  { defaultMetadata: "shop" },
];

// @ts-expect-error
createTelemetryClient({ flushInterval: 5 });
// @ts-expect-error: a run has an id.
client.run("checkout", {});
// @ts-expect-error
client.run("checkout", { runId: 7 });
// @ts-expect-error: a step has a function.
run.step("a");
// @ts-expect-error
run.step("a", () => 1, { retry: 3 });
// @ts-expect-error: what is skipped is told by `skip`.
client.recordStep({ flowKey: "f", runId: "r", stepKey: "s", status: "skipped" });
// @ts-expect-error
client.flush("5 parsecs");

if (TelemetrySendError.is(error)) error.value; //=> unknown
