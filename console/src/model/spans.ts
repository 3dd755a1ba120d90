/** What a step was doing when: its attempts, backoffs, waits and sleeps as spans of time. */

import { instant, instantOr } from "./instants.ts";
import type { ObservedStep } from "./observed.ts";
import { openSince } from "./observed-words.ts";
import { endOf, startOf } from "./parallel.ts";
import type { Attempt, Step } from "./run.ts";

/**
 * `work` is a function that ended well or is running, `child` the same of a child run, `failed` an attempt
 * after which another came, `end` the failed attempt that was the last, `backoff` the time between attempts,
 * `wait` and `sleep` the world's time, `point` what takes no time, `compensation` what takes a step back.
 */
export type SpanKind =
  | "work"
  | "child"
  | "failed"
  | "end"
  | "backoff"
  | "wait"
  | "sleep"
  | "point"
  | "compensation";

export interface Span {
  readonly kind: SpanKind;
  readonly from: number;
  readonly to: number;
  /** It has not ended, so it ends now. */
  readonly open: boolean;
  readonly attempt?: Attempt;
}

/** Returns the spans of a step, earliest first. `now` ends what is open. */
export function spansOf(step: Step, now: number): readonly Span[] {
  switch (step.kind) {
    case "sleep":
    case "sleepUntil":
      return [whole(step, "sleep", now)];
    case "waitForEvent":
    case "namedWait":
    case "race":
      return [whole(step, "wait", now)];
    case "invoke":
      return [whole(step, "child", now)];
    case "observed":
      return callsOf(step, now);
    case "emit":
    case "skip":
      return [point(startOf(step))];
    case "run":
    case "compensate":
    case "onFailure":
      return attemptsOf(step, now);
  }
}

function whole(step: Step, kind: SpanKind, now: number): Span {
  const from = startOf(step);
  const open = step.completedAt === null;
  return { kind, from, to: open ? Math.max(from, now) : endOf(step), open };
}

function attemptsOf(step: Step, now: number): readonly Span[] {
  const spans: Span[] = [];
  step.attempts.forEach((attempt, at) => {
    const from = instant(attempt.startedAt);
    const before = spans.at(-1);
    if (before !== undefined && before.to < from) spans.push(backoff(before.to, from, false));
    const to = Math.max(from, instantOr(attempt.endedAt, now));
    const last = at === step.attempts.length - 1 && step.status !== "retrying";
    spans.push({
      kind: kindOf(step, attempt, last),
      from,
      to,
      open: attempt.endedAt === null,
      attempt,
    });
  });
  const last = spans.at(-1);
  if (last !== undefined && step.status === "retrying") spans.push(backoff(last.to, now, true));
  return spans.length === 0 && step.startedAt !== null ? [whole(step, "work", now)] : spans;
}

/** The calls of a step that was observed: they may overlap, and between them is nothing that is known. */
function callsOf(step: Step, now: number): readonly Span[] {
  const { attempts } = step;
  if (attempts.length === 0) {
    return step.startedAt === null ? [] : [point(startOf(step))];
  }
  return attempts.map((attempt, at) => {
    const from = instant(attempt.startedAt);
    const to = Math.max(from, instantOr(attempt.endedAt, now));
    const [open, last] = [attempt.endedAt === null, at === attempts.length - 1];
    const kind = attempt.status !== "failed" ? "work" : last ? "end" : "failed";
    return { kind, from, to, open, attempt };
  });
}

function point(at: number): Span {
  return { kind: "point", from: at, to: at, open: false };
}

function backoff(from: number, to: number, open: boolean): Span {
  return { kind: "backoff", from, to: Math.max(from, to), open };
}

function kindOf(step: Step, attempt: Attempt, last: boolean): SpanKind {
  const good = attempt.status === "completed" || attempt.status === "running";
  if (good) return step.kind === "compensate" ? "compensation" : "work";
  return last && step.status !== "cancelled" ? "end" : "failed";
}

/** Says whether code or a child is busy in a span: such time is never folded. */
export function isBusy(span: Span): boolean {
  return span.kind !== "wait" && span.kind !== "sleep" && span.kind !== "backoff";
}

/** A stretch of time. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
}

/** Joins stretches that touch or overlap. */
export function union(stretches: readonly Stretch[]): readonly Stretch[] {
  const joined: { from: number; to: number }[] = [];
  for (const { from, to } of [...stretches].sort((a, b) => a.from - b.from)) {
    const last = joined.at(-1);
    if (last !== undefined && from <= last.to) last.to = Math.max(last.to, to);
    else joined.push({ from, to });
  }
  return joined;
}

/** Returns the stretches of a window in which nothing is busy. */
export function idle(busy: readonly Stretch[], window: Stretch): readonly Stretch[] {
  const gaps: Stretch[] = [];
  let from = window.from;
  for (const stretch of union(busy)) {
    if (stretch.from > from) gaps.push({ from, to: Math.min(stretch.from, window.to) });
    from = Math.max(from, stretch.to);
    if (from >= window.to) return gaps;
  }
  if (from < window.to) gaps.push({ from, to: window.to });
  return gaps;
}

/** Returns how much of a step's time passed while it was doing something, and whether that still grows. */
export function tookOf(
  step: Step,
  now: number,
): { readonly ms: number; readonly open: boolean; readonly from: number } | null {
  if (step.kind === "skip") return null;
  if (step.observed !== undefined) return observedTook(step.observed, now);
  if (step.startedAt === null) return null;
  const open = step.completedAt === null;
  const from = startOf(step);
  return { ms: Math.max(0, (open ? now : endOf(step)) - from), open, from };
}

/**
 * Of a step that is open, how long its oldest open call is; of one that failed or was called once, its last call; of one
 * that was called more often, from the first call to the end of the last.
 */
function observedTook(step: ObservedStep, now: number): ReturnType<typeof tookOf> {
  const from = openSince(step);
  if (from !== null) return { ms: Math.max(0, now - from), open: true, from };
  const { startedAt, endedAt, durationMs } = step;
  const begun = instantOr(startedAt, 0);
  if (step.status === "completed" && step.attemptsTotal > 1 && startedAt !== null) {
    return { ms: instantOr(endedAt, begun) - begun, open: false, from: begun };
  }
  return durationMs === null ? null : { ms: durationMs, open: false, from: begun };
}
