/** The lines of the command `stepwell` that do what a dialog does: whole, so that they can be copied. */

import type { ActName } from "./offers.ts";

/** What a line says of who acts and why. */
export interface SignedWords {
  readonly by: string;
  readonly reason: string;
}

/** A flag, or one with its value; a value of null leaves it out. */
export type Flag = readonly [flag: string] | readonly [flag: string, value: string | null];

const COMMANDS: Readonly<Record<Exclude<ActName, "send">, string>> = {
  cancel: "cancel",
  pause: "pause",
  resume: "resume",
  retry: "retry",
  terminate: "terminate",
  rerun: "rerun",
  fork: "fork",
  resolve: "resolve",
  delete: "delete",
};

/** Writes the line of an act on a run. */
export function actLine(
  act: Exclude<ActName, "send">,
  run: string,
  signed: SignedWords,
  flags: readonly Flag[] = [],
): string {
  return line(["stepwell", "runs", COMMANDS[act], run], [...flags, ...signature(signed)]);
}

/** Writes the line that starts a run. */
export function startLine(workflow: string, flags: readonly Flag[]): string {
  return line(["stepwell", "runs", "start", workflow], flags);
}

/** Writes the line that sends an event. */
export function sendLine(event: string, flags: readonly Flag[]): string {
  return line(["stepwell", "events", "send", event], flags);
}

/** Writes the line of an act on what is no run: what follows `stepwell`, then flags. */
export function commandLine(words: readonly string[], flags: readonly Flag[] = []): string {
  return line(["stepwell", ...words], flags);
}

/** Writes the line of an act on all runs that a filter names. */
export function bulkLine(
  act: string,
  filter: Readonly<Record<string, string>>,
  signed: SignedWords,
): string {
  // The command line calls a text that is looked for by its whole name.
  const flagOf = (name: string) => (name === "q" ? "--query" : `--${name}`);
  const flags = Object.entries(filter).map(([name, value]): Flag => [flagOf(name), value]);
  return line(["stepwell", "bulk", act], [...flags, ...signature(signed)]);
}

/** Returns the flag that says why; none while nothing is said. */
export function whyFlag(reason: string): Flag {
  return ["--reason", reason.trim() === "" ? null : reason.trim()];
}

function signature({ by, reason }: SignedWords): readonly Flag[] {
  return [whyFlag(reason), ["--by", by.trim() === "" ? null : by.trim()]];
}

function line(words: readonly string[], flags: readonly Flag[]): string {
  const said = flags.flatMap(([flag, value]) => {
    if (value === undefined) return [flag];
    if (value === null) return [];
    // A value that begins like a flag would be taken for one.
    return value.startsWith("-") ? [`${flag}=${quoted(value)}`] : [flag, quoted(value)];
  });
  return [...words.map(quoted), ...said].join(" ");
}

/** Quotes a word for a shell of POSIX. */
export function quoted(word: string): string {
  if (/^[\w@%+=:,./-]+$/.test(word)) return word;
  return `'${word.replaceAll("'", "'\\''")}'`;
}

/** Writes JSON on one line, as a flag takes it; what is no JSON yet stays as it is. */
export function compactJson(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text));
  } catch {
    return text;
  }
}
