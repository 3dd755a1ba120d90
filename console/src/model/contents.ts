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

/** Derives the contents of a run whose steps have their order, and of which none ran side by side as one. */
export function contentsInOrder(run: Run): RunContents {
  const { steps, history } = run;
  return {
    run,
    steps,
    history,
    byId: new Map(steps.map((step) => [step.id, step])),
    fanOuts: new Map(),
    fanOutOf: new Map(),
    groupOf: new Map(),
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

/** Takes an answer about a run that was known before: what did not change stays the same object. */
export function contentsAfter(before: RunContents | null, answer: Run): RunContents {
  if (before === null || before.run.id !== answer.id) return contentsOf(answer);
  const steps = mergeSteps(before.run.steps, answer);
  const run = { ...answer, steps };
  if (steps !== before.run.steps) return contentsOf(run);
  // Nothing new is nothing to draw: a run that has ended is asked for whenever any run changed.
  if (factsOf(run) === factsOf(before.run)) return before;
  return { ...before, run, history: run.history };
}

/** All of a run but its steps, to compare. */
function factsOf(run: Run): string {
  return JSON.stringify({ ...run, steps: null, since: null });
}

/**
 * Puts the steps of an answer in place of those known by the same position, and keeps the objects of steps
 * that did not change, so that a page draws only what did. What a step that has ended recorded never
 * changes, so it need not be compared; only log lines may come late.
 */
export function mergeSteps(before: readonly Step[], answer: Run): readonly Step[] {
  const known = new Map(before.map((step) => [step.position, step]));
  let isNew = false;
  const told = answer.steps.map((step) => {
    const old = known.get(step.position);
    if (old !== undefined && isSame(old, step)) return old;
    isNew = true;
    return step;
  });
  // Without `since` the answer has all steps, in their order.
  if (answer.since === undefined) return isNew || told.length !== before.length ? told : before;
  if (!isNew) return before;
  for (const step of told) known.set(step.position, step);
  const order = (step: Step) => step.startedAt ?? step.scheduledAt;
  return [...known.values()].sort((a, b) => {
    const [first, second] = [order(a), order(b)];
    if (first === second) return a.position - b.position;
    return first < second ? -1 : 1;
  });
}

function isSame(old: Step, step: Step): boolean {
  const ended =
    stepHasEnded(old) && old.status === step.status && old.logs.length === step.logs.length;
  return ended || JSON.stringify(old) === JSON.stringify(step);
}
