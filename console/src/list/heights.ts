/** How high each row of the list is, known without drawing it: so the page can scroll to any of 10,000. */

import { linesOf } from "../model/json.ts";
import type { Row } from "../model/rows.ts";
import { isFailure, type Step } from "../model/run.ts";
import { stackOf } from "../model/stack.ts";
import { noteOf } from "../model/step-words.ts";

/** Lines of JSON that a row shows when it is opened in place. */
export const LINES_MAX = 12;
const LINE = 18;
/** One line beneath a name, with what is around it. */
const BENEATH = 21;

/** What stands beneath a step's name. */
export type Beneath = "nothing" | "line" | "error" | "lines";

/** Says what stands beneath a step. A failure is open by itself. */
export function beneath(step: Step, isOpen: boolean): Beneath {
  if (isFailure(step) && step.error !== null) return "error";
  if (step.output === null || step.status !== "completed") return "nothing";
  return isOpen ? "lines" : "line";
}

/** Returns the first frame of somebody's own code of a step's error. */
export function firstFrame(step: Step): string | null {
  const stack = step.error?.stack;
  return stack ? (stackOf(stack).own[0] ?? null) : null;
}

export interface Looks {
  readonly narrow: boolean;
  readonly compact: boolean;
}

/** Returns the height of a row in pixels. */
export function heightOf(row: Row, isOpen: boolean, looks: Looks): number {
  const line = looks.narrow ? 40 : looks.compact ? 28 : 34;
  switch (row.type) {
    case "idle":
      return 26;
    case "act":
    case "cleanUp":
    case "heading":
      return Math.max(30, line - 4);
    case "fanOut":
      // On a narrow page the counts stand beneath the name.
      return looks.narrow ? line + BENEATH : line;
    case "step":
      return line + noteHeight(row.step, looks) + beneathHeight(row.step, isOpen, looks);
  }
}

/** On a narrow page a note has a line of its own. */
function noteHeight(step: Step, looks: Looks): number {
  return looks.narrow && noteOf(step, 0) !== null ? BENEATH : 0;
}

function beneathHeight(step: Step, isOpen: boolean, looks: Looks): number {
  switch (beneath(step, isOpen)) {
    case "nothing":
      return 0;
    case "line":
      return looks.compact ? 0 : BENEATH;
    case "error":
      return (firstFrame(step) === null ? LINE : 2 * LINE) + 8;
    case "lines": {
      const lines = linesOf(step.output).length;
      return Math.min(lines, LINES_MAX) * LINE + (lines > LINES_MAX ? 24 : 0) + 8;
    }
  }
}
