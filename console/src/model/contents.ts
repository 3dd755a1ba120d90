/** What the views are made of, derived once from each version of a run. */

import { type FanOut, fanOuts, inOrder, parallels } from "./parallel.ts";
import type { Contents } from "./rows.ts";
import { type Run, type Step, stepHasEnded } from "./run.ts";

export interface RunContents extends Contents {
  readonly run: Run;
  readonly byId: ReadonlyMap<string, Step>;
  readonly fanOuts: ReadonlyMap<string, FanOut>;
  /** The steps that came directly after one. */
  readonly followers: ReadonlyMap<string, readonly string[]>;
}

/** Derives the contents of a run. */
export function contentsOf(run: Run): RunContents {
  const steps = inOrder(run.steps);
  const groups = parallels(steps);
  const fans = fanOuts(groups);
  return {
    run,
    steps,
    history: run.history,
    byId: new Map(steps.map((step) => [step.id, step])),
    fanOuts: new Map(fans.map((fan) => [fan.key, fan])),
    fanOutOf: new Map(fans.flatMap((fan) => fan.steps.map((step) => [step.id, fan] as const))),
    groupOf: new Map(
      groups.flatMap((group, at) => group.steps.map((step) => [step.id, at] as const)),
    ),
    followers: followersOf(steps),
  };
}

function followersOf(steps: readonly Step[]): ReadonlyMap<string, readonly string[]> {
  const followers = new Map<string, string[]>();
  for (const step of steps) {
    for (const before of step.after) {
      const list = followers.get(before);
      if (list === undefined) followers.set(before, [step.id]);
      else list.push(step.id);
    }
  }
  return followers;
}

/**
 * Keeps the objects of steps that did not change, so that a page draws only what did. What a step that has
 * ended recorded never changes, so it need not be compared; only log lines may come late.
 */
export function keepSteps(before: Run | null, after: Run): Run {
  if (before === null || before.id !== after.id) return after;
  const known = new Map(before.steps.map((step) => [step.id, step]));
  const steps = after.steps.map((step) => {
    const old = known.get(step.id);
    if (old === undefined) return step;
    const same =
      stepHasEnded(old) && old.status === step.status && old.logs.length === step.logs.length;
    return same || JSON.stringify(old) === JSON.stringify(step) ? old : step;
  });
  return { ...after, steps };
}
