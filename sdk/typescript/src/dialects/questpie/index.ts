/**
 * Workflows in the words of QUESTPIE (§13): code that was written for it runs here with a changed import.
 *
 * ```ts
 * import { workflow } from "stepwell/dialects/questpie";
 *
 * export const send = workflow({
 *   name: "send",
 *   schema: z.object({ order: z.string() }),
 *   handler: async ({ input, step }) => {
 *     const label = await step.run("label", { timeout: "30s" }, () => parcels.letter(input.order));
 *     await step.sleep("think", "5m");
 *     return label;
 *   },
 * });
 * ```
 *
 * What `workflow` makes is one like any other; `app`, `client` and the rest come from `stepwell`.
 *
 * @packageDocumentation
 */

export type * from "../../types/dialects/common.js";
export type * from "../../types/dialects/questpie.js";
export { StepSuspendError } from "./error.js";
export { stepStatus } from "./status.js";
export { steps } from "./steps.js";
export { workflow } from "./workflow.js";
