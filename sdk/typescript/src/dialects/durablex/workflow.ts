/** Workflows whose handler takes one thing, its context (§13.1). */

import type { DurablexMaker } from "../../types/dialects/durablex.js";
import type { HandlerArgs, Workflow, WorkflowOptions } from "../../types/workflow.js";
import { checkHandler } from "../../workflow.js";
import { inFrontOf } from "../front.js";
import { nativeOf } from "../native.js";
import { handleOf } from "./step.js";

const SHAPE = "workflow(options, async (ctx) => …)";

/**
 * Makes a workflow whose handler finds its steps as `ctx.step`, and its input as `ctx.event.data`.
 *
 * ```ts
 * export const fulfil = workflow(
 *   { name: "order.fulfil", input: z.object({ order: z.string() }), timeout: "3d" },
 *   async (ctx) => {
 *     const { order } = ctx.event.data;
 *     const paid = await ctx.step.waitForEvent("await-payment", { event: "paid", timeout: "24h" });
 *     if (paid === null) return { status: "expired" };
 *     return await ctx.step.runWorkflow("ship", { name: "ship-order", data: { order } });
 *   },
 * );
 * ```
 *
 * It takes the options of a workflow. `workflow.withDeps<Deps>()` returns a maker whose handlers know what their app
 * gives them.
 *
 * @throws `ArgumentError` for options that are not accepted; it names the workflow and the option.
 */
export const workflow: DurablexMaker = Object.assign(make, {
  withDeps: () => workflow,
  // The types of `DurablexMaker` say more than a function here can: what handlers get.
}) as unknown as DurablexMaker;

function make(options: WorkflowOptions, handler: (ctx: object) => unknown): Workflow {
  checkHandler(`workflow \`${String(options?.name)}\``, handler, SHAPE);
  return nativeOf(options, (args: HandlerArgs) => handler(contextOf(args)));
}

/** Returns what is known of the run, with its steps, and with its input as the data of an event. */
function contextOf({ input, step, ctx }: HandlerArgs): object {
  const { event, workflow: name } = ctx;
  const own = { event: { name, ...event, data: input }, step: handleOf(step) };
  return inFrontOf(ctx, own);
}
