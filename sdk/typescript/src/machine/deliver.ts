/** Ends of steps reach the code, one at a time, in the recorded order (§5.4). */

import { goesAnotherWay } from "./clean.js";
import type { Core } from "./core.js";
import { isLaneMute, leaveRace, loseRest } from "./race.js";
import type { Step } from "./state.js";

/** Gives the code the next end, if it asks for it. Tells whether it did. */
export function deliverNext(core: Core): boolean {
  if (core.phase !== "forward" && core.phase !== "gathering") return false;
  if (core.isDraining || core.isPaused) return false;
  if (core.kept.length > 0) {
    const kept = core.kept.takeFirst((step) => step.isWanted());
    if (kept !== undefined) {
      deliver(core, kept);
      return true;
    }
  }
  passOver(core);
  const next = core.queue.peek();
  if (next?.asked === true) {
    core.queue.shift();
    deliver(core, next);
    // A replay is over with the last end that the code is given.
    passOver(core);
    return true;
  }
  return deliverOutOfOrder(core);
}

/** Passes over ends that the code never gets, and did not get before. */
function passOver(core: Core): void {
  for (let next = core.queue.peek(); next !== undefined; next = core.queue.peek()) {
    const isCancelled = next.end?.status === "cancelled";
    if (!isCancelled && !(next.asked && isLaneMute(next.lane))) return;
    core.queue.shift();
    core.passed++;
    if (next.isWanted()) core.askable--;
    next.end = undefined;
    core.set(next, "taken");
  }
}

function deliver(core: Core, step: Step): void {
  core.passed++;
  core.askable--;
  core.stalledSince = undefined;
  core.quietSince = undefined;
  core.restingSince = undefined;
  give(core, step);
}

function give(core: Core, step: Step): void {
  const { end, settle } = step;
  core.set(step, "taken");
  step.end = undefined;
  step.settle = undefined;
  if (end === undefined || settle === undefined) return;
  step.isGiven = true;
  core.nowUs = Math.max(core.nowUs, end.atUs);
  leaveRace(step.lane, settle);
  if (!step.code?.isOver) settle(end);
  if (step.kind === "race") loseRest(step);
}

/** Gives the end of a step that was passed over, since the code asks for it now. */
export function deliverPassed(core: Core, step: Step): void {
  if (step.isWanted()) give(core, step);
  else core.set(step, "taken");
}

/**
 * The next end is of a step that the code does not ask for. It may still ask, woken by something
 * that is no step. After a while the earliest end that it asks for is delivered instead.
 */
function deliverOutOfOrder(core: Core): boolean {
  if (core.askable === 0 || core.counts.running > 0) {
    core.stalledSince = undefined;
    return false;
  }
  const now = core.now();
  if (core.stalledSince === undefined) {
    core.stalledSince = now;
    core.host.setTimer(now + core.terms.lingerMs, core, undefined);
    return false;
  }
  if (now < core.stalledSince + core.terms.lingerMs) return false;
  const isNext = (step: Step): boolean => step.isWanted() && !isLaneMute(step.lane);
  const expected = core.queue.peek()?.id;
  const before = core.queue.takeBefore(isNext);
  const found = before.length === 0 ? undefined : core.queue.shift();
  if (expected === undefined || found === undefined) return false;
  for (const step of before) {
    core.passed++;
    if (step.isWanted()) core.askable--;
    core.set(step, "passed");
  }
  if (core.info.strict) {
    goesAnotherWay(core, { kind: "orderChanged", expected, found: found.id });
    return false;
  }
  const order = { what: "order", expected, found: found.id } as const;
  core.orders.push(order);
  core.outbox.push(order);
  deliver(core, found);
  return true;
}
