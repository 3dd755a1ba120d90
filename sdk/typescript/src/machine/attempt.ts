/** Attempts begin, run out of time, end. */

import { isOver } from "./bytes.js";
import type { Core } from "./core.js";
import { cancelled, plainFailure, timeoutError } from "./failure.js";
import { addLine } from "./line.js";
import { askStart, endVerify } from "./once.js";
import { isLaneOpen } from "./race.js";
import { Attempt, type Outcome, type Step } from "./state.js";

/** A function that still runs gets its record of a start after this time (§4.3), in milliseconds. */
export const START_TOLD_AFTER_MS = 50;

/** How long the next attempt waits for the function of one that ran out of time (§6.4). */
export const STRAY_WAIT_MS = 5_000;

/** Begins the next attempt of a step that is due, if it may. */
export function begin(core: Core, step: Step, now: number): void {
  // §9.6: no function begins while the run is paused.
  if (step.state !== "due" || core.phase !== "forward" || core.isPaused) return;
  if (step.dueAt > now || !step.asked) return;
  if (waitsForStray(step, now)) return;
  // §4.7: a run from a connection before may be another's by now, until the node says that it is
  // held; and no function starts after the grant has lapsed. §5.5: nor in a branch that lost.
  if (core.attached === undefined || core.isDraining || !core.host.mayStart(core, now)) return;
  if (!isLaneOpen(step.lane)) return;
  if (step.once?.doubt === true) {
    call(core, step, new Attempt(step.attempts, now, true));
    return;
  }
  if (step.once !== undefined && !step.once.granted) {
    askStart(core, step, now);
    return;
  }
  beginNext(core, step, now);
}

/** §6.4: the next attempt begins when the old function has settled, or 5 s later. */
export function waitsForStray(step: Step, now: number): boolean {
  return step.strays > 0 && now < step.straySince + STRAY_WAIT_MS;
}

function beginNext(core: Core, step: Step, now: number): void {
  if (step.once !== undefined) step.once.granted = false;
  const attempt = new Attempt(step.attempts + 1, now, false);
  attempt.overlapped = step.strays > 0;
  attempt.startTold = step.once !== undefined;
  step.firstStarted ??= now;
  const limit = limitOf(step, now);
  attempt.deadline = now + limit;
  if (limit <= 0) {
    step.attempt = attempt;
    core.set(step, "running");
    timeOut(core, step, now);
    return;
  }
  if (Number.isFinite(limit)) core.host.setTimer(attempt.deadline, core, step);
  call(core, step, attempt);
}

function call(core: Core, step: Step, attempt: Attempt): void {
  step.attempt = attempt;
  core.set(step, "running");
  core.fresh.push(step);
  core.mark();
  step.ask?.callee?.call(step, attempt);
}

/** Returns how much time an attempt has, in milliseconds. */
function limitOf(step: Step, now: number): number {
  const { timeoutMs, totalTimeoutMs } = step.ask?.options ?? {};
  const own = timeoutMs ?? Number.POSITIVE_INFINITY;
  if (totalTimeoutMs === undefined) return own;
  return Math.min(own, (step.firstStarted ?? now) + totalTimeoutMs - now);
}

/** Ends an attempt that has run out of time (§6.4). */
export function timeOut(core: Core, step: Step, now: number): void {
  const attempt = step.attempt;
  if (attempt === undefined) return;
  const { timeoutMs, totalTimeoutMs } = step.ask?.options ?? {};
  const isTotal =
    totalTimeoutMs !== undefined &&
    (timeoutMs === undefined || (step.firstStarted ?? now) + totalTimeoutMs <= now);
  const error = timeoutError(core, step, (isTotal ? totalTimeoutMs : timeoutMs) ?? 0);
  const failure = plainFailure(error);
  if (attempt.startedAt < now) {
    attempt.isStray = true;
    core.strays++;
    step.strays++;
    step.straySince = now;
    core.host.setTimer(now + STRAY_WAIT_MS, core, step);
  }
  endAttempt(core, step, { kind: "failed", failure, terminal: false, timedOut: true });
  attempt.abort(error);
}

/** A step's function ended. */
export function onFunctionEnd(core: Core, step: Step, attempt: Attempt, outcome: Outcome): void {
  if (attempt.isStray) {
    // §6.4: a late result of an ended attempt changes nothing; the next attempt waited for this.
    core.strays--;
    step.strays--;
    if (step.state === "due") begin(core, step, core.now());
    core.mark();
    return;
  }
  if (step.state !== "running" || step.attempt !== attempt || core.phase === "closed") return;
  if (attempt.verifies) {
    endVerify(core, step, outcome);
    return;
  }
  warnOfSize(core, step, outcome);
  endAttempt(core, step, outcome);
}

function endAttempt(core: Core, step: Step, outcome: Outcome): void {
  if (step.attempt !== undefined) {
    step.attempt.endedAt = core.now();
    step.attempt.outcome = outcome;
  }
  core.set(step, "telling");
  core.outbox.push({ what: "ended", step });
  core.mark();
}

/** §12: a result that comes near to the limit says so before one is over it. */
function warnOfSize(core: Core, step: Step, outcome: Outcome): void {
  const max = core.terms.payloadBytesMax;
  if (outcome.kind === "returned" && isOver(outcome.output, max / 2)) {
    const text = `the result has more than half of the ${max} bytes that it may have`;
    addLine(core, step, "warn", text);
  }
}

/** Signals the functions in flight that their run is ending (§7.2). */
export function fireSignals(core: Core): void {
  for (const step of core.steps) {
    if (step.attempt !== undefined && step.state !== "taken") step.attempt.abort(cancelled(core));
  }
}

/** Begins what is due, once something that held it back is over. */
export function beginDue(core: Core): void {
  if (core.counts.due === 0) return;
  const now = core.now();
  for (const step of core.steps) if (step.state === "due") begin(core, step, now);
}
