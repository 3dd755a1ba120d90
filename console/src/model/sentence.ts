/** The sentence under the title: why a run does not move, what it is doing, or how it ended. */

import { instant } from "./instants.ts";
import { type Piece as JsonPiece, oneLine } from "./json.ts";
import {
  type Failure,
  isFailure,
  type Note,
  nameOf,
  type Run,
  type StepStatus,
  stepHasEnded,
} from "./run.ts";
import { capital, duration } from "./words.ts";

/** A part of a sentence: words, a name that code gave, an instant, a run, or a value. */
export type Part =
  | { readonly type: "lead" | "words" | "name"; readonly text: string }
  | { readonly type: "instant"; readonly at: number }
  | { readonly type: "run"; readonly id: string }
  | { readonly type: "value"; readonly pieces: readonly JsonPiece[] };

const words = (text: string): Part => ({ type: "words", text });
const lead = (text: string): Part => ({ type: "lead", text });

/** Makes the sentence. For an open run it is the server's own answer, so that all that ask are told the same. */
export function sentenceOf(run: Run): readonly Part[] {
  if (run.observed !== undefined) return told(run.observed.why);
  switch (run.status) {
    case "completed":
      return completed(run);
    case "failed":
    case "timed_out":
      return [...endedBadly(run), ...takenBack(run)];
    case "cancelled":
      return [...cancelled(run), ...takenBack(run)];
    default:
      return told(run.why ?? `it is ${run.status}`);
  }
}

function completed(run: Run): readonly Part[] {
  const took = run.durationMs === null ? [] : [words(` in ${duration(run.durationMs)}`)];
  if (run.continuedAs !== null) {
    return [
      lead("Completed"),
      ...took,
      words(", continued as "),
      { type: "run", id: run.continuedAs },
    ];
  }
  if (run.output === null) return [lead("Completed"), ...took, words(".")];
  return [
    lead("Completed"),
    ...took,
    words(" with "),
    { type: "value", pieces: oneLine(run.output, 160) },
  ];
}

function endedBadly(run: Run): readonly Part[] {
  const step = [...run.steps].reverse().find((one) => isFailure(one) && blames(run.error, one.id));
  const begin = run.status === "failed" ? "Failed" : "Timed out";
  if (run.error === null) return [lead(begin), words(".")];
  if (step === undefined)
    return [lead(`${begin}: `), ...partsOf(errorWords(run.error)), words(".")];
  const cause = step.error ?? run.error;
  const attempts = step.attempts.length;
  const after = attempts > 1 ? ` after ${attempts} attempts` : "";
  return [
    lead(`${begin} in `),
    { type: "name", text: nameOf(step.id) },
    words(`${after}: ${errorWords(cause)}.`),
  ];
}

/** The engine's errors name the step in backticks. */
function blames(error: Failure | null, id: string): boolean {
  return error?.message.includes(`\`${nameOf(id)}\``) ?? false;
}

function errorWords(error: Failure): string {
  const message = error.message.replace(/\.$/, "");
  return error.name === "Error" || message === ""
    ? message || error.name
    : `${error.name}, ${message}`;
}

function cancelled(run: Run): readonly Part[] {
  const act = run.history.findLast((note: Note) => note.what === "cancelled");
  const by = act?.by ? [words(` by ${act.by}`)] : [];
  const at: Part[] =
    act === undefined ? [] : [words(" at "), { type: "instant", at: instant(act.at) }];
  const why = act?.detail ? [words(`: “${act.detail}”`)] : [];
  return [lead("Cancelled"), ...by, ...at, ...why, words(".")];
}

/** What became of the compensations: which steps were taken back, and which could not be. */
function takenBack(run: Run): readonly Part[] {
  const all = run.cleanUp?.compensations ?? [];
  const named = (statuses: readonly StepStatus[]) =>
    all.filter((one) => statuses.includes(one.status)).map((one) => nameOf(one.step));
  return [
    ...toldOf(named(["completed"]), "was compensated", "were compensated"),
    ...toldOf(named(["failed", "timed_out"]), "could not be compensated"),
  ];
}

/** Many are counted, few are named. */
const NAMED_MAX = 4;

function toldOf(names: readonly string[], one: string, more = one): readonly Part[] {
  if (names.length === 0) return [];
  if (names.length > NAMED_MAX) return [words(` ${names.length} steps ${more}.`)];
  const parts: Part[] = [words(" ")];
  names.forEach((text, at) => {
    if (at > 0) parts.push(words(at === names.length - 1 ? " and " : ", "));
    parts.push({ type: "name", text });
  });
  return [...parts, words(names.length === 1 ? ` ${one}.` : ` ${more}.`)];
}

/** Where the first words of an answer end: what it is, before where, for whom and until when. */
const LEAD_ENDS = /[:;,.]| (?:in|for|by|until|once|on|since) | `/;

/** Sets the server's answer: its first words strong, names and runs and instants as what they are. */
export function told(why: string): readonly Part[] {
  const text = capital(why.endsWith(".") ? why : `${why}.`);
  const end = text.search(LEAD_ENDS);
  if (end <= 0) return [lead(text)];
  return [lead(text.slice(0, end)), ...partsOf(text.slice(end))];
}

const MARKS = /`([^`]*)`|(run_[0-9a-f]{32})|(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)/g;

/** Reads names, runs and instants out of a sentence of the server's. */
export function partsOf(text: string): readonly Part[] {
  const found: Part[] = [];
  let at = 0;
  for (const match of text.matchAll(MARKS)) {
    if (match.index > at) found.push(words(text.slice(at, match.index)));
    const [whole, name, run, time] = match;
    if (name !== undefined) found.push({ type: "name", text: name });
    else if (run !== undefined) found.push({ type: "run", id: run });
    else if (time !== undefined) found.push({ type: "instant", at: instant(time) });
    at = match.index + whole.length;
  }
  if (at < text.length) found.push(words(text.slice(at)));
  return found;
}

/** Names the runner that a run is on, or was on last. */
export function runnerOf(run: Run): { readonly name: string; readonly now: boolean } | null {
  const last = run.activations.at(-1);
  if (last === undefined) return null;
  return { name: last.runner, now: last.until === null };
}

/** Says whether steps are open: then elapsed times tick. */
export function isTicking(run: Run): boolean {
  return run.steps.some((step) => !stepHasEnded(step)) || run.endedAt === null;
}
