/** What the timeline shows beside the bars: its window, folds, the critical path, how many are in flight. */

import { foldable } from "./axis.ts";
import type { RunContents } from "./contents.ts";
import { instant } from "./instants.ts";
import { endOf, startOf } from "./parallel.ts";
import { allSteps, type Row } from "./rows.ts";
import { hasEnded, isCleanUp, isFailure, type Step } from "./run.ts";
import { idle, isBusy, type Span, type Stretch, spansOf, union } from "./spans.ts";

/** All spans of a run, and what follows from them at one time. */
export interface Times {
  /** From the start to the end, or to now. */
  readonly whole: Stretch;
  readonly spans: readonly Span[];
  readonly busy: readonly Stretch[];
  /** When clean-up began; null where there is none. */
  readonly cleanUpFrom: number | null;
}

/** Derives the times of a run. */
export function timesOf(contents: RunContents, now: number): Times {
  const { run, steps, beside = [] } = contents;
  const from = Math.min(
    instant(run.startedAt ?? run.createdAt),
    ...beside.map((group) => instant(group.run.startedAt)),
  );
  const spans = allSteps(contents).flatMap((step) => spansOf(step, now));
  const last = spans.reduce((most, span) => Math.max(most, span.to), from);
  const ended = hasEnded(run) && run.endedAt !== null;
  const to = ended ? Math.max(instant(run.endedAt ?? ""), last) : Math.max(now, last);
  const cleanUp = steps.find(isCleanUp);
  return {
    whole: { from, to: Math.max(to, from + 1) },
    spans,
    busy: union(spans.filter(isBusy)),
    cleanUpFrom: cleanUp === undefined ? null : startOf(cleanUp),
  };
}

/** Returns the stretches of a window that are worth a fold. */
export function foldsOf(times: Times, window: Stretch): readonly Stretch[] {
  return foldable(idle(times.busy, window), window);
}

/** Beyond now there is this share of what is not folded, so that what runs does not end at the edge. */
const BEYOND = 0.07;

/** Returns what a timeline shows at first: all of a run; of an open one a little beyond now too. */
export function shownOf(times: Times, folds: readonly Stretch[], isOpen: boolean): Stretch {
  const { from, to } = times.whole;
  if (!isOpen) return times.whole;
  const folded = folds.reduce((sum, fold) => sum + fold.to - fold.from, 0);
  return { from, to: to + (to - from - folded) * BEYOND };
}

/** From here on, now is too near to the end of a window. */
const NEAR_END = 0.8;

/** Returns the window that shows now: the same while now is well within it, else one half a window further on. */
export function followed(window: Stretch, now: number): Stretch {
  const length = window.to - window.from;
  const isIn = now >= window.from && now <= window.from + length * NEAR_END;
  if (isIn) return window;
  const from = now - length / 2;
  return { from, to: from + length };
}

/** Returns how long anything was busy. */
export function busyMs(times: Times): number {
  return times.busy.reduce((sum, stretch) => sum + stretch.to - stretch.from, 0);
}

/**
 * Returns the steps that decided when the run ended, or stands where it does, earliest first: back from the
 * last end, each time to the latest end among what came before.
 */
export function criticalPath(contents: RunContents, now: number): readonly Step[] {
  const end = (step: Step) => Math.min(endOf(step), now);
  let current = latest(contents.steps, end);
  const path: Step[] = [];
  const seen = new Set<string>();
  while (current !== undefined && !seen.has(current.id)) {
    seen.add(current.id);
    path.push(current);
    const before = current.after.flatMap((id) => contents.byId.get(id) ?? []);
    current = latest(before, end);
  }
  return path.reverse();
}

function latest(steps: readonly Step[], end: (step: Step) => number): Step | undefined {
  let found: Step | undefined;
  for (const step of steps) if (found === undefined || end(step) >= end(found)) found = step;
  return found;
}

/** A drop of the critical path, from the row of a step's end to the row of the next one. */
export interface Drop {
  readonly at: number;
  readonly from: number;
  readonly to: number;
}

/** Where the critical path stands in the rows: which rows are on it, and the drops that pass each row. */
export interface PathInRows {
  readonly on: ReadonlySet<string>;
  readonly drops: ReadonlyMap<number, readonly Drop[]>;
}

/** Lays a path over rows. Steps that no row shows alone are left out. */
export function pathInRows(path: readonly Step[], rows: readonly Row[]): PathInRows {
  const indexOf = new Map<string, number>();
  rows.forEach((row, at) => {
    if (row.type === "step") indexOf.set(row.step.id, at);
    if (row.type === "fanOut") for (const step of row.fanOut.steps) indexOf.set(step.id, at);
  });
  const drops = new Map<number, Drop[]>();
  path.forEach((step, at) => {
    const before = path[at - 1];
    const [from, to] = [indexOf.get(before?.id ?? ""), indexOf.get(step.id)];
    if (from === undefined || to === undefined || from === to) return;
    const drop: Drop = { at: startOf(step), from, to };
    for (let row = Math.min(from, to); row <= Math.max(from, to); row += 1) {
      const passing = drops.get(row);
      if (passing === undefined) drops.set(row, [drop]);
      else passing.push(drop);
    }
  });
  return { on: new Set(path.map((step) => step.id)), drops };
}

/** How many of some steps were in flight from an instant on. */
export interface Level {
  readonly at: number;
  readonly count: number;
}

/** Returns how many of the steps were in flight when, by the instants at which that changed. */
export function inFlight(steps: readonly Step[], now: number): readonly Level[] {
  const begun = steps.filter((step) => step.startedAt !== null);
  return levelsOf(
    begun.map((step) => {
      const from = startOf(step);
      return { from, to: Math.min(endOf(step), Math.max(now, from)) };
    }),
  );
}

/** Returns how many stretches there were at once, by the instants at which that changed. */
export function levelsOf(stretches: readonly Stretch[]): readonly Level[] {
  const changes = new Map<number, number>();
  const change = (at: number, by: number) => changes.set(at, (changes.get(at) ?? 0) + by);
  for (const { from, to } of stretches) {
    change(from, 1);
    change(to, -1);
  }
  let count = 0;
  return [...changes]
    .sort(([a], [b]) => a - b)
    .map(([at, by]) => {
      count += by;
      return { at, count };
    });
}

/** Returns when those of the steps that failed did. */
export function failedAt(steps: readonly Step[]): readonly number[] {
  return steps.filter((step) => isFailure(step) && step.completedAt !== null).map(endOf);
}

/** A lane of the overview. */
export type Lane = "work" | "world" | "backoff" | "failed";

/** Returns the lane of a span. */
export function laneOf(span: Span): Lane {
  if (span.kind === "failed" || span.kind === "end") return "failed";
  if (span.kind === "backoff") return "backoff";
  return isBusy(span) ? "work" : "world";
}

/** Joins what is nearer to each other than a pixel, so that an overview of 10,000 spans has few marks. */
export function marksOf(spans: readonly Span[], lane: Lane, msPerPx: number): readonly Stretch[] {
  const wide = spans
    .filter((span) => laneOf(span) === lane)
    .map((span) => ({ from: span.from, to: Math.max(span.to, span.from + msPerPx) }));
  return union(wide);
}

/** Names a tick within a segment: `+200 ms`, `+1.5 s`, `+10 m`. */
export function tickWords(since: number): string {
  const round = (value: number) => Number(value.toFixed(3));
  if (since < 1000) return `+${round(since)}\u00a0ms`;
  if (since < 60_000) return `+${round(since / 1000)}\u00a0s`;
  const units: readonly (readonly [number, string])[] = [
    [86_400_000, "d"],
    [3_600_000, "h"],
    [60_000, "m"],
    [1000, "s"],
  ];
  const parts: string[] = [];
  let left = Math.round(since);
  for (const [ms, unit] of units) {
    const whole = Math.floor(left / ms);
    if (whole > 0) parts.push(`${whole}\u00a0${unit}`);
    left -= whole * ms;
  }
  return `+${parts.join(" ")}`;
}
