/** The strip of a run: one tick a step, in order, so that where it stands or broke is seen in a list. */

import { type Dialect, stepWord } from "./dialects.ts";
import type { StepStatus } from "./run.ts";
import { count, counted } from "./words.ts";

/** How a tick is drawn: open ones are outlines, ended ones solid. */
export type Shape = "low" | "tall" | "hollow" | "diamond" | "back" | "dot";

export interface Tick {
  readonly status: StepStatus;
  readonly shape: Shape;
  readonly isCleanUp: boolean;
  /** From the left of the strip, in pixels. */
  readonly x: number;
  readonly width: number;
}

const STATUSES: Readonly<Record<string, StepStatus>> = {
  c: "completed",
  r: "running",
  p: "pending",
  w: "waiting",
  s: "sleeping",
  y: "retrying",
  f: "failed",
  t: "timed_out",
  k: "skipped",
  x: "cancelled",
  u: "unknown",
  d: "stuck",
  m: "missing",
  n: "not_reached",
};

const LETTERS = new Map(Object.entries(STATUSES).map(([letter, status]) => [status, letter]));

const SHAPES: Readonly<Record<StepStatus, Shape>> = {
  completed: "low",
  running: "tall",
  pending: "low",
  waiting: "hollow",
  sleeping: "hollow",
  retrying: "hollow",
  failed: "tall",
  timed_out: "tall",
  skipped: "low",
  cancelled: "low",
  unknown: "diamond",
  stuck: "diamond",
  missing: "diamond",
  not_reached: "dot",
};

const TICK_PX = 12;
const GAP_PX = 2;

/** Reads a letter of the server's; one that is not known is an unknown outcome. */
function statusOf(letter: string): StepStatus {
  return STATUSES[letter.toLowerCase()] ?? "unknown";
}

/** Writes statuses as the letters that {@link ticksOf} reads. */
export function lettersOf(statuses: readonly StepStatus[]): string {
  return statuses.map((status) => LETTERS.get(status) ?? "u").join("");
}

/** Places the ticks of a strip in so many pixels. Where they do not fit in full width they share it. */
export function ticksOf(strip: string, widthPx: number): readonly Tick[] {
  const letters = [...strip];
  const n = Math.max(letters.length, 1);
  const fits = n * TICK_PX + (n - 1) * GAP_PX <= widthPx;
  const gap = fits ? GAP_PX : Math.min(GAP_PX / 2, widthPx / n / 3);
  const pitch = fits ? TICK_PX + GAP_PX : (widthPx + gap) / n;
  return letters.map((letter, at) => {
    const status = statusOf(letter);
    const isCleanUp = letter !== letter.toLowerCase();
    const shape = isCleanUp && status !== "unknown" ? "back" : SHAPES[status];
    return { status, shape, isCleanUp, x: at * pitch, width: pitch - gap };
  });
}

/** What is known of a run's steps without the strip. */
export interface StepCounts {
  readonly steps: number;
  readonly stepsEnded: number;
  readonly stepsFailed: number;
}

/** Names a strip in the words of a system, for who does not see it: `9 steps: 7 completed, 2 running`. */
export function stripName(strip: string, of: StepCounts, dialect: Dialect): string {
  const { steps, stepsEnded, stepsFailed } = of;
  if (steps === 0 && strip === "") return "no steps";
  if (strip.length < steps || strip === "") {
    // Ticks stand for several steps each, and cannot be counted.
    const failed = stepsFailed > 0 ? `, ${count(stepsFailed)} failed` : "";
    return `${counted(steps, "step")}: ${count(stepsEnded)} ended${failed}`;
  }
  const counts = new Map<string, number>();
  for (const letter of strip) {
    const word = stepWord(statusOf(letter), dialect);
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  const parts = [...counts].map(([word, n]) => `${count(n)} ${word}`);
  return `${counted(strip.length, "step")}: ${parts.join(", ")}`;
}
