/**
 * Workflows in the words of Loops (§13): code that was written for it runs here with a changed import.
 *
 * ```ts
 * import { loop } from "stepwell/dialects/loops";
 *
 * export const inspect = loop({
 *   name: "inspect",
 *   async run({ step }) {
 *     const level = await step.do("Read stock", () => stock.level("apples"));
 *     const scan = await step.waitForScan({ timeout: "30 minutes" });
 *     await step.do("Publish stock", () => stock.publish(level, scan.gate));
 *   },
 * });
 * ```
 *
 * What `loop` makes is a workflow like any other; `app`, `client` and the rest come from `stepwell`.
 *
 * @packageDocumentation
 */

export type * from "../../types/dialects/common.js";
export type * from "../../types/dialects/loops.js";
export { loop } from "./loop.js";
export { stepStatus } from "./status.js";
export { timeline } from "./timeline.js";
