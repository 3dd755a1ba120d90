/** Statuses of steps in the words of Loops; `spec/dialects.json` has them for every language. */

import type { StepStatus } from "../../client/views.js";
import type { LoopStepStatus } from "../../types/dialects/loops.js";

const WORDS: Readonly<Record<StepStatus, LoopStepStatus>> = {
  pending: "pending",
  running: "running",
  retrying: "running",
  sleeping: "running",
  waiting: "running",
  completed: "succeeded",
  failed: "failed",
  timed_out: "failed",
  skipped: "succeeded",
  cancelled: "failed",
  unknown: "failed",
};

/** Says a status of a step (§3.1) in the words of Loops (§13.2). Every status has one. */
export function stepStatus(native: StepStatus): LoopStepStatus {
  return WORDS[native];
}
