/**
 * Which steps ran side by side, and which of them are one fan-out.
 *
 * Steps that the code started together had the same steps delivered before them, so they have the same
 * `after`, stand in branches of the same race and in the same run of the handler; and in time each overlaps one of the
 * others.
 */

import { instant, instantOr } from "./instants.ts";
import { isCleanUp, isFailure, nameOf, type Step, stepHasEnded } from "./run.ts";

/** A fan-out has more members than this. */
const SIBLINGS_MIN = 9;

/** Siblings that ran side by side, in the order in which they ran. */
export interface Parallel {
  readonly steps: readonly Step[];
}

/** Many siblings whose names begin alike. */
export interface FanOut {
  /** Tells it from others of the run, and stays the same while members come. */
  readonly key: string;
  readonly prefix: string;
  /** What it is called, where no prefix names it. */
  readonly title?: string;
  /** In the order in which they ran. */
  readonly steps: readonly Step[];
}

/** How many members of a fan-out stand where. */
export interface Tally {
  readonly total: number;
  readonly ok: number;
  readonly failed: number;
  readonly open: number;
  readonly other: number;
}

/** Returns the steps in the order in which they ran: by start, then position. */
export function inOrder(steps: readonly Step[]): readonly Step[] {
  const starts = new Map(steps.map((step) => [step, startOf(step)]));
  const start = (step: Step) => starts.get(step) ?? 0;
  return [...steps].sort((a, b) => start(a) - start(b) || a.position - b.position);
}

/** Returns when a step began, or was first known where it has not begun. */
export function startOf(step: Step): number {
  return instant(step.startedAt ?? step.scheduledAt);
}

/** Returns when a step ended; infinity while it is open. */
export function endOf(step: Step): number {
  return instantOr(step.completedAt, Number.POSITIVE_INFINITY);
}

/** Groups steps, given in order, that ran side by side. A step that ran alone is in no group. */
export function parallels(steps: readonly Step[]): readonly Parallel[] {
  const families = new Map<string, Step[]>();
  const sorted = new Map<string, string>();
  for (const step of steps) {
    if (isCleanUp(step)) continue;
    const key = familyOf(step, sorted);
    const family = families.get(key);
    if (family === undefined) families.set(key, [step]);
    else family.push(step);
  }
  return [...families.values()].flatMap(overlapping).filter((group) => group.steps.length > 1);
}

/** Splits one family where a member began only after all before it had ended. */
function overlapping(family: readonly Step[]): readonly Parallel[] {
  const groups: Step[][] = [];
  let until = Number.NEGATIVE_INFINITY;
  for (const step of family) {
    const group = groups.at(-1);
    // Steps of one instant are together, though the first may have taken no time.
    if (group === undefined || startOf(step) > until) groups.push([step]);
    else group.push(step);
    until = Math.max(until, endOf(step));
  }
  return groups.map((steps) => ({ steps }));
}

/** `sorted` has what was sorted before: the many members of a fan-out tell the same steps in the same order. */
function familyOf(step: Step, sorted: Map<string, string>): string {
  const told = step.after.join("\u001d");
  let after = sorted.get(told);
  if (after === undefined) {
    after = step.after.toSorted().join("\u001d");
    sorted.set(told, after);
  }
  return [step.generation, step.branch?.race ?? "", after].join("\u001e");
}

/** Finds the fan-outs among groups: over 8 siblings of one prefix are one. */
export function fanOuts(groups: readonly Parallel[]): readonly FanOut[] {
  const found: FanOut[] = [];
  for (const group of groups) {
    if (group.steps.length < SIBLINGS_MIN) continue;
    for (const [prefix, steps] of byPrefix(group.steps)) {
      const first = steps[0];
      if (steps.length < SIBLINGS_MIN || first === undefined) continue;
      found.push({ key: `${prefix}@${first.position}`, prefix, steps });
    }
  }
  return found;
}

function byPrefix(steps: readonly Step[]): ReadonlyMap<string, Step[]> {
  const buckets = new Map<string, Step[]>();
  for (const step of steps) {
    const prefix = prefixOf(nameOf(step.id));
    const bucket = buckets.get(prefix);
    if (bucket === undefined) buckets.set(prefix, [step]);
    else bucket.push(step);
  }
  return buckets;
}

/**
 * Returns what the names of a fan-out have in common: all up to a `:`, `/`, `#` or `[`, else the name
 * without the number at its end.
 */
export function prefixOf(name: string): string {
  const cut = name.search(/[:/#[]/);
  if (cut > 0) return name.slice(0, cut + 1);
  return name.replace(/\d+$/, "");
}

/** Names a fan-out: `restock:*`. */
export function fanOutName(fanOut: FanOut): string {
  return fanOut.title ?? `${fanOut.prefix}*`;
}

/** Counts how the steps stand. */
export function tally(steps: readonly Step[]): Tally {
  let [ok, failed, open, other] = [0, 0, 0, 0];
  for (const step of steps) {
    if (step.status === "completed") ok += 1;
    else if (isFailure(step)) failed += 1;
    else if (stepHasEnded(step)) other += 1;
    else open += 1;
  }
  return { total: steps.length, ok, failed, open, other };
}

/** Orders members of a fan-out as a person looks for them: failed, then open, then the rest, each as they ran. */
export function failedFirst(steps: readonly Step[]): readonly Step[] {
  const rank = (step: Step) => (isFailure(step) ? 0 : stepHasEnded(step) ? 2 : 1);
  return [...steps].sort((a, b) => rank(a) - rank(b));
}
