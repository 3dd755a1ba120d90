/** Workflows whose input has a `schema` and whose code is their option `handler` (§13.1). */

import { checkMembers } from "../../name.js";
import { checkSchema } from "../../schema.js";
import type { QuestpieMaker } from "../../types/dialects/questpie.js";
import type { StandardSchema } from "../../types/schema.js";
import type { HandlerArgs, Workflow, WorkflowOptions } from "../../types/workflow.js";
import { checkHandler, WORKFLOW_MEMBERS } from "../../workflow.js";
import { nativeOf } from "../native.js";
import { handleOf } from "./step.js";

const MEMBERS = [...WORKFLOW_MEMBERS.filter((member) => member !== "input"), "schema", "handler"];
const SHAPE = "workflow({ name, schema, handler: async ({ input, step, ctx }) => … })";

/** What `workflow` was called with, without its types. */
interface Given extends Omit<WorkflowOptions, "input"> {
  readonly schema?: StandardSchema;
  readonly handler: (args: object) => unknown;
}

/**
 * Makes a workflow whose code is its `handler`, and the schema of whose input its `schema`.
 *
 * ```ts
 * export const send = workflow({
 *   name: "send",
 *   schema: z.object({ order: z.string() }),
 *   handler: async ({ input, step }) => {
 *     const label = await step.run("label", { retry: { maxAttempts: 3, backoff: "1s" } }, () =>
 *       parcels.letter(input.order),
 *     );
 *     await step.sendEvent("tell", { event: "order.labelled", data: { label } });
 *   },
 *   onFailure: async ({ error, completedSteps }) => {
 *     await mail.send("shop", error.message, completedSteps.length);
 *   },
 * });
 * ```
 *
 * It takes the other options of a workflow, too. Functions `compensate` are called only where it has `onFailure`
 * (§13.8). `workflow.withDeps<Deps>()` returns a maker whose handlers know what their app gives them.
 *
 * @throws `ArgumentError` for options that are not accepted; it names the workflow and the option.
 */
export const workflow: QuestpieMaker = Object.assign(make, {
  withDeps: () => workflow,
  // The types of `QuestpieMaker` say more than a function here can: what handlers get.
}) as unknown as QuestpieMaker;

function make(options: Given): Workflow {
  const where = `workflow \`${String(options?.name)}\``;
  checkMembers(where, options, MEMBERS);
  const { schema, handler, ...rest } = options;
  checkHandler(where, handler, SHAPE);
  checkSchema(where, "schema", schema);
  const takes = rest.onFailure === undefined ? "takesNothingBack" : "takesBack";
  return nativeOf({ ...rest, ...(schema && { input: schema }) }, (args: HandlerArgs) =>
    handler({ ...args, step: handleOf(args.step, takes) }),
  );
}
