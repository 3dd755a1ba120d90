/** The steps of a run as the timeline of Loops shows them. */

import type { RunView, StepView } from "../../client/views.js";
import type { LoopStep } from "../../types/dialects/loops.js";
import { nameOf } from "../name.js";
import { stepStatus } from "./status.js";

/**
 * Returns the steps of a run, in the order of the view, with the fields and words of Loops (§13.2).
 *
 * ```ts
 * for (const { name, status } of timeline(await run.show())) render(name, status);
 * ```
 */
export function timeline(view: Pick<RunView, "steps">): LoopStep[] {
  return view.steps.map(rowOf);
}

function rowOf({ id, kind, status, startedAt, completedAt, output, error }: StepView): LoopStep {
  return {
    name: nameOf(id, kind),
    status: stepStatus(status),
    startedAt,
    completedAt,
    return: output,
    ...(error !== null && { error }),
  };
}
