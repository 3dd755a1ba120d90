/** What runners say of steps: functions, pauses, notes, races (§5, §6). */

import { RETRY_DEFAULT } from "../../retry.js";
import type { Node } from "./node.js";
import { beganOnce, doubtStart } from "./once.js";
import { nextPause } from "./pause.js";
import type { NodeRun } from "./run.js";
import { NodeStep } from "./run.js";
import type { Ended, EndStatus, Failure, OfStep, Opening, Raced, Sleeps, Started } from "./said.js";

/** How a step ended. */
export interface StepEnd {
  readonly status: EndStatus;
  readonly output?: unknown;
  readonly error?: Failure | undefined;
  readonly at?: number;
  /** The attempt that ended it. */
  readonly n?: number;
}

/** Adds a step to a run. */
export function openStep(node: Node, run: NodeRun, id: string, open: Opening): NodeStep {
  const { generation } = run;
  const at = node.now - open.agoUs;
  const step = new NodeStep(id, open, { position: run.steps.length + 1, generation, at });
  run.steps.push(step);
  run.byId.set(id, step);
  return step;
}

/**
 * Returns the step that a message is about, which may be new; nothing where the message changes nothing
 * any more.
 */
export function stepOf(node: Node, run: NodeRun, told: OfStep): NodeStep | undefined {
  const known = run.byId.get(told.step);
  const { open } = told;
  if (known === undefined) return open && openStep(node, run, told.step, open);
  if (open !== undefined && open.kind !== known.kind) {
    node.block(run, {
      kind: "kindChanged",
      step: known.id,
      expected: known.kind,
      found: open.kind,
    });
    return undefined;
  }
  return known.hasEnded ? undefined : known;
}

/** The same for what begins nothing in a run that is ending (§7.2). */
export function structuralOf(node: Node, run: NodeRun, told: OfStep): NodeStep | undefined {
  if (run.byId.has(told.step)) return undefined;
  return run.phase === "ending" ? undefined : stepOf(node, run, told);
}

/** Ends a step, and tells the process. */
export function endStep(node: Node, run: NodeRun, step: NodeStep, end: StepEnd): void {
  step.status = end.status;
  step.output = end.output;
  step.error = end.error;
  step.endedAt = end.at ?? node.now;
  if (end.n !== undefined) step.attempts = end.n;
  step.wakeAt = undefined;
  step.parked = undefined;
  step.isRunning = false;
  step.inDoubt = false;
  // §7.2: what was cancelled after it began may have been done.
  step.begun = end.status === "cancelled" && (step.begun || end.n !== undefined);
  run.ends.push(step);
  if (run.plan !== undefined) {
    if (step.kind === "compensate") run.plan.done++;
    if (step.kind === "onFailure") run.plan.isTold = true;
  }
  if (run.held === undefined && run.phase === "forward") run.isReady = true;
  settle(node, run, step, end);
}

/** §4.1: the end of a step is saved, and the process may give it to the code. */
function settle(node: Node, run: NodeRun, step: NodeStep, end: StepEnd): void {
  const { holder } = run;
  if (holder === undefined) return;
  holder.isIdle = false;
  const { id, endedAt } = step;
  const { status, output, error } = end;
  node.say({
    settled: {
      a: holder.a,
      step: id,
      atUs: endedAt,
      ...(status !== "completed" && { status }),
      ...(output !== undefined && { output }),
      ...(error !== undefined && { error }),
    },
  });
}

/** Cancels what is open, unless `spares` says otherwise; such ends are told to nobody. */
export function cancelOpen(run: NodeRun, spares: (step: NodeStep) => boolean): void {
  for (const step of run.steps) {
    if (step.hasEnded || spares(step)) continue;
    step.status = "cancelled";
    step.wakeAt = undefined;
    step.parked = undefined;
    step.isRunning = false;
  }
}

export function onStarted(node: Node, run: NodeRun, told: Started): void {
  const step = stepOf(node, run, told);
  if (step === undefined || told.n <= step.attempts || step.inDoubt) return;
  step.status = "running";
  step.isRunning = true;
  step.begun = true;
  step.wakeAt = undefined;
  step.firstStarted ??= node.now - told.agoUs;
  beganOnce(node, run, step);
}

export function onEnded(node: Node, run: NodeRun, told: Ended): void {
  const step = stepOf(node, run, told);
  if (step === undefined || told.n <= step.attempts) return;
  step.firstStarted ??= node.now - told.startedAgoUs;
  const at = node.now - told.endedAgoUs;
  if (told.error === undefined) {
    endStep(node, run, step, { status: "completed", output: told.output, at, n: told.n });
  } else failAttempt(node, run, step, told, told.error);
}

function failAttempt(node: Node, run: NodeRun, step: NodeStep, told: Ended, error: Failure): void {
  const { n } = told;
  const at = node.now - told.endedAgoUs;
  if (run.phase === "ending") {
    endStep(node, run, step, { status: "cancelled", error, at, n });
    return;
  }
  if (step.open.once !== undefined && told.timedOut === true) {
    // §4.5: what ran out of time may have been done.
    step.attempts = n;
    doubtStart(step);
    retry(node, run, step, node.now);
    return;
  }
  const next = step.open.once === undefined ? nextAttemptAt(node, step, told) : "failed";
  if (typeof next === "number") {
    step.attempts = n;
    step.status = "retrying";
    step.isRunning = false;
    step.begun = false;
    retry(node, run, step, next);
  } else endStep(node, run, step, { status: next, error, at, n });
}

/** Says when another attempt begins; or how the step ends, where none does (§6.1, §6.4). */
function nextAttemptAt(node: Node, step: NodeStep, told: Ended): number | "failed" | "timed_out" {
  const first = step.firstStarted ?? node.now;
  const totalEnd =
    told.totalTimeoutMs === undefined
      ? Number.POSITIVE_INFINITY
      : first + told.totalTimeoutMs * 1_000;
  if (node.now >= totalEnd) return "timed_out";
  const status = told.timedOut === true ? "timed_out" : "failed";
  if (told.terminal === true) return status;
  const pause = nextPause({ ...RETRY_DEFAULT, ...told.retry }, told.n);
  if (pause === undefined) return status;
  const next = node.now + (told.retryInMs ?? pause) * 1_000;
  return next >= totalEnd ? "timed_out" : next;
}

/** The next attempt begins at an instant, by the process's own clock. */
export function retry(node: Node, run: NodeRun, step: NodeStep, at: number): void {
  step.wakeAt = at;
  const { holder } = run;
  if (holder === undefined) return;
  const inUs = Math.max(0, at - node.now);
  node.say({ retry: { a: holder.a, step: step.id, n: step.attempts + 1, inUs } });
}

export function onSleep(node: Node, run: NodeRun, told: Sleeps): void {
  const step = structuralOf(node, run, told);
  if (step === undefined) return;
  step.status = "sleeping";
  step.wakeAt = told.untilUs ?? step.askedAt + (told.forUs ?? 0);
  if (step.wakeAt <= node.now) endStep(node, run, step, { status: "completed" });
}

export function onSkip(node: Node, run: NodeRun, told: OfStep): void {
  const step = structuralOf(node, run, told);
  if (step !== undefined) endStep(node, run, step, { status: "skipped" });
}

export function onDropped(node: Node, run: NodeRun, told: OfStep): void {
  const step = stepOf(node, run, told);
  if (step === undefined) return;
  cancelStep(node, run, step);
  if (step.kind === "race") cancelLosers(node, run, step.id);
}

function cancelStep(node: Node, run: NodeRun, step: NodeStep): void {
  if (step.child !== undefined) {
    // §7.2: the end of a child is awaited, once the run is ending.
    if (run.phase === "ending") return;
    node.cancelChild(step.child);
  }
  endStep(node, run, step, { status: "cancelled" });
}

export function onRace(node: Node, run: NodeRun, told: OfStep): void {
  const step = structuralOf(node, run, told);
  if (step !== undefined) step.status = "running";
}

export function onRaced(node: Node, run: NodeRun, told: Raced): void {
  const step = stepOf(node, run, told);
  if (step === undefined) return;
  const { output, error } = told;
  const status = error === undefined ? "completed" : "failed";
  endStep(node, run, step, { status, output, error });
  cancelLosers(node, run, step.id);
}

/** §5.5: what the branches of a race left open is cancelled with its end. */
function cancelLosers(node: Node, run: NodeRun, race: string): void {
  const inside = new Set([race]);
  const isInside = (step: NodeStep): boolean => {
    const { branch } = step.open;
    if (branch === undefined || !inside.has(branch.race)) return false;
    if (step.kind === "race") inside.add(step.id);
    return !step.hasEnded;
  };
  for (const step of run.steps.filter(isInside)) cancelStep(node, run, step);
}

/**
 * §5.5: what a branch began before its process knew that another one had won is recorded, and cancelled
 * with that; in a run that is ending, nothing of it is. Tells whether this is such a word.
 */
export function beganTooLate(node: Node, run: NodeRun, told: Partial<OfStep>): boolean {
  const { step, open } = told;
  if (step === undefined || open === undefined || run.byId.has(step)) return false;
  if (!lostItsRace(run, open)) return false;
  if (run.phase !== "ending") {
    endStep(node, run, openStep(node, run, step, open), { status: "cancelled" });
  }
  return true;
}

/** A race that the decision on the run's end overtook never began, and nothing in it lost (§7.2). */
function lostItsRace(run: NodeRun, { branch }: Opening): boolean {
  if (branch === undefined) return false;
  const race = run.byId.get(branch.race);
  return race === undefined ? run.phase !== "ending" : race.kind !== "race" || race.hasEnded;
}
