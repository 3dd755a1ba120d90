/** Workflows: a name, options and a handler (§1, §2). */

import { durationMicros } from "./duration.js";
import { ArgumentError } from "./errors/base.js";
import { eventParts } from "./event.js";
import { encode } from "./json.js";
import { checkMembers, checkName } from "./name.js";
import { checkWaits } from "./named-wait.js";
import { retryPolicy } from "./retry.js";
import { checkSchema } from "./schema.js";
import type { NamedWaits } from "./types/wait.js";
import type {
  Workflow,
  WorkflowDefinition,
  WorkflowMaker,
  WorkflowOptions,
} from "./types/workflow.js";

/** The options of a workflow. */
export const WORKFLOW_MEMBERS: readonly string[] = [
  "name",
  "input",
  "output",
  "triggers",
  "retry",
  "timeout",
  "version",
  "strict",
  "compensateOnCancel",
  "onFailure",
  "waits",
];

/**
 * Makes a workflow: an async function whose steps are durable.
 *
 * ```ts
 * const checkout = workflow(
 *   { name: "checkout", input: z.object({ order: z.string(), cents: z.number() }) },
 *   async ({ input, step }) => {
 *     const charge = await step.run("charge", () => pay.charge(input.order, input.cents), {
 *       compensate: (charge) => pay.refund(charge.tx),
 *     });
 *     await step.sleep("cool", "30 minutes");
 *     return { tx: charge.tx };
 *   },
 * );
 * ```
 *
 * `workflow.withDeps<Deps>()` returns a maker whose handlers know what their app gives them as
 * `ctx.deps`, and `workflow.withWaits(waits)` one whose handlers share waits.
 *
 * @throws `ArgumentError` for options that are not accepted; it names the workflow and the option.
 */
export const workflow: WorkflowMaker = maker({});

function maker<Deps>(shared: NamedWaits): WorkflowMaker<Deps> {
  const make = (options: WorkflowOptions, handler: WorkflowDefinition["handler"]): Workflow => {
    checkMembers(`workflow \`${String(options?.name)}\``, options, WORKFLOW_MEMBERS);
    const waits = joined(`workflow \`${options.name}\``, shared, options.waits ?? {});
    const definition = Object.freeze({ ...options, waits, handler });
    checkDefinition(definition);
    return Object.freeze({ kind: "workflow", name: options.name, definition });
  };
  const withWaits = (waits: NamedWaits): unknown => {
    checkWaits("workflow.withWaits", waits);
    return maker(joined("workflow.withWaits", shared, waits));
  };
  // The types of `WorkflowMaker` say more than a function here can: what handlers get.
  return Object.assign(make, {
    withDeps: () => maker(shared),
    withWaits,
  }) as unknown as WorkflowMaker<Deps>;
}

/** Puts waits together; a name stands for one wait only. */
export function joined(where: string, shared: NamedWaits, own: NamedWaits): NamedWaits {
  const twice = Object.keys(own).find((name) => name in shared && shared[name] !== own[name]);
  if (twice !== undefined) throw new ArgumentError(`${where}: there are two waits \`${twice}\``);
  return { ...shared, ...own };
}

function checkDefinition(definition: WorkflowDefinition): void {
  checkName("a workflow's name", definition.name);
  const where = `workflow \`${definition.name}\``;
  checkHandler(where, definition.handler, "workflow(options, async ({ input, step, ctx }) => …)");
  for (const member of ["input", "output"] as const) checkSchema(where, member, definition[member]);
  for (const trigger of definition.triggers ?? []) {
    checkMembers(`${where}: a trigger`, trigger, ["event", "match"]);
    const { name } = eventParts(`${where}: a trigger`, trigger.event);
    encode(`${where}: the match of trigger \`${name}\``, trigger.match);
  }
  if (definition.retry !== undefined) retryPolicy(where, definition.retry);
  if (definition.timeout !== undefined) durationMicros(definition.timeout);
  if (definition.version !== undefined) checkName(`${where}: the version`, definition.version);
  const { onFailure } = definition;
  if (onFailure !== undefined && typeof onFailure !== "function") {
    throw new ArgumentError(`${where}: \`onFailure\` is no function`);
  }
  checkWaits(where, definition.waits ?? {});
}

/**
 * Checks that there is code to call.
 *
 * @param accepted - the call that gives some
 * @throws `ArgumentError`
 */
export function checkHandler(where: string, handler: unknown, accepted: string): void {
  if (typeof handler === "function") return;
  throw new ArgumentError(`${where} has no handler; accepted: ${accepted}`);
}
