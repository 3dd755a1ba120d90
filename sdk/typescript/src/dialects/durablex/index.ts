/**
 * Workflows in the words of Durablex (§13): code that was written for it runs here with a changed import.
 *
 * ```ts
 * import { workflow } from "stepwell/dialects/durablex";
 *
 * export const fulfil = workflow(
 *   { name: "order.fulfil", input: z.object({ order: z.string() }) },
 *   async (ctx) => {
 *     const { order } = ctx.event.data;
 *     const receipt = await ctx.step.run("charge", { order }, (input) => pay.charge(input.order));
 *     await ctx.step.sleep("settle", "1h");
 *     await ctx.step.emit("tell", { name: "order.paid", data: { tx: receipt.tx } });
 *   },
 * );
 * ```
 *
 * What `workflow` makes is one like any other; `app`, `client` and the rest come from `stepwell`.
 *
 * @packageDocumentation
 */

export type * from "../../types/dialects/common.js";
export type * from "../../types/dialects/durablex.js";
export { stepStatus } from "./status.js";
export { workflow } from "./workflow.js";
