/** What is said of a step beside its name: its kind with its object, and the note at the end of its row. */

import { instant } from "./instants.ts";
import { callsWords } from "./observed-words.ts";
import type { Step } from "./run.ts";
import { elapsed, moment, ordinal } from "./words.ts";

function member(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null
    ? (value as Record<string, unknown>)[name]
    : undefined;
}

function text(value: unknown, name: string): string | null {
  const found = member(value, name);
  if (typeof found === "number") return String(found);
  return typeof found === "string" && found !== "" ? found : null;
}

/** Says the kind of a step and what it is about: `wait for approval.decided`, `sleep 45s`. */
export function kindWords(step: Step): string {
  const { input } = step;
  switch (step.kind) {
    case "run":
      return "run";
    case "sleep":
      return `sleep ${text(input, "duration") ?? ""}`.trimEnd();
    case "sleepUntil":
      return "sleep until an instant";
    case "waitForEvent":
    case "namedWait":
      return `wait for ${text(input, "event") ?? "an event"}`;
    case "invoke":
      return `child, ${step.child?.workflow ?? text(input, "workflow") ?? "not started"}`;
    case "emit":
      return `emit ${text(input, "event") ?? ""}`.trimEnd();
    case "race": {
      const branches = member(input, "branches");
      return Array.isArray(branches) ? `race of ${branches.join(", ")}` : "race";
    }
    case "skip": {
      const reason = text(input, "reason");
      return reason === null ? "skip" : `skip: ${reason}`;
    }
    case "compensate":
      return "";
    case "onFailure":
      return "handler of the failure";
    case "observed":
      return step.observed === undefined ? "" : callsWords(step.observed, step.behind ?? null);
  }
}

/** Says what a step waits for in time, or how often it was tried; null where there is nothing to say. */
export function noteOf(step: Step, now: number): string | null {
  if (step.kind === "observed") return null;
  const next = step.nextAt === null ? null : instant(step.nextAt);
  const tried = step.attempts.filter((attempt) => attempt.status !== "lost").length;
  switch (step.status) {
    case "retrying":
      return `attempt ${tried + 1}${next === null ? "" : ` in ${left(next, now)}`}`;
    case "sleeping":
      return next === null ? null : `until ${moment(next, now)}`;
    case "waiting":
      return next === null ? null : `${left(next, now)} left`;
    case "pending":
      return "not begun";
    case "unknown":
      return "outcome unknown";
    default:
      return tried > 1 ? `${ordinal(tried)} attempt` : lost(step);
  }
}

function lost(step: Step): string | null {
  const count = step.attempts.filter((attempt) => attempt.status === "lost").length;
  if (count === 0) return null;
  return count === 1 ? "1 attempt lost" : `${count} attempts lost`;
}

function left(next: number, now: number): string {
  return elapsed(Math.max(0, next - now) + 999);
}

/** Says how a step stands, as a sentence without its end. */
export function standing(step: Step): string {
  const tried = step.attempts.filter((attempt) => attempt.status !== "lost").length;
  const on = tried > 1 ? ` on the ${ordinal(tried)} attempt` : "";
  switch (step.status) {
    case "completed":
      return `Completed${on}`;
    case "failed":
      return tried > 1 ? `Failed after ${tried} attempts` : "Failed";
    case "timed_out":
      return `Timed out${on}`;
    case "cancelled":
      return "Cancelled";
    case "skipped":
      return "Skipped";
    case "running":
      return tried > 1 ? `Running, ${ordinal(tried)} attempt` : "Running";
    case "retrying":
      return "Waits for its next attempt";
    case "sleeping":
      return "Sleeping";
    case "waiting":
      return "Waiting";
    case "pending":
      return "Has not begun";
    case "unknown":
      return "Nobody knows how it ended";
    case "stuck":
      return "Stuck";
    case "missing":
      return "Missing: declared, neither called nor skipped";
    case "not_reached":
      return "Not reached";
  }
}
