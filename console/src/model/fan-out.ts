/** How many steps stand as one. */

import { isFailure, type Step, type StepStatus } from "./run.ts";

/** What is open comes first, by how much it needs somebody; then what went wrong; then the rest. */
const BY_WEIGHT: readonly StepStatus[] = [
  "unknown",
  "running",
  "retrying",
  "waiting",
  "sleeping",
  "pending",
  "failed",
  "timed_out",
  "cancelled",
  "completed",
  "skipped",
];

/** Returns the status that many steps show as one. */
export function fanOutStatus(steps: readonly Step[]): StepStatus {
  const found = new Set(steps.map((step) => step.status));
  return BY_WEIGHT.find((status) => found.has(status)) ?? "pending";
}

/** Counts the failures among steps. */
export function failuresOf(steps: readonly Step[]): number {
  return steps.reduce((sum, step) => sum + (isFailure(step) ? 1 : 0), 0);
}
