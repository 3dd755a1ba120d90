/** The native workflow that a dialect's is. */

import type { HandlerArgs, Workflow, WorkflowOptions } from "../types/workflow.js";
import { workflow } from "../workflow.js";

/** Makes a workflow of what the maker of a dialect was given and has written natively. */
export function nativeOf(
  options: WorkflowOptions,
  handler: (args: HandlerArgs) => unknown,
): Workflow {
  // The maker's types have said what of these belongs together.
  return workflow(options as never, handler as never);
}
