/** What people did to a run, as its history tells it. */

import type { Note } from "./run.ts";

const WORDS: Readonly<Record<string, string>> = {
  paused: "paused the run",
  resumed: "resumed the run",
  cancelled: "cancelled the run",
  cancel_noted: "asked for a cancel during clean-up",
  terminated: "terminated the run",
  retried: "asked to retry now",
  resolved: "resolved a step",
  forked: "forked the run",
  rerun: "started the run again",
  blocked: "the run was blocked",
  unblocked: "the run was unblocked",
  cleaning_up: "clean-up began",
  order_changed: "the order of the code changed",
  handler_retried: "the handler runs again",
  verified: "an outcome was verified",
};

/** Acts that people do: those are told even without a name. */
const BY_PEOPLE: ReadonlySet<string> = new Set([
  "paused",
  "resumed",
  "cancelled",
  "cancel_noted",
  "terminated",
  "retried",
  "resolved",
  "forked",
  "rerun",
]);

/** Says what a note tells: `paused the run`. */
export function noteWords(note: Note): string {
  return WORDS[note.what] ?? note.what.replaceAll("_", " ");
}

/** Says whether a person did it, and not the engine by itself. */
export function isByPerson(note: Note): boolean {
  return note.by !== null || BY_PEOPLE.has(note.what);
}

/** Returns two letters for a person: the begins of two words of the name, else its first letters. */
export function initialsOf(name: string | null): string {
  if (name === null || name.trim() === "") return "–";
  const words = name
    .trim()
    .split(/[\s._-]+/u)
    .filter((word) => word !== "");
  const letters =
    words.length > 1
      ? words.slice(0, 2).map((word) => first(word))
      : [...(words[0] ?? name)].slice(0, 2);
  return letters.join("").toUpperCase();
}

function first(word: string): string {
  return [...word][0] ?? "";
}
