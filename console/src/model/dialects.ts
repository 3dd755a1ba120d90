/** Words for statuses of steps in other systems (§13.2): those that people know who come from there. */

import type { StepStatus } from "./run.ts";
import { statusWord } from "./words.ts";

/** `stepwell` is to have the words of Stepwell. */
export const DIALECTS = ["stepwell", "failpath", "loops", "durablex", "questpie"] as const;
export type Dialect = (typeof DIALECTS)[number];

/** How the systems are written. */
export const DIALECT_NAMES: Readonly<Record<Dialect, string>> = {
  stepwell: "Stepwell",
  failpath: "Failpath",
  loops: "Loops",
  durablex: "Durablex",
  questpie: "QUESTPIE",
};

/** What a step of an observed run may be too: none of the systems has such a status. */
type Own = "stuck" | "missing" | "not_reached";

/** The words of a system for each status that a step of a durable run has. */
export type Words = Readonly<Record<Exclude<StepStatus, Own>, string>>;

/** The same as `spec/dialects.json`. */
export const WORDS: Readonly<Record<Exclude<Dialect, "stepwell">, Words>> = {
  failpath: {
    pending: "error",
    running: "running",
    retrying: "running",
    sleeping: "running",
    waiting: "running",
    completed: "success",
    failed: "error",
    timed_out: "error",
    skipped: "skipped",
    cancelled: "error",
    unknown: "error",
  },
  loops: {
    pending: "pending",
    running: "running",
    retrying: "running",
    sleeping: "running",
    waiting: "running",
    completed: "succeeded",
    failed: "failed",
    timed_out: "failed",
    skipped: "succeeded",
    cancelled: "failed",
    unknown: "failed",
  },
  durablex: {
    pending: "pending",
    running: "running",
    retrying: "retrying",
    sleeping: "sleeping",
    waiting: "waiting",
    completed: "completed",
    failed: "failed",
    timed_out: "timed_out",
    skipped: "skipped",
    cancelled: "cancelled",
    unknown: "unknown",
  },
  questpie: {
    pending: "pending",
    running: "running",
    retrying: "running",
    sleeping: "sleeping",
    waiting: "waiting",
    completed: "completed",
    failed: "failed",
    timed_out: "failed",
    skipped: "completed",
    cancelled: "failed",
    unknown: "failed",
  },
};

/** Finds the dialect of a text, such as one of an address; null where there is none. */
export function dialectOf(text: string | null): Dialect | null {
  return DIALECTS.find((one) => one === text) ?? null;
}

/** Names the status of a step as people read it who know a system. */
export function stepWord(status: StepStatus, dialect: Dialect): string {
  if (dialect === "stepwell") return statusWord(status);
  const words: Readonly<Record<string, string>> = WORDS[dialect];
  // What none of the systems has, and what a newer server may say, is told in its own word.
  return statusWord(words[status] ?? status);
}

/** The same with the status here behind it where that is another word: `running (sleeping)`. */
export function wholeStepWord(status: StepStatus, dialect: Dialect): string {
  const [word, own] = [stepWord(status, dialect), statusWord(status)];
  return word === own ? word : `${word} (${own})`;
}

/** Puts the word of a system before a sentence that says how a step stands, where it is another one. */
export function withWord(sentence: string, status: StepStatus, dialect: Dialect): string {
  const word = stepWord(status, dialect);
  if (word === statusWord(status)) return sentence;
  const first = (text: string) => text.charAt(0);
  return `${first(word).toUpperCase()}${word.slice(1)}: ${first(sentence).toLowerCase()}${sentence.slice(1)}`;
}
