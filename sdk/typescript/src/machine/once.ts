/**
 * Functions that start at most once (§4.5): a start is durable before the function is called, and
 * where its outcome is lost, what became of it is found out before anything else.
 */

import type { Begin } from "../protocol/to-runner.js";
import { begin } from "./attempt.js";
import type { Core } from "./core.js";
import { addLine } from "./line.js";
import { Attempt, type OnceState, type Outcome, type Step, type Verdict } from "./state.js";

/** How often the function that finds out is tried. */
const VERIFIES_MAX = 4;

/** The pause before it is tried again, which doubles. */
const VERIFY_PAUSE_MS = 1_000;

/** Returns how a step stands of which only this is known. */
export function newOnce(doubt: boolean): OnceState {
  return { doubt, granted: false, verifies: 0, verdict: undefined };
}

/** Asks the node to record the start of the next attempt. */
export function askStart(core: Core, step: Step, now: number): void {
  step.attempt = new Attempt(step.attempts + 1, now, false);
  core.set(step, "asking");
  core.outbox.push({ what: "started", step });
  core.mark();
}

/** The start is durable. */
export function onBegin(core: Core, told: Begin): void {
  const step = core.find(told.step);
  if (step === undefined || step.once === undefined) return;
  if (step.state !== "asking" || step.attempt?.n !== told.n) return;
  const now = core.now();
  step.once.granted = true;
  step.dueAt = now;
  core.set(step, "due");
  core.mark();
  begin(core, step, now);
}

/** Notes that nobody knows how the last start ended; where no function finds out, that is told. */
export function doubt(core: Core, step: Step): void {
  step.once ??= newOnce(true);
  step.once.doubt = true;
  if (step.ask?.options?.once?.verified !== true) tellVerdict(core, step, "unknown");
}

function tellVerdict(core: Core, step: Step, verdict: Verdict): void {
  if (step.once !== undefined) step.once.verdict = verdict;
  core.set(step, "telling");
  core.outbox.push({ what: "verified", step });
  core.mark();
}

/**
 * The function that finds out has ended: with what it found, or with an error, after which it is
 * tried again.
 */
export function endVerify(core: Core, step: Step, outcome: Outcome): void {
  const { attempt, once } = step;
  if (attempt === undefined || once === undefined) return;
  if (outcome.kind === "returned") {
    attempt.outcome = outcome;
    tellVerdict(core, step, "done");
    return;
  }
  step.attempt = undefined;
  if (outcome.kind !== "failed") {
    tellVerdict(core, step, outcome.kind === "verdict" ? outcome.verdict : "unknown");
    return;
  }
  once.verifies++;
  const text = `what became of it was not found out: ${outcome.failure.message}`;
  addLine(core, step, "warn", text);
  if (once.verifies >= VERIFIES_MAX) {
    tellVerdict(core, step, "unknown");
    return;
  }
  step.dueAt = core.now() + VERIFY_PAUSE_MS * 2 ** (once.verifies - 1);
  core.set(step, "verifying");
  core.host.setTimer(step.dueAt, core, step);
  core.mark();
}

/** The run is given back: starts whose functions were never called did not happen. */
export function takeBackStarts(core: Core): void {
  for (const step of core.steps) {
    if (step.once?.granted === true && step.state === "due") {
      step.once.verdict = "notBegun";
      core.outbox.push({ what: "verified", step });
    }
  }
}
