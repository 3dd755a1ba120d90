/** What a row of the list says of its run beside its status: one line, and the strip of its steps. */

import { hasEnded, type RunRow } from "./run.ts";
import { partsOf } from "./sentence.ts";
import { count, counted, moment } from "./words.ts";

/** A run at a glance, as the API tells it. */
export interface Glance {
  readonly id: string;
  readonly journalBytes: number;
  /** What it is doing, as a sentence; null once it has ended. */
  readonly doing: string | null;
  /** One letter a step. */
  readonly strip: string;
  /** The output as JSON, cut. */
  readonly output: string | null;
  readonly error: { readonly name: string; readonly message: string } | null;
}

/** One line: words, or JSON as code. */
export interface Doing {
  readonly text: string;
  readonly isCode: boolean;
}

/** Says what a run is doing, or how it ended. Without a glance it is what the row alone tells. */
export function doingOf(row: RunRow, glance: Glance | undefined, now: number): Doing {
  if (glance !== undefined) {
    const { doing, error, output } = glance;
    if (!hasEnded(row) && doing !== null) return words(withoutStatus(plainOf(doing, now), row));
    if (error !== null) return words(errorWords(error));
    if (output !== null) return { text: output, isCode: true };
    if (doing !== null) return words(plainOf(doing, now));
    if (hasEnded(row)) return words("");
  }
  if (row.error) return words(errorWords(row.error));
  if (row.blocked !== null) return words(withoutStatus(plainOf(row.blocked, now), row));
  return words(stepsOf(row));
}

function words(text: string): Doing {
  return { text, isCode: false };
}

/** The status stands at the row's begin already; what is left is `for the event …`, or its ground. */
function withoutStatus(text: string, { status }: RunRow): string {
  const again = status === "waiting" ? "waiting " : `${status}: `;
  return text.startsWith(again) ? text.slice(again.length) : text;
}

function errorWords({ name, message }: { name: string; message: string }): string {
  return [name, message].filter((part) => part !== "").join(": ");
}

function stepsOf({ steps, stepsEnded, stepsFailed }: RunRow): string {
  if (steps === 0) return "";
  const failed = stepsFailed > 0 ? `, ${count(stepsFailed)} failed` : "";
  return stepsEnded === steps
    ? `${counted(steps, "step")}${failed}`
    : `${count(stepsEnded)} of ${counted(steps, "step")} ended${failed}`;
}

/** Sets a sentence of the server's as plain text: names without their marks, instants as people say them. */
export function plainOf(sentence: string, now: number): string {
  const said = partsOf(sentence).map((part) => {
    switch (part.type) {
      case "run":
        return `…${part.id.slice(-5)}`;
      case "instant":
        return moment(part.at, now);
      case "value":
        return "";
      default:
        return part.text;
    }
  });
  return said.join("");
}

/** Reads an answer of `GET /runs/glance`. */
export function readGlances(answer: unknown): readonly Glance[] {
  const { runs } = (answer ?? {}) as { runs?: unknown };
  if (!Array.isArray(runs)) throw new TypeError("the server's answer holds no runs");
  // What is in a list of the server's is its word.
  return runs as readonly Glance[];
}
