/** When a run has nothing to do in this process, and what is done then. */

import { fireSignals, waitsForStray } from "./attempt.js";
import { gatheredAll, restGathering } from "./clean.js";
import type { Code } from "./code.js";
import type { Core } from "./core.js";
import { cancelledOutcome } from "./failure.js";
import { flush } from "./flush.js";
import { takeBackStarts } from "./once.js";
import type { Outcome, Step } from "./state.js";

/** Tells whether the code waits for the engine only, and perhaps for what is no step. */
export function isIdle(core: Core): boolean {
  const { running, telling, verifying, waiting, due } = core.counts;
  if (core.phase !== "forward" || running + telling + verifying > 0) return false;
  // §6.4: another runner would not know of the function that the next attempt waits for.
  if (core.strays > 0 && due > 0) {
    const now = core.now();
    if (core.steps.some((step) => step.state === "due" && waitsForStray(step, now))) return false;
  }
  const waits = waiting + due > 0;
  return core.isPaused ? waits || core.askable > 0 : waits && core.askable === 0;
}

/** Ends a look at a run whose code waits. */
export function rest(core: Core): void {
  const isGathering = core.phase === "gathering";
  if (!(isGathering || core.phase === "forward") || core.attached === undefined) return;
  if (core.isDraining && core.counts.running === 0 && core.counts.telling === 0) {
    // What is in the queue and asked for was not seen: the run is ready again at once.
    release(core);
    return;
  }
  if (isGathering) {
    restGathering(core);
    return;
  }
  if (!isIdle(core)) {
    core.restingSince = undefined;
    return;
  }
  if (!core.idleTold) {
    core.idleTold = true;
    core.outbox.push({ what: "idle" });
  }
  const now = core.now();
  if (core.restingSince === undefined) {
    core.restingSince = now;
    core.host.setTimer(now + core.terms.lingerMs, core, undefined);
  } else if (now >= core.restingSince + core.terms.lingerMs) release(core);
}

function release(core: Core): void {
  takeBackStarts(core);
  // What was told and is never asked for does not make the run ready again.
  const seen = core.askable === 0 ? core.told : core.passed;
  core.outbox.push({ what: "released", seen, ready: isHeldBack(core) });
  core.phase = "closed";
  flush(core);
  core.host.forget(core);
  core.attached = undefined;
}

/** Tells whether a function could begin were the run not paused. */
function isHeldBack(core: Core): boolean {
  if (!core.isPaused || core.counts.due === 0) return false;
  const now = core.now();
  return core.steps.some((step) => step.state === "due" && step.dueAt <= now);
}

/** The code ended. What it left behind is cancelled by the end of the run (§5.6). */
export function onReturned(core: Core, code: Code, outcome: Outcome): void {
  if (code.isOver) return;
  if (core.phase === "gathering") {
    gatheredAll(core);
    core.mark();
    return;
  }
  if (core.phase !== "forward") return;
  core.finish = outcome;
  core.hasReturned = true;
  core.phase = "leaving";
  // §7.2: where the run fails, functions in flight are awaited, since they may have to be taken back.
  core.leavingUntil = core.now() + (outcome.kind === "failed" ? core.terms.graceMs : 0);
  if (core.counts.running > 0) {
    fireSignals(core);
    core.host.setTimer(core.leavingUntil, core, undefined);
  }
  core.mark();
}

/** The run ends from outside: its handler is given nothing more. */
export function finishCancelled(core: Core): void {
  core.finish = cancelledOutcome(core);
  core.phase = "finished";
  core.outbox.push({ what: "finished" });
}

/** Goes on with an end that was decided, by the handler or from outside. */
export function goOnEnding(core: Core): void {
  if (core.phase === "ending" && core.counts.running === 0) finishCancelled(core);
  if (core.phase !== "leaving") return;
  if (core.counts.running > 0 && core.now() < core.leavingUntil) return;
  for (const step of core.steps) drop(core, step);
  core.phase = "finished";
  core.outbox.push({ what: "finished" });
}

/** §5.6: what is in flight when the handler ends is cancelled, recorded. */
function drop(core: Core, step: Step): void {
  switch (step.state) {
    case "running":
      // §7.2: the run's end has to know that the function of such a step began.
      if (step.ask?.compensable !== undefined && step.attempt?.startTold === false) {
        core.outbox.push({ what: "started", step });
      }
      break;
    case "due":
    case "telling":
    case "waiting":
    case "asking":
    case "verifying":
    case "racing":
      break;
    default:
      return;
  }
  core.set(step, "dropped");
  core.outbox.push({ what: "dropped", step });
}
