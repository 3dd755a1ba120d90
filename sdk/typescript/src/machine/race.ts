/**
 * Races of branches (§5.5).
 *
 * Branches run as code does, each with a handle of its own. From the moment in which one settles
 * until the code is given the end of the race, ends of steps in its branches are passed over; then
 * what the branches still wait for throws `RaceLostError`. So a loser moves at one place only, the
 * same on replay.
 */

import type { Core } from "./core.js";
import { Attempt, type Given, type Lane, type Outcome, type Step } from "./state.js";

/** What the branches of a race are to do. */
export type Racing =
  /** The first that settles wins. */
  | { readonly kind: "open" }
  /** The journal has its end: they go where they went before. The winner, where it gave a value. */
  | { readonly kind: "recorded"; readonly winner: string | undefined }
  /** The journal has that it was cancelled: they go as far as they came. */
  | { readonly kind: "cancelled" }
  /** Nothing that they do matters any more. */
  | { readonly kind: "over" };

/** What the branches of races wait for, until the race is over. */
const waiting: WeakMap<Step, Set<(given: Given) => void>> = new WeakMap();

/** Says what the branches of a race are to do. */
export function racing(core: Core, race: Step): Racing {
  if (race.decided || race.isGiven) return { kind: "over" };
  const isGathering = core.phase === "gathering";
  if (core.phase !== "forward" && !isGathering) return { kind: "over" };
  if (race.state === "racing") return { kind: "open" };
  if (race.state === "ended" && race.attempt === undefined && race.end?.status !== "cancelled") {
    return { kind: "recorded", winner: winnerOf(race.end?.value) };
  }
  // §7.5: a race that was cancelled is replayed for how the steps of its branches are taken back.
  if (isGathering) return { kind: "open" };
  // §5.4: what its branches were given before is given to them again.
  const isKept = race.state === "ended" && race.attempt === undefined;
  return { kind: isKept ? "cancelled" : "over" };
}

function winnerOf(recorded: unknown): string | undefined {
  if (typeof recorded !== "object" || recorded === null || !("winner" in recorded))
    return undefined;
  return typeof recorded.winner === "string" ? recorded.winner : undefined;
}

/** Returns what a race that was won gives: the winner and its value. */
export function wonBy(recorded: unknown): { winner: string; value: unknown } | undefined {
  const winner = winnerOf(recorded);
  if (winner === undefined || typeof recorded !== "object" || recorded === null) return undefined;
  return { winner, value: "value" in recorded ? recorded.value : undefined };
}

/** A branch settled. `rejected` and its name tell whether it is the one that the journal has. */
export function onBranchSettled(
  core: Core,
  race: Step,
  branch: { readonly name: string; readonly outcome: () => Outcome; readonly isRejected: boolean },
): void {
  const state = racing(core, race);
  if (state.kind === "open" && core.phase === "forward") {
    const now = core.now();
    race.attempt = new Attempt(1, now, false);
    race.attempt.outcome = branch.outcome();
    race.decided = true;
    core.set(race, "telling");
    core.outbox.push({ what: "raced", step: race });
    core.mark();
  } else if (state.kind === "recorded") {
    const isSame = state.winner === undefined ? branch.isRejected : state.winner === branch.name;
    race.decided = isSame;
    core.mark();
  } else if (state.kind === "cancelled") {
    race.decided = true;
    core.mark();
  }
}

/** Tells whether a function or a new step may begin in a branch, and in all that it stands in. */
export function isLaneOpen(lane: Lane | undefined): boolean {
  for (let one = lane; one !== undefined; one = one.race.lane) {
    if (one.race.state !== "racing" || one.race.decided) return false;
  }
  return true;
}

/** Tells whether code in a branch is given ends no more: the branch, or one around it, is decided. */
export function isLaneMute(lane: Lane | undefined): boolean {
  for (let one = lane; one !== undefined; one = one.race.lane) {
    if (one.race.decided || one.race.isGiven) return true;
  }
  return false;
}

/** Tells whether the code was given the end of the race that a branch, or one around it, stands in. */
export function isLaneOver(lane: Lane | undefined): boolean {
  for (let one = lane; one !== undefined; one = one.race.lane) {
    if (one.race.isGiven) return true;
  }
  return false;
}

/** Notes that a branch waits for something. */
export function joinRace(lane: Lane | undefined, settle: (given: Given) => void): void {
  if (lane === undefined) return;
  const all = waiting.get(lane.race) ?? new Set();
  waiting.set(lane.race, all.add(settle));
}

/** Notes that a branch was given what it waited for. */
export function leaveRace(lane: Lane | undefined, settle: (given: Given) => void): void {
  if (lane !== undefined) waiting.get(lane.race)?.delete(settle);
}

/** The code was given the end of a race: what its branches wait for is lost. */
export function loseRest(race: Step): void {
  const all = waiting.get(race);
  waiting.delete(race);
  for (const settle of all ?? []) settle("lost");
}
