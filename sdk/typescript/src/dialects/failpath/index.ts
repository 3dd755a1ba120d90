/**
 * Observing code in the words of Failpath (§13): code that was written for it is observed here with a changed import.
 *
 * ```ts
 * import { createFailpathClient } from "stepwell/dialects/failpath";
 *
 * const failpath = createFailpathClient();
 * const run = failpath.run("checkout", { runId: requestId });
 * await run.step("charge-card", () => pay.charge());
 * await run.skip("gift-wrap");
 * ```
 *
 * It is `stepwell/telemetry`, and loads nothing of the workflows either.
 *
 * @packageDocumentation
 */

export { TelemetrySendError } from "../../errors/telemetry.js";
export type * from "../../types/dialects/failpath.js";
export { createFailpathClient } from "./client.js";
export { stepStatus } from "./status.js";
