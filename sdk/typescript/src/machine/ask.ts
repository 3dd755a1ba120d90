/** Code asks for a step. */

import type { Kind } from "../protocol/to-runner.js";
import { begin } from "./attempt.js";
import { byteLength } from "./bytes.js";
import { goesAnotherWay } from "./clean.js";
import type { Code } from "./code.js";
import type { Core } from "./core.js";
import { deliverPassed } from "./deliver.js";
import { insideFunction } from "./inside.js";
import { doubt } from "./once.js";
import { isLaneOpen, isLaneOver, joinRace } from "./race.js";
import { duplicate, nested, overLimit, raceLost, shown } from "./refusals.js";
import { type Ask, type Given, type State, Step } from "./state.js";

/**
 * Takes a step up; `settle` gets its end, once, when the code is to have it. Where the code cannot
 * go on, it never does, and there is no step.
 *
 * @throws `DuplicateStepIdError`, `NestedStepError`, `RaceLostError`, `LimitError`: nothing was
 * taken up.
 */
export function ask(
  core: Core,
  code: Code,
  asked: Ask,
  settle: (given: Given) => void,
): Step | undefined {
  const outer = insideFunction();
  if (outer !== undefined && outer.core === core) throw nested(core, asked.id, outer.step.id);
  if (code.isOver || !(core.phase === "forward" || core.phase === "gathering")) {
    tellLate(core, asked.id);
    return undefined;
  }
  if (isLaneOver(asked.lane)) throw raceLost(core, asked.id, asked.lane);
  core.restingSince = undefined;
  const known = core.find(asked.id);
  if (known !== undefined) {
    askKnown(core, known, asked);
    known.code = code;
    known.settle = settle;
    joinRace(asked.lane, settle);
    if (known.state === "due") begin(core, known, core.now());
    else if (known.state === "passed") deliverPassed(core, known);
    return known;
  }
  joinRace(asked.lane, settle);
  // §7.5: what is not saved starts nothing; but branches of a race that has no end say, too, how
  // their steps are taken back.
  if (core.phase === "gathering")
    return asked.kind === "race" ? replayRace(core, asked) : undefined;
  // §5.5: nothing new begins in a branch that lost.
  if (!isLaneOpen(asked.lane)) return undefined;
  const step = askNew(core, asked);
  step.code = code;
  step.settle = settle;
  if (step.state === "due") begin(core, step, core.now());
  return step;
}

/**
 * Code goes on after the handler has ended. It is not thrown an error: what tries again at every error
 * would go on for ever.
 */
function tellLate(core: Core, id: string): void {
  if (!core.hasReturned || core.isLateTold) return;
  core.isLateTold = true;
  const message =
    `step \`${shown(id)}\` is asked for after the handler has returned, and never settles: ` +
    "is an `await` missing?";
  core.host.print(core, undefined, { level: "warn", message });
}

/** Returns where a step of a kind stands that was just asked for. */
function firstState(kind: Kind): State {
  switch (kind) {
    case "run":
    case "compensate":
    case "onFailure":
      return "due";
    case "race":
      return "racing";
    case "emit":
    case "skip":
      return "telling";
    case "sleep":
    case "sleepUntil":
    case "waitForEvent":
    case "namedWait":
    case "invoke":
      return "waiting";
  }
}

function askKnown(core: Core, step: Step, asked: Ask): void {
  if (step.asked) throw duplicate(core, asked.id);
  core.mark();
  if (step.kind !== asked.kind) {
    // §4.10: another kind under the same id blocks the run.
    goesAnotherWay(core, {
      kind: "kindChanged",
      step: step.id,
      expected: step.kind,
      found: asked.kind,
    });
    return;
  }
  step.asked = true;
  step.ask = asked;
  step.askedAt = core.now();
  if (step.state === "known") {
    core.unasked--;
    // An event or a skip that is open is answered without being told again.
    const state = firstState(step.kind);
    core.set(step, state === "telling" ? "waiting" : state);
    if (step.once?.doubt === true) doubt(core, step);
  } else if (step.state === "ended") {
    if (step.isWanted()) core.askable++;
  }
}

function askNew(core: Core, asked: Ask): Step {
  within(core, asked);
  const step = new Step(asked.id, asked.kind, firstState(asked.kind));
  const now = core.now();
  step.asked = true;
  step.ask = asked;
  // What an earlier run of the handler left stands in front of all that this one has.
  step.after = core.passed + core.kept.length;
  step.askedAt = now;
  step.dueAt = now;
  if (asked.options?.once !== undefined) {
    step.once = { doubt: false, granted: false, verifies: 0, verdict: undefined };
  }
  core.add(step);
  if (step.state !== "due") core.outbox.push({ what: "opens", step });
  core.mark();
  return step;
}

/** Takes up a race for its branches only; the node is told nothing of it. */
function replayRace(core: Core, asked: Ask): Step {
  const race = new Step(asked.id, asked.kind, "racing");
  race.asked = true;
  race.ask = asked;
  core.add(race);
  return race;
}

/** §12: limits are met before the side effect. */
function within(core: Core, asked: Ask): void {
  const { id, kind, input, metadata } = asked;
  const { stepsMax, branchesMax, payloadBytesMax } = core.terms;
  // What takes steps back is not refused for their number.
  const isMade = kind === "compensate" || kind === "onFailure";
  if (!isMade && core.steps.length >= stepsMax) {
    throw overLimit(core, id, `step \`${id}\` is one more than the ${stepsMax} of a run`);
  }
  if (core.inFlight() >= branchesMax) {
    const text = `step \`${id}\` is one more than the ${branchesMax} that may be in flight`;
    throw overLimit(core, id, text);
  }
  if (input === undefined && metadata === undefined) return;
  const bytes = byteLength(input) + byteLength(metadata);
  if (bytes > payloadBytesMax) {
    const what = `input and metadata of step \`${id}\` have ${bytes} bytes`;
    throw overLimit(core, id, `${what}; the limit is ${payloadBytesMax}`);
  }
}
