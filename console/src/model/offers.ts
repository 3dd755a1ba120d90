/** Which acts a run offers in the state that it is in, and which of them would move it. */

import { isCleanUp, isFailure, nameOf, type Run, type Step, stepHasEnded } from "./run.ts";

export const ACTS = [
  "pause",
  "resume",
  "cancel",
  "fork",
  "rerun",
  "retry",
  "send",
  "resolve",
  "terminate",
  "delete",
] as const;
export type ActName = (typeof ACTS)[number];

/** An act that is possible; `step` where it is about one. */
export interface Offer {
  readonly act: ActName;
  readonly step: string | null;
}

const ENDED = new Set(["completed", "failed", "cancelled", "timed_out"]);

/** Says whether the end of a run is decided, whether or not it has come: only clean-up is left. */
function isEnding(run: Run): boolean {
  return run.status === "compensating" || run.cleanUp !== null;
}

/** Lists what can be done to a run as a whole, in the order in which it is offered. */
export function offersOf(run: Run): readonly Offer[] {
  const offers: Offer[] = [];
  const offer = (act: ActName, step: string | null = null) => offers.push({ act, step });
  const open = !ENDED.has(run.status);
  if (open && !isEnding(run)) {
    offer(isPaused(run) ? "resume" : "pause");
    offer("cancel");
  }
  if (!open && forkStepOf(run, null) !== null) offer("fork");
  offer("rerun");
  if (open) {
    if (canRetry(run)) offer("retry");
    for (const step of run.steps) {
      if (canResolve(run, step)) offer("resolve", step.id);
    }
    const wait = run.steps.find((step) => isWait(run, step));
    if (wait !== undefined) offer("send", wait.id);
    if (forkStepOf(run, null) !== null) offer("fork");
    offer("terminate");
  }
  if (!open) offer("delete");
  return offers;
}

/** Lists what can be done about one step. */
export function stepOffers(run: Run, step: Step): readonly Offer[] {
  const offers: Offer[] = [];
  const offer = (act: ActName) => offers.push({ act, step: step.id });
  if (canResolve(run, step)) offer("resolve");
  if (isWait(run, step)) offer("send");
  if (step.status === "retrying" && canRetry(run)) offer("retry");
  if (!isCleanUp(step)) offer("fork");
  return offers;
}

/** Says whether an act is possible, about this step where it is about one. */
export function isOffered(run: Run, act: ActName, step: string | null): boolean {
  const isAboutStep = act === "fork" || act === "send" || act === "resolve";
  if (!isAboutStep || step === null) return offersOf(run).some((one) => one.act === act);
  const about = run.steps.find((one) => one.id === step);
  return about !== undefined && stepOffers(run, about).some((one) => one.act === act);
}

/** Returns the act that would move a run, or take up what went wrong in it; null where there is none. */
export function decidingOf(run: Run): Offer | null {
  const offers = offersOf(run);
  const of = (act: ActName) => offers.find((one) => one.act === act) ?? null;
  if (run.status === "failed" || run.status === "timed_out") {
    const step = failedStepOf(run);
    return step === null ? of("rerun") : { act: "fork", step };
  }
  if (ENDED.has(run.status)) return null;
  return of("resolve") ?? of("resume") ?? of("retry") ?? (isWaiting(run) ? of("send") : null);
}

function isWaiting(run: Run): boolean {
  return run.cause === null ? run.status === "waiting" : run.cause === "waiting_for_event";
}

/** Names an act as a button does. */
export function actWord(run: Run, offer: Offer): string {
  const name = offer.step === null ? null : nameOf(offer.step);
  switch (offer.act) {
    case "pause":
      return "Pause";
    case "resume":
      return "Resume";
    case "cancel":
      return "Cancel";
    case "rerun":
      return "Rerun";
    case "fork":
      return name === null ? "Fork" : `Fork at ${name}`;
    case "retry":
      return run.status === "blocked" ? "Try again" : "Retry now";
    case "send":
      return "Send this event";
    case "resolve":
      return name === null ? "Resolve" : `Resolve ${name}`;
    case "terminate":
      return "Terminate";
    case "delete":
      return "Delete";
  }
}

/** The key of an act, as `useKeys` names it; acts without one are chosen from the menu. */
export function actKey(act: ActName): string | null {
  const keys: Partial<Record<ActName, string>> = {
    pause: "p",
    resume: "p",
    cancel: "Shift+c",
    rerun: "r",
    fork: "Shift+f",
  };
  return keys[act] ?? null;
}

/** Says whether somebody holds the run back. */
export function isPaused(run: Run): boolean {
  return run.status === "paused" || (run.paused ?? null) !== null;
}

/** §9.5: a backoff is shortened, or a blocked run is tried again; not once its end is decided. */
function canRetry(run: Run): boolean {
  if (isEnding(run) || isPaused(run)) return false;
  // What is blocked on an unknown outcome stays so until somebody says what happened (§4.5).
  if (run.status === "blocked") return run.blocked?.kind !== "outcomeUnknown";
  return (run.retryAt ?? null) !== null || run.steps.some((step) => step.status === "retrying");
}

function canResolve(run: Run, step: Step): boolean {
  if (step.status !== "unknown" || ENDED.has(run.status) || run.blocked?.kind !== "outcomeUnknown")
    return false;
  return run.blocked.step === undefined || run.blocked.step === step.id || step.once !== undefined;
}

function isWait(run: Run, step: Step): boolean {
  const waits = step.kind === "waitForEvent" || step.kind === "namedWait";
  return waits && step.status === "waiting" && !ENDED.has(run.status) && !isEnding(run);
}

/** Returns the step that failed last, of those that a run can go on from. */
export function failedStepOf(run: Run): string | null {
  const failed = run.steps.filter(
    (step) => isFailure(step) && !isCleanUp(step) && step.kind !== "race",
  );
  const ended = (step: Step) => step.completedAt ?? "";
  return (
    failed.reduce<Step | null>(
      (last, step) => (last === null || ended(step) >= ended(last) ? step : last),
      null,
    )?.id ?? null
  );
}

/** Returns the step that a fork goes on from: the one that is wanted, else the one that failed, else the last. */
export function forkStepOf(run: Run, wanted: string | null): string | null {
  const own = run.steps.filter((step) => !isCleanUp(step));
  if (wanted !== null) return own.some((step) => step.id === wanted) ? wanted : null;
  const last = own.reduce<Step | null>(
    (best, step) => (best === null || step.position > best.position ? step : best),
    null,
  );
  return failedStepOf(run) ?? last?.id ?? null;
}

/** Lists the steps that are in flight: what a cancel or a pause meets. */
export function inFlight(run: Run): readonly Step[] {
  return run.steps.filter((step) => !stepHasEnded(step) && step.status !== "unknown");
}
