/** What is said of a step that was observed: how often it was called, and why it was not. */

import { instant } from "./instants.ts";
import type { ObservedStep } from "./observed.ts";
import { capital, clock, counted, ordinal, statusWord } from "./words.ts";

/** Returns since when the call is open that has been open longest; null where none is. */
export function openSince(step: ObservedStep): number | null {
  let since: number | null = null;
  for (const { status, startedAt } of step.attempts) {
    if (status !== "running" || startedAt === null) continue;
    const at = instant(startedAt);
    if (since === null || at < since) since = at;
  }
  return since;
}

/** Says how often a step was called, or why it was not. `behind` names the step that keeps it from being reached. */
export function callsWords(step: ObservedStep, behind: string | null): string {
  switch (step.status) {
    case "missing":
      return "missing: not called, not skipped";
    case "not_reached":
      if (behind !== null) return `not reached, behind ${behind}`;
      return step.terminal ? "not reached, terminal" : "not reached";
    case "skipped":
      if (step.attemptsTotal === 0) return "skipped";
      return `${counted(step.attemptsTotal, "call")}, then skipped`;
    default:
      return called(step);
  }
}

function called(step: ObservedStep): string {
  const calls = counted(step.attemptsTotal, "call");
  const last = step.attempts.at(-1);
  if (step.status === "failed") {
    return step.attemptsTotal === 1 ? `${calls}, it failed` : `${calls}, the last failed`;
  }
  if (step.status === "stuck") {
    return step.attemptsTotal === 1 ? `${calls}, still open` : `${calls}, one still open`;
  }
  const processes = new Set(step.attempts.flatMap((one) => one.process ?? []));
  if (processes.size > 1) return `${calls} in ${counted(processes.size, "process", "processes")}`;
  const failed = step.attempts.filter((one) => one.status === "error").length;
  // Of very many calls only the latest are known.
  const isWhole = step.attempts.length === step.attemptsTotal;
  if (isWhole && failed > 0 && last?.status === "success") {
    return `${calls}, ${failed} of them failed`;
  }
  return calls;
}

/** Says how a step stands: when it ended and in which call, else the server's ground. */
export function observedStanding(step: ObservedStep): string {
  const status = capital(statusWord(step.status));
  if (step.status !== "completed" && step.status !== "failed") {
    return step.why === "" ? `${status}.` : `${status}: ${step.why}.`;
  }
  const at = step.endedAt === null ? "" : ` at ${clock(instant(step.endedAt), "milliseconds")}`;
  const n = step.attemptsTotal;
  if (n < 2) return `${status}${at}.`;
  return step.status === "failed"
    ? `${status}${at} in its ${ordinal(n)} call.`
    : `${status}${at}, ${counted(n, "call")}.`;
}

/** Ids that are no longer than this are shown whole. */
const ID_CHARS = 16;

/** Returns an id as a row shows it: where it is long, its end, which tells runs apart. */
export function shortId(id: string): string {
  return id.length <= ID_CHARS ? id : `…${id.slice(-10)}`;
}

/** Returns an id as a row of the list of runs shows it beside the name of its flow: there is little room. */
export function rowId(id: string): string {
  return id.length <= 9 ? id : `…${id.slice(-7)}`;
}
