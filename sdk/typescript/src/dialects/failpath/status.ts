/** Statuses of steps in the words of Failpath; `spec/dialects.json` has them for every language. */

import type { StepStatus } from "../../client/views.js";
import type { FailpathStepStatus } from "../../types/dialects/failpath.js";

const WORDS: Readonly<Record<StepStatus, FailpathStepStatus>> = {
  pending: "error",
  running: "running",
  retrying: "running",
  sleeping: "running",
  waiting: "running",
  completed: "success",
  failed: "error",
  timed_out: "error",
  skipped: "skipped",
  cancelled: "error",
  unknown: "error",
};

/** Says a status of a step (§3.1) in the words of Failpath (§13.2). Every status has one. */
export function stepStatus(native: StepStatus): FailpathStepStatus {
  return WORDS[native];
}
