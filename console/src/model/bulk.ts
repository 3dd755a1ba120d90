/** Acts on all runs that a filter of the list names, as the API tells them. */

import { type Filters, parametersOf } from "./filters.ts";
import type { RunRow } from "./run.ts";
import { countOrMore, listed, statusWord } from "./words.ts";

export const BULK_ACTS = ["cancel", "pause", "resume", "retry", "terminate", "delete"] as const;
export type BulkAct = (typeof BULK_ACTS)[number];

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
  readonly state: "collecting" | "running" | "done" | "stopped" | "failed";
  readonly matched: number;
  readonly done: number;
  readonly refused: number;
  readonly failed: number;
  readonly refusals: readonly Refusal[];
  readonly createdAt: string;
  readonly createdBy: string;
  readonly endedAt: string | null;
  /** Why it was stopped or failed. */
  readonly why: string | null;
}

interface Words {
  /** As a menu and a button name it. */
  readonly verb: string;
  /** What will happen to each, as a sentence. */
  readonly lead: string;
  /** What was done to a run: `86 cancelled`. */
  readonly done: string;
}

export const BULK_WORDS: Readonly<Record<BulkAct, Words>> = {
  cancel: {
    verb: "Cancel",
    lead: "What is running gets time to return, then each ends as cancelled, its children with it.",
    done: "cancelled",
  },
  pause: {
    verb: "Pause",
    lead: "What runs now will end first. Events, timers and deadlines take effect at resume.",
    done: "paused",
  },
  resume: { verb: "Resume", lead: "Each goes on where it was held back.", done: "resumed" },
  retry: {
    verb: "Retry",
    lead: "What waits for its next attempt is tried now, and what is blocked is tried again.",
    done: "retried",
  },
  terminate: {
    verb: "Terminate",
    lead: "Each ends at once, without clean-up. This cannot be taken back.",
    done: "terminated",
  },
  delete: {
    verb: "Delete",
    lead: "Each that has ended goes, with its history and its key. This cannot be taken back.",
    done: "deleted",
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

/** Says how many runs an act would reach, by status: `86 runs match: 80 running and 6 waiting`. */
export function matchedWords({ matched, byStatus }: DryRun): string {
  const { runs, orMore } = matched;
  if (runs === 0) return "No run matches.";
  const parts = Object.entries(byStatus)
    .filter(([, of]) => of.runs > 0)
    .map(([status, of]) => `${countOrMore(of.runs, of.orMore)} ${statusWord(status)}`);
  const some = parts.length === 0 ? "" : `: ${listed(parts)}`;
  return `${countOrMore(runs, orMore)} ${runs === 1 ? "run matches" : "runs match"}${some}.`;
}

/** Says in a sentence how an act stands. */
export function jobWords(job: Job): string {
  const through = countOrMore(throughOf(job), false);
  const all = countOrMore(job.matched, false);
  switch (job.state) {
    case "collecting":
      return `Finding the runs: ${all} so far.`;
    case "running":
      return `${through} of ${all} runs.`;
    case "done":
      return `Done with ${all} ${job.matched === 1 ? "run" : "runs"}.`;
    case "stopped":
      return `Stopped after ${through} of ${all} runs.`;
    case "failed":
      return `Failed after ${through} of ${all} runs.`;
  }
}

/** Names a filter as it was given: `app shop, status failed`. */
export function filterWords(filter: Job["filter"]): string {
  const parts = Object.entries(filter).filter(([, value]) => typeof value === "string");
  return parts.map(([name, value]) => `${name} ${value}`).join(", ");
}
