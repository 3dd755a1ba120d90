/** The steps of a run as the records of QUESTPIE show them. */

import type { RunView, StepView } from "../../client/views.js";
import type { QuestpieStepRecord } from "../../types/dialects/questpie.js";
import { nameOf } from "../name.js";
import { stepStatus } from "./status.js";

/**
 * Returns the steps of a run, in the order of the view, with the fields and words of QUESTPIE (§13.2).
 *
 * ```ts
 * for (const { name, status } of steps(await run.show())) render(name, status);
 * ```
 */
export function steps(view: Pick<RunView, "steps">): QuestpieStepRecord[] {
  return view.steps.map(rowOf);
}

function rowOf(step: StepView): QuestpieStepRecord {
  const { id, kind, status, output, error, scheduledAt, nextAt, startedAt, completedAt, attempts } =
    step;
  return {
    name: nameOf(id, kind),
    status: stepStatus(status),
    result: output,
    error,
    scheduledAt: nextAt ?? scheduledAt,
    startedAt,
    completedAt,
    attempts: attempts.length,
  };
}
