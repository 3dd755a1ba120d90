/** What a fork from a step keeps, and what it runs again. */

import { isCleanUp, type Run, type Step } from "./run.ts";

export interface ForkPlan {
  /** Steps whose results the new run has from its beginning. */
  readonly kept: readonly Step[];
  /** Steps that the code asks for again. */
  readonly again: readonly Step[];
  /** Those of them that had completed, but were compensated. */
  readonly undone: readonly Step[];
}

/**
 * Plans a fork (§9.8): kept is what the code had been given when it asked for the step. `after` is that set
 * without what follows from others, so it is what can be reached by it.
 */
export function forkPlan(run: Run, from: string): ForkPlan {
  const byId = new Map(run.steps.map((step) => [step.id, step]));
  const given = new Set<string>();
  const open = [...(byId.get(from)?.after ?? [])];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (given.has(id)) continue;
    given.add(id);
    open.push(...(byId.get(id)?.after ?? []));
  }
  const undone = new Set(run.steps.filter(isCompensation).map(compensated));
  const own = run.steps.filter((step) => !isCleanUp(step));
  const isKept = (step: Step) =>
    given.has(step.id) && step.status !== "cancelled" && !undone.has(step.id);
  return {
    kept: own.filter(isKept),
    again: own.filter((step) => !isKept(step)),
    undone: own.filter((step) => !isKept(step) && undone.has(step.id)),
  };
}

function isCompensation(step: Step): boolean {
  return step.kind === "compensate";
}

/** The engine names what takes a step back by that step, behind U+001F. */
function compensated(step: Step): string {
  return step.id.slice(step.id.indexOf("\u001f") + 1);
}
