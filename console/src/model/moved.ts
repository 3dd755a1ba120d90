/** What moved a run last, for the place of the act while it moves by itself. */

import { type Dialect, stepWord } from "./dialects.ts";
import { instant } from "./instants.ts";
import { isCleanUp, type Run } from "./run.ts";

/** The last end of a step. */
export interface Moved {
  readonly step: string;
  /** What it did: `completed`, `got its event`. */
  readonly words: string;
  readonly at: number;
}

/** Returns what moved a run last, in the words of a system; null where nothing has yet. */
export function lastMoved(run: Run, dialect: Dialect): Moved | null {
  let last: { readonly id: string; readonly at: string; readonly words: string } | null = null;
  for (const step of run.steps) {
    const at = step.completedAt;
    if (at === null || (last !== null && at <= last.at)) continue;
    const isWait = step.kind === "waitForEvent" || step.kind === "namedWait";
    const got = isWait && step.status === "completed" && !isCleanUp(step);
    last = { id: step.id, at, words: got ? "got its event" : stepWord(step.status, dialect) };
  }
  return last === null ? null : { step: last.id, words: last.words, at: instant(last.at) };
}
