/** Loops: workflows whose code is their option `run` (§13.1). */

import { checkMembers } from "../../name.js";
import type { LoopMaker, ScanOptions } from "../../types/dialects/loops.js";
import type { NamedWait } from "../../types/wait.js";
import type { HandlerArgs, Workflow, WorkflowOptions } from "../../types/workflow.js";
import { checkHandler, joined, WORKFLOW_MEMBERS } from "../../workflow.js";
import { nativeOf } from "../native.js";
import { handleOf } from "./step.js";

const MEMBERS = [...WORKFLOW_MEMBERS, "scan", "run"];
const SCAN_MEMBERS = ["event", "match", "schema", "since"];
const SHAPE = "loop({ name, run: async ({ step, ctx, input }) => … })";

/** What `loop` was called with, without its types. */
interface Given extends WorkflowOptions {
  readonly scan?: ScanOptions;
  readonly run: (args: object) => unknown;
}

/**
 * Makes a loop: a workflow whose steps are called `step.do`, and that waits for a scan with `step.waitForScan`.
 *
 * ```ts
 * export const inspect = loop({
 *   name: "inspect",
 *   input: z.object({ sku: z.string() }),
 *   scan: { match: ({ input }) => ({ sku: input.sku }), schema: z.object({ gate: z.number() }) },
 *   async run({ step, input }) {
 *     const level = await step.do("Read stock", () => stock.level(input.sku));
 *     const { gate } = await step.waitForScan({ timeout: "30 minutes" });
 *     return { level, gate };
 *   },
 * });
 * ```
 *
 * It takes the options of a workflow, too. `loop.withDeps<Deps>()` returns a maker whose loops know what their app
 * gives them.
 *
 * @throws `ArgumentError` for options that are not accepted; it names the loop and the option.
 */
export const loop: LoopMaker = Object.assign(make, {
  withDeps: () => loop,
  // The types of `LoopMaker` say more than a function here can: what loops get.
}) as unknown as LoopMaker;

function make(options: Given): Workflow {
  const where = `loop \`${String(options?.name)}\``;
  checkMembers(where, options, MEMBERS);
  const { scan = {}, run, waits = {}, ...rest } = options;
  checkHandler(where, run, SHAPE);
  checkMembers(`${where}: the scan`, scan, SCAN_MEMBERS);
  // §13.3: a scan that does not come is an error.
  const waitForScan: NamedWait = { event: "scan", ...scan, onTimeout: "fail" };
  const native = { ...rest, waits: joined(where, { waitForScan }, waits) };
  return nativeOf(native, (args: HandlerArgs) => run({ ...args, step: handleOf(args.step) }));
}
