/** How many steps stand as one. */

import { isFailure, type Step, type StepStatus, stepHasEnded } from "./run.ts";

/** What is open comes first, by how much it needs somebody; then what went wrong; then the rest. */
const BY_WEIGHT: readonly StepStatus[] = [
  "unknown",
  "stuck",
  "running",
  "retrying",
  "waiting",
  "sleeping",
  "pending",
  "failed",
  "timed_out",
  "missing",
  "cancelled",
  "completed",
  "skipped",
  "not_reached",
];

/** Returns the status that many steps show as one. */
export function fanOutStatus(steps: readonly Step[]): StepStatus {
  const found = new Set(steps.map((step) => step.status));
  return BY_WEIGHT.find((status) => found.has(status)) ?? "pending";
}

/** How many cells a map has at most; of more steps each stands for several. */
const CELLS_MAX = 1200;

/** A cell of the map of many steps: the worst of those that it stands for, and how many these are. */
export interface Cell {
  readonly worst: Step;
  readonly count: number;
}

/** Returns the cells of steps, in order. */
export function cellsOf(steps: readonly Step[]): readonly Cell[] {
  const each = Math.max(1, Math.ceil(steps.length / CELLS_MAX));
  const cells: Cell[] = [];
  for (let at = 0; at < steps.length; at += each) {
    const held = steps.slice(at, at + each);
    const worst = held.find(isFailure) ?? held.find((step) => !stepHasEnded(step)) ?? held[0];
    if (worst !== undefined) cells.push({ worst, count: held.length });
  }
  return cells;
}

/** Counts the failures among steps. */
export function failuresOf(steps: readonly Step[]): number {
  return steps.reduce((sum, step) => sum + (isFailure(step) ? 1 : 0), 0);
}

/** Returns the failure after a step, or before it; past the last it goes on with the first. */
export function nextFailure(steps: readonly Step[], from: string | null, by: 1 | -1): Step | null {
  const found = from === null ? -1 : steps.findIndex((step) => step.id === from);
  const at = found < 0 && by < 0 ? steps.length : found;
  for (let away = 1; away <= steps.length; away += 1) {
    const step = steps.at((at + by * away) % steps.length);
    if (step !== undefined && isFailure(step)) return step;
  }
  return null;
}
