/** Statuses of steps in the words of QUESTPIE; `spec/dialects.json` has them for every language. */

import type { StepStatus } from "../../client/views.js";
import type { QuestpieStepStatus } from "../../types/dialects/questpie.js";

const WORDS: Readonly<Record<StepStatus, QuestpieStepStatus>> = {
  pending: "pending",
  running: "running",
  retrying: "running",
  sleeping: "sleeping",
  waiting: "waiting",
  completed: "completed",
  failed: "failed",
  timed_out: "failed",
  skipped: "completed",
  cancelled: "failed",
  unknown: "failed",
};

/** Says a status of a step (§3.1) in the words of QUESTPIE (§13.2). Every status has one. */
export function stepStatus(native: StepStatus): QuestpieStepStatus {
  return WORDS[native];
}
