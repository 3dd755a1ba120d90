/** The axis of the timeline: time to pixels, with long idle stretches folded to one width. */

import type { Stretch } from "./spans.ts";

const FOLD_MS_MIN = 30_000;
const FOLD_SHARE_MIN = 0.05;
/** Width of a fold in pixels. */
export const FOLD_PX = 104;
/** Never more than this share of the width goes to folds. */
const FOLDS_SHARE_MAX = 0.5;

export interface Segment extends Stretch {
  readonly x0: number;
  readonly x1: number;
  readonly folded: boolean;
}

export interface Axis {
  readonly segments: readonly Segment[];
  readonly width: number;
  readonly from: number;
  readonly to: number;
}

export interface Tick {
  readonly x: number;
  readonly at: number;
  /** Milliseconds since the segment began; 0 at its begin, where the clock is shown. */
  readonly since: number;
}

/**
 * Returns the idle stretches that are worth a fold in a window: over 30 s, and over 5 % of what is left of it
 * when the longer ones are folded.
 */
export function foldable(gaps: readonly Stretch[], window: Stretch): readonly Stretch[] {
  let left = window.to - window.from;
  const folds: Stretch[] = [];
  for (const gap of [...gaps].sort((a, b) => b.to - b.from - (a.to - a.from))) {
    const length = gap.to - gap.from;
    if (length <= Math.max(FOLD_MS_MIN, left * FOLD_SHARE_MIN)) break;
    folds.push(gap);
    left -= length;
  }
  return folds.sort((a, b) => a.from - b.from);
}

/** Lays a window out over a width. Outside of folds one second has one width everywhere. */
export function axisOf(window: Stretch, width: number, folds: readonly Stretch[]): Axis {
  const kept = folds.filter((fold) => fold.from >= window.from && fold.to <= window.to);
  const foldPx = kept.length === 0 ? 0 : Math.min(FOLD_PX, (width * FOLDS_SHARE_MAX) / kept.length);
  const folded = kept.reduce((sum, fold) => sum + (fold.to - fold.from), 0);
  const open = Math.max(window.to - window.from - folded, Number.EPSILON);
  const perMs = (width - foldPx * kept.length) / open;
  const segments: Segment[] = [];
  let [at, x] = [window.from, 0];
  const push = (to: number, px: number, isFold: boolean) => {
    segments.push({ from: at, to, x0: x, x1: x + px, folded: isFold });
    [at, x] = [to, x + px];
  };
  for (const fold of kept) {
    if (fold.from > at) push(fold.from, (fold.from - at) * perMs, false);
    push(fold.to, foldPx, true);
  }
  if (window.to > at || segments.length === 0) push(window.to, width - x, false);
  return { segments, width, from: window.from, to: window.to };
}

/** Returns where an instant stands, clamped to the axis. */
export function xOf(axis: Axis, at: number): number {
  if (at <= axis.from) return 0;
  for (const segment of axis.segments) {
    if (at > segment.to) continue;
    const length = segment.to - segment.from;
    const share = length === 0 ? 0 : (at - segment.from) / length;
    return segment.x0 + share * (segment.x1 - segment.x0);
  }
  return axis.width;
}

/** Returns the instant at a place: what {@link xOf} undoes. */
export function instantAt(axis: Axis, x: number): number {
  for (const segment of axis.segments) {
    if (x > segment.x1) continue;
    const width = segment.x1 - segment.x0;
    const share = width === 0 ? 0 : Math.max(0, x - segment.x0) / width;
    return segment.from + share * (segment.to - segment.from);
  }
  return axis.to;
}

/** Returns the ticks of an axis: the begin of each open segment, then even steps of 1, 2 or 5 within it. */
export function ticksOf(axis: Axis, gapPx = 72): readonly Tick[] {
  const open = axis.segments.filter((segment) => !segment.folded);
  const first = open.find((segment) => segment.to > segment.from);
  if (first === undefined) return [];
  const msPerPx = (first.to - first.from) / (first.x1 - first.x0);
  const step = even(msPerPx * gapPx);
  return open.flatMap((segment) => {
    const ticks: Tick[] = [{ x: segment.x0, at: segment.from, since: 0 }];
    for (let since = step; segment.from + since <= segment.to; since += step) {
      const x = segment.x0 + since / msPerPx;
      ticks.push({ x, at: segment.from + since, since });
    }
    return ticks;
  });
}

const STEPS_OF_TIME = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500],
  ...[1, 2, 5, 10, 15, 30].map((seconds) => seconds * 1000),
  ...[1, 2, 5, 10, 15, 30].map((minutes) => minutes * 60_000),
  ...[1, 2, 3, 6, 12].map((hours) => hours * 3_600_000),
];
const DAY_MS = 86_400_000;

/** Returns the next even length of time at or above one. */
export function even(ms: number): number {
  if (ms < 1) return 10 ** Math.ceil(Math.log10(Math.max(ms, 1e-3)));
  const found = STEPS_OF_TIME.find((step) => step >= ms);
  if (found !== undefined) return found;
  let days = 1;
  while (days * DAY_MS < ms) days *= 2;
  return days * DAY_MS;
}
