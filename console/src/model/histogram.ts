/** The histogram of the last hour: one bar a minute, what ended, and of that what failed. */

import { count } from "./words.ts";

export interface Minute {
  readonly ended: number;
  readonly failed: number;
  /** More ended than were counted. */
  readonly orMore: boolean;
}

/** Ends of runs, minute by minute, as the API tells them. */
export interface Activity {
  readonly from: string;
  /** The oldest first. */
  readonly minutes: readonly Minute[];
}

export interface Bar {
  /** When its minute began. */
  readonly at: number;
  readonly height: number;
  readonly failedHeight: number;
  readonly minute: Minute;
}

const MINUTE_MS = 60_000;
/** What there is must be seen, however much more there is elsewhere. */
const LEAST_PX = 2;

/** Draws the minutes as bars of at most that height. */
export function barsOf(activity: Activity, heightPx: number): readonly Bar[] {
  const most = Math.max(1, ...activity.minutes.map((minute) => minute.ended));
  const from = Date.parse(activity.from);
  const px = (value: number) =>
    value === 0 ? 0 : Math.max(LEAST_PX, Math.round((value / most) * heightPx));
  return activity.minutes.map((minute, index) => ({
    at: from + index * MINUTE_MS,
    height: px(minute.ended),
    failedHeight: Math.min(px(minute.failed), px(minute.ended)),
    minute,
  }));
}

export interface Totals {
  readonly ended: string;
  readonly failed: string;
  readonly anyFailed: boolean;
  readonly share: string;
}

/** Adds the minutes up, in words. */
export function totalsOf({ minutes }: Activity): Totals {
  const ended = minutes.reduce((sum, minute) => sum + minute.ended, 0);
  const failed = minutes.reduce((sum, minute) => sum + minute.failed, 0);
  const about = minutes.some((minute) => minute.orMore) ? "about " : "";
  return {
    ended: about + count(ended),
    failed: count(failed),
    anyFailed: failed > 0,
    share: shareOf(failed, ended),
  };
}

/** Says a share so that a little is never none, and nearly all never all. */
function shareOf(part: number, whole: number): string {
  if (whole === 0 || part === 0) return "0\u00a0%";
  const percent = (part / whole) * 100;
  if (percent < 0.1) return "<\u00a00.1\u00a0%";
  if (percent >= 99.95 && part < whole) return ">\u00a099.9\u00a0%";
  return `${percent < 10 ? percent.toFixed(1).replace(/\.0$/, "") : Math.round(percent)}\u00a0%`;
}

/** The bars from one to another, whichever was meant first. */
export interface Span {
  readonly anchor: number;
  readonly head: number;
}

/** Moves the head of a span by so many bars; without a span it begins at the newest bar. */
export function moved(span: Span | null, by: number, extend: boolean, bars: number): Span {
  const last = Math.max(0, bars - 1);
  if (span === null) return { anchor: last, head: last };
  const head = Math.min(last, Math.max(0, span.head + by));
  return { anchor: extend ? span.anchor : head, head };
}

/** Returns the time that a span stands for: from its first minute to the end of its last. */
export function timeOf(
  span: Span,
  activity: Activity,
): { readonly from: number; readonly to: number } {
  const zero = Date.parse(activity.from);
  return {
    from: zero + Math.min(span.anchor, span.head) * MINUTE_MS,
    to: zero + (Math.max(span.anchor, span.head) + 1) * MINUTE_MS,
  };
}
