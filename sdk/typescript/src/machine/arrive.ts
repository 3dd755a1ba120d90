/** What the node says of a run. */

import type { Resume } from "../protocol/to-node.js";
import type { EndedStep, OpenStep, Retry, Settled } from "../protocol/to-runner.js";
import { begin, beginDue, fireSignals } from "./attempt.js";
import type { Core } from "./core.js";
import { cancelled } from "./failure.js";
import { doubt, newOnce } from "./once.js";
import { finishCancelled } from "./rest.js";
import { tellSearchAgain } from "./search.js";
import { type End, Step } from "./state.js";

/** Part of the history (§4.1): ends in the order in which the code is given them. */
export function onHistory(core: Core, ended: readonly EndedStep[]): void {
  for (const one of ended) {
    core.cleanUp?.keep(one);
    const step = new Step(one.step, one.kind, "ended");
    step.opened = true;
    step.attempts = one.attempts;
    step.keptFrom = one.keptFrom;
    const { status, atUs, output, error, attempts } = one;
    step.end = { status, atUs, text: undefined, value: output, error, attempts };
    core.add(step);
    if (one.kept === true) core.kept.push(step);
    else core.queue.push(step);
    core.told++;
    core.history++;
  }
}

/** Steps that the journal has open. */
export function onOpen(core: Core, open: readonly OpenStep[]): void {
  const now = core.now();
  for (const one of open) {
    const step = new Step(one.step, one.kind, "known");
    step.opened = true;
    step.attempts = one.attempts;
    if (one.once === true) step.once = newOnce(one.unknown === true);
    step.dueAt = now + (one.dueInUs ?? 0) / 1_000;
    if (one.firstStartedAgoUs !== undefined) {
      step.firstStarted = now - one.firstStartedAgoUs / 1_000;
    }
    core.add(step);
    core.unasked++;
    if (step.dueAt > now) core.host.setTimer(step.dueAt, core, step);
  }
}

/** The history is whole: the code runs. */
export function onLoaded(core: Core): void {
  if (core.phase !== "loading") return;
  core.phase = core.cleanUp === undefined ? "forward" : "gathering";
  core.mark();
}

/** A step ended, durably. */
export function onSettled(core: Core, settled: Settled): void {
  const step = core.find(settled.step);
  if (step === undefined) return;
  // The node repeats what it is not sure to have told.
  if (step.state === "ended" || step.state === "passed" || step.state === "taken") return;
  step.end = endOf(step, settled);
  const wasKnown = step.state === "known";
  // §5.5: a function of a branch that lost may be in progress.
  if (step.state === "running") step.attempt?.abort(cancelled(core));
  step.attempt = undefined;
  step.opened = true;
  if (wasKnown) core.unasked--;
  if (step.state === "dropped") step.asked = false;
  if (step.isWanted()) core.askable++;
  core.set(step, "ended");
  core.queue.push(step);
  core.told++;
  // The node takes a slot for the run again as it tells this, unless the word that the run rests was
  // on its way to it meanwhile.
  if (core.idleTold) core.idleUnsure = true;
  core.idleTold = false;
  core.restingSince = undefined;
  core.mark();
}

function endOf(step: Step, settled: Settled): End {
  const status = settled.status ?? "completed";
  const outcome = step.attempt?.outcome;
  const isOwn = outcome?.kind === "returned" && status === "completed";
  const ownError = outcome?.kind === "failed" ? outcome.failure : undefined;
  return {
    status,
    atUs: settled.atUs,
    text: isOwn ? outcome.output : undefined,
    // Of what ran here this process has the result.
    value: outcome === undefined ? settled.output : undefined,
    error: settled.error ?? ownError,
    attempts: step.attempt?.n ?? step.attempts,
  };
}

/** An attempt failed, and another one follows. */
export function onRetry(core: Core, retry: Retry): void {
  const step = core.find(retry.step);
  if (step === undefined) return;
  const now = core.now();
  const dueAt = now + retry.inUs / 1_000;
  const isWaiting = step.state === "due" || step.state === "known";
  if (isWaiting && step.attempts + 1 === retry.n && dueAt < step.dueAt) {
    // §9.5: its backoff is over earlier than was said.
    step.dueAt = dueAt;
  } else if (step.state === "telling" && isAnswer(step, retry)) {
    step.attempt = undefined;
    step.attempts = retry.n - 1;
    step.opened = true;
    step.dueAt = dueAt;
    core.set(step, "due");
    if (step.once !== undefined) {
      // §4.5: what is not done may start; of what ran out of time nobody knows.
      const isNotDone = step.once.verdict !== undefined;
      step.once = { ...newOnce(false), granted: step.once.granted };
      if (!isNotDone) doubt(core, step);
    }
  } else return;
  core.mark();
  if (step.dueAt <= now) begin(core, step, now);
  else core.host.setTimer(step.dueAt, core, step);
}

function isAnswer(step: Step, retry: Retry): boolean {
  return (step.attempt?.n ?? retry.n) < retry.n || step.once?.verdict !== undefined;
}

/** The run's end is decided (§7.2): nothing more starts, what is in flight gets the signal. */
export function onEnd(core: Core): void {
  if (core.isOver() && core.phase !== "blocked") return;
  if (core.phase === "ending" || core.phase === "leaving") return;
  core.phase = "ending";
  fireSignals(core);
  if (core.counts.running === 0) finishCancelled(core);
  core.mark();
}

/** This process does not hold the run any more, or may forget it. */
export function onOver(core: Core): void {
  if (core.phase === "closed") return;
  core.phase = "closed";
  core.attached = undefined;
  core.outbox.length = 0;
  core.lines = [];
  fireSignals(core);
}

/** The runner stops: the run is given back as soon as no function of it is in progress. */
export function onDrain(core: Core): void {
  core.isDraining = true;
  core.mark();
}

/** The connection is gone. What was not answered is told again on the next one. */
export function onDisconnected(core: Core): void {
  core.attached = undefined;
}

/** The run is paused (§9.6): what is in flight ends; nothing begins, the code is given nothing. */
export function onPause(core: Core): void {
  core.isPaused = true;
  core.mark();
}

/** The run is paused no more: what was held back goes on. */
export function onUnpause(core: Core): void {
  core.isPaused = false;
  // The node takes a slot for the run again as it tells this.
  if (core.idleTold) core.idleUnsure = true;
  core.idleTold = false;
  core.restingSince = undefined;
  beginDue(core);
  core.mark();
}

/** A function may start again (§4.7). */
export function onGrant(core: Core): void {
  beginDue(core);
}

/** Returns what the handshake says of the run; nothing where there is nothing to resume. */
export function resumeOf(core: Core, isIdle: boolean): Resume | undefined {
  if (core.phase === "loading" || core.phase === "closed") return undefined;
  core.idleTold = isIdle;
  core.idleUnsure = false;
  const { run, epoch, nonce } = core.info;
  return { run, epoch, nonce, told: core.told, idle: isIdle };
}

/** The run goes on being held, under a new handle. */
export function onResumed(core: Core, a: number, generation: number, isPaused: boolean): void {
  core.attached = { a, generation };
  core.isPaused = isPaused;
  // All is told from the state that it is about.
  core.outbox.length = 0;
  tellSearchAgain(core);
  for (const step of core.steps) tellAgain(core, step);
  core.outbox.push(...core.orders);
  if (core.phase === "blocked") core.outbox.push({ what: "block" });
  if (core.phase === "finished") core.outbox.push({ what: "finished" });
  // What became due meanwhile waited for this.
  beginDue(core);
  core.mark();
}

/**
 * Puts what is not answered about a step into the outbox. Whether the node knows the step is known
 * for sure only where it answered; opening it twice changes nothing.
 */
function tellAgain(core: Core, step: Step): void {
  const before = core.outbox.length;
  switch (step.state) {
    case "running":
      if (step.attempt?.startTold === true) core.outbox.push({ what: "started", step });
      break;
    case "asking":
      core.outbox.push({ what: "started", step });
      break;
    case "racing":
    case "waiting":
      core.outbox.push({ what: "opens", step });
      break;
    case "telling":
      if (step.once?.verdict !== undefined) core.outbox.push({ what: "verified", step });
      else if (step.kind === "race") {
        // Its end does not open it.
        core.outbox.push({ what: "opens", step }, { what: "raced", step });
      } else if (step.attempt !== undefined) core.outbox.push({ what: "ended", step });
      else core.outbox.push({ what: "opens", step });
      break;
    case "dropped":
      core.outbox.push({ what: "dropped", step });
      break;
    default:
      break;
  }
  if (core.outbox.length > before) step.opened = false;
}
