/**
 * Observing code that is not durable: what it does is shown beside durable runs (§10).
 *
 * ```ts
 * import { createTelemetryClient } from "stepwell/telemetry";
 *
 * const telemetry = createTelemetryClient();
 * const run = telemetry.run("checkout", { runId: requestId });
 * await run.step("charge-card", () => charge());
 * await run.skip("send-receipt");
 * ```
 *
 * Nothing of the workflows is loaded with it.
 *
 * @packageDocumentation
 */

export { TelemetrySendError } from "../errors/telemetry.js";
export type * from "../types/telemetry.js";
export { createTelemetryClient } from "./client.js";
