/** Acts on all runs that a filter of the list names, as the API tells them. */

import { ENDED_STATUSES, FIELDS, type Filters, parametersOf, wordsOf } from "./filters.ts";
import type { RunRow } from "./run.ts";
import { capital, count, counted, countOrMore, listed, statusWord } from "./words.ts";

export const BULK_ACTS = ["cancel", "pause", "resume", "retry", "terminate", "delete"] as const;
export type BulkAct = (typeof BULK_ACTS)[number];

/** Why nothing can be done where the list is not narrowed. */
export const NO_FILTER = "It needs a filter: every run of the namespace is never meant.";

interface Count {
  readonly runs: number;
  readonly orMore: boolean;
}

/** What an act would reach. */
export interface DryRun {
  readonly matched: Count;
  readonly byStatus: Readonly<Record<string, Count>>;
  /** Some of them. */
  readonly sample: readonly RunRow[];
}

/** Why some runs were not acted on. */
export interface Refusal {
  readonly code: string;
  readonly runs: number;
  /** One of them. */
  readonly sample: string;
  readonly detail: string;
}

/** An act on many runs, and how far it is. */
export interface Job {
  readonly id: string;
  readonly act: string;
  readonly filter: Readonly<Record<string, unknown>>;
  readonly reason: string | null;
  readonly by: string | null;
  readonly state: "collecting" | "running" | "done" | "stopped";
  readonly matched: number;
  readonly done: number;
  readonly refused: number;
  readonly failed: number;
  readonly refusals: readonly Refusal[];
  readonly createdAt: string;
  readonly createdBy: string;
  readonly endedAt: string | null;
  /** Why it was stopped. */
  readonly why: string | null;
}

interface Words {
  /** As a menu and a button name it. */
  readonly verb: string;
  /** What will happen to each, as a sentence. */
  readonly lead: string;
  /** Runs that the act is not for: those that have ended, or those that have not. */
  readonly notFor: "ended" | "open";
  /** What becomes of these, as the end of a sentence, for one and for many. */
  readonly left: readonly [one: string, many: string];
}

const REFUSED = ["is refused", "are refused"] as const;
const UNCHANGED = ["stays as it is", "stay as they are"] as const;

export const BULK_WORDS: Readonly<Record<BulkAct, Words>> = {
  cancel: {
    verb: "Cancel",
    lead: "What is running gets time to return, then each ends as cancelled, its children with it.",
    notFor: "ended",
    left: UNCHANGED,
  },
  pause: {
    verb: "Pause",
    lead: "What runs now will end first. Events, timers and deadlines take effect at resume.",
    notFor: "ended",
    left: REFUSED,
  },
  resume: {
    verb: "Resume",
    lead: "Each that is paused goes on where it was held back.",
    notFor: "ended",
    left: REFUSED,
  },
  retry: {
    verb: "Retry",
    lead: "What waits for its next attempt is tried now, and what is blocked is tried again.",
    notFor: "ended",
    left: REFUSED,
  },
  terminate: {
    verb: "Terminate",
    lead: "Each ends at once, without clean-up. This cannot be taken back.",
    notFor: "ended",
    left: UNCHANGED,
  },
  delete: {
    verb: "Delete",
    lead: "Each that has ended goes, with its history and its key. This cannot be taken back.",
    notFor: "open",
    left: REFUSED,
  },
};

/** Says whether a text names such an act. */
export function isBulkAct(text: string | null): text is BulkAct {
  return BULK_ACTS.some((act) => act === text);
}

/** What is to be typed before an act that cannot be taken back; null for the others. */
export function typedOf(act: BulkAct, { runs, orMore }: Count): string | null {
  if (act !== "terminate" && act !== "delete") return null;
  return orMore ? `${act} all` : `${act} ${runs}`;
}

/** The filter of the list as the API takes it. */
export function bulkFilterOf(filters: Filters): Readonly<Record<string, string>> {
  return Object.fromEntries(parametersOf(filters));
}

/** Reads what an act would reach. */
export function readDryRun(answer: unknown): DryRun {
  const { matched, byStatus, sample } = (answer ?? {}) as Partial<DryRun>;
  if (typeof matched?.runs !== "number") throw new TypeError("the server's answer has no count");
  return { matched, byStatus: byStatus ?? {}, sample: sample ?? [] };
}

/** Reads an act on many runs. */
export function readJob(answer: unknown): Job {
  const job = (answer ?? {}) as Partial<Job>;
  if (typeof job.id !== "string" || typeof job.state !== "string") {
    throw new TypeError("the server's answer is no act on many runs");
  }
  // Checked above; what else is in it is the server's word.
  return answer as Job;
}

/** Reads the list of them. */
export function readJobs(answer: unknown): readonly Job[] {
  const { jobs } = (answer ?? {}) as { readonly jobs?: unknown };
  if (!Array.isArray(jobs)) throw new TypeError("the server's answer holds no jobs");
  return jobs.map(readJob);
}

/** Says whether it goes on. */
export function isOpen({ state }: Job): boolean {
  return state === "collecting" || state === "running";
}

/** How many runs it has been through. */
export function throughOf({ done, refused, failed }: Job): number {
  return done + refused + failed;
}

/** Says how many runs an act would reach, by status: `86 runs match: 80 running and 6 waiting.` */
export function matchedWords({ matched, byStatus }: DryRun): string {
  const { runs, orMore } = matched;
  if (runs === 0) return "No run matches.";
  const parts = Object.entries(byStatus)
    .filter(([, of]) => of.runs > 0)
    .map(([status, of]) => `${countOrMore(of.runs, of.orMore)} ${statusWord(status)}`);
  const some = parts.length === 0 ? "" : `: ${listed(parts)}`;
  return `${countOrMore(runs, orMore)} ${runs === 1 ? "run matches" : "runs match"}${some}.`;
}

function isEnded(status: string): boolean {
  return ENDED_STATUSES.some((one) => one === status);
}

/** Says how many of the runs that match an act is not for, and what becomes of them; null where it is for all. */
export function leftWords(act: BulkAct, { matched, byStatus }: DryRun): string | null {
  const { notFor, left } = BULK_WORDS[act];
  const those = Object.entries(byStatus)
    .filter(([status]) => isEnded(status) === (notFor === "ended"))
    .map(([, of]) => of);
  const runs = those.reduce((sum, of) => sum + of.runs, 0);
  if (runs === 0) return null;
  const orMore = those.some((of) => of.orMore);
  const isOne = runs === 1 && !orMore;
  const which = runs === matched.runs ? "All" : countOrMore(runs, orMore);
  const stands = notFor === "ended" ? "ended" : "not ended";
  const subject =
    matched.runs === 1 && isOne ? "It has" : `${which} of them ${isOne ? "has" : "have"}`;
  return `${subject} ${stands} and ${isOne ? left[0] : left[1]}.`;
}

/** Names an act with how many runs it is for: `Cancel 86 runs`. */
export function jobTitle({ act, matched }: Job): string {
  const verb = isBulkAct(act) ? BULK_WORDS[act].verb : capital(act);
  return `${verb} ${counted(matched, "run")}`;
}

/** Says in a sentence how an act stands. */
export function jobWords(job: Job): string {
  const { state, matched, done, refused, failed } = job;
  const all = counted(matched, "run");
  const through = count(throughOf(job));
  const others = [
    ...(refused > 0 ? [`${count(refused)} refused`] : []),
    ...(failed > 0 ? [`${count(failed)} failed`] : []),
  ];
  const parts = listed([`${count(done)} done`, ...others]);
  switch (state) {
    case "collecting":
      return `Finding the runs: ${count(matched)} so far.`;
    case "running":
      return `${through} of ${all}: ${parts}.`;
    case "done":
      if (matched === 0) return "Done: no run matched.";
      return others.length === 0 ? `Done with ${all}.` : `Done with ${all}: ${parts}.`;
    case "stopped":
      return `Stopped after ${through} of ${all}: ${parts}.`;
  }
}

/** Says whether runs may be among those that are done which had ended before, and stayed as they were. */
export function mayHoldEnded({ act, filter }: Job): boolean {
  if (!isBulkAct(act) || BULK_WORDS[act].left !== UNCHANGED) return false;
  const { status } = filter;
  return typeof status !== "string" || status.split(",").some(isEnded);
}

/** A part of a filter, as people read it: `started`, `last 7 days`. */
export interface FilterFact {
  readonly name: string;
  readonly value: string;
}

/** Says which runs a filter of the API names, part by part. */
export function filterFacts(
  filter: Readonly<Record<string, unknown>>,
  now: number,
): readonly FilterFact[] {
  const given = (name: string) => {
    const value = filter[name];
    return typeof value === "string" ? value : null;
  };
  const facts: FilterFact[] = [];
  const put = (name: string, value: string | null) => {
    if (value !== null) facts.push({ name, value });
  };
  put("text", given("q"));
  const statuses = given("status")?.split(",").map(statusWord);
  put("status", statuses === undefined ? null : listed(statuses, "or"));
  for (const field of FIELDS) {
    const value = given(field);
    if (value === null) continue;
    const words = wordsOf({ field, value }, now);
    put(words.name, [words.relation, words.value].filter((word) => word !== "").join(" "));
  }
  put("attributes", given("search"));
  return facts;
}
