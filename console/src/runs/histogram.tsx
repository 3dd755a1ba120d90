/** What ended in the last hour, a bar a minute; a part of it can be made a filter. */

import { type KeyboardEvent, type PointerEvent, type ReactNode, useState } from "react";
import { runsChanged, useLiveQuery } from "../api/live-query.ts";
import type { Filters } from "../model/filters.ts";
import {
  type Activity,
  type Bar,
  barsOf,
  moved,
  type Span,
  timeOf,
  totalsOf,
} from "../model/histogram.ts";
import { clock, counted } from "../model/words.ts";

const MINUTES = 60;
const HEIGHT_PX = 28;
const PITCH_PX = 9;
const BAR_PX = 8;

function readActivity(answer: unknown): Activity {
  const activity = (answer ?? {}) as Partial<Activity>;
  if (!Array.isArray(activity.minutes) || typeof activity.from !== "string") {
    throw new TypeError("the server's answer holds no minutes");
  }
  // Checked above; the rest is the server's word.
  return activity as Activity;
}

/** Asks for the last hour of an app and a workflow; null where the server does not tell. */
export function useActivity({ filters }: Filters): Activity | null {
  const params = new URLSearchParams();
  for (const { field, value } of filters) {
    if (field === "app" || field === "workflow") params.set(field, value);
  }
  params.set("minutes", String(MINUTES));
  const path = `/runs/activity?${params}`;
  return useLiveQuery({ path, read: readActivity, when: runsChanged }).data ?? null;
}

interface HistogramProps {
  readonly activity: Activity;
  /** A span of time was chosen. */
  readonly onChoose: (from: number, to: number) => void;
}

/** Shows the histogram and what it adds up to. */
export function Histogram({ activity, onChoose }: HistogramProps): ReactNode {
  const totals = totalsOf(activity);
  return (
    <>
      <Bars activity={activity} onChoose={onChoose} />
      <p className="totals">
        <span>
          <b>{totals.ended}</b> ended in 1 h
        </span>
        <span>
          <b className={totals.anyFailed ? "hue-red" : ""}>{totals.failed}</b> failed,{" "}
          {totals.share}
        </span>
      </p>
    </>
  );
}

function Bars({ activity, onChoose }: HistogramProps): ReactNode {
  const [span, setSpan] = useState<Span | null>(null);
  const bars = barsOf(activity, HEIGHT_PX);
  const width = bars.length * PITCH_PX;
  const choose = (chosen: Span) => {
    const { from, to } = timeOf(chosen, activity);
    setSpan(null);
    onChoose(from, to);
  };
  const drag = useDrag(bars.length, span, setSpan, choose);
  const press = (event: KeyboardEvent) => {
    if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
      setSpan(moved(span, event.key === "ArrowLeft" ? -1 : 1, event.shiftKey, bars.length));
    } else if (event.key === "Enter" && span !== null) choose(span);
    else if (event.key === "Escape" && span !== null) setSpan(null);
    else return;
    event.preventDefault();
  };
  const said = span === null ? "ended each minute; failed in red at the foot" : saidOf(span, bars);
  return (
    <div
      className="histogram"
      role="application"
      aria-label="Runs that ended in the last hour. Arrow keys choose a minute, with Shift a span, Enter filters by it"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: it has keys of its own
      tabIndex={0}
      onKeyDown={press}
      onBlur={() => setSpan(null)}
      {...drag}
    >
      <svg
        width={width}
        height={HEIGHT_PX + 1}
        viewBox={`0 0 ${width} ${HEIGHT_PX + 1}`}
        preserveAspectRatio="none"
        aria-hidden="true"
      >
        {span !== null && <Chosen span={span} />}
        {bars.map((bar, at) => (
          <BarShape key={bar.at} bar={bar} x={at * PITCH_PX} isLast={at === bars.length - 1} />
        ))}
        <path className="axis" d={`M0 ${HEIGHT_PX + 0.5}H${width}`} />
      </svg>
      <p className="axis-words">
        <span>{clock(bars[0]?.at ?? 0).slice(0, 5)}</span>
        <span aria-live="polite">{said}</span>
        <span>{clock((bars.at(-1)?.at ?? 0) + 60_000).slice(0, 5)}</span>
      </p>
    </div>
  );
}

function BarShape({ bar, x, isLast }: { bar: Bar; x: number; isLast: boolean }): ReactNode {
  const { height, failedHeight } = bar;
  return (
    <>
      <rect
        className={isLast ? "bar now" : "bar"}
        x={x}
        y={HEIGHT_PX - height}
        width={BAR_PX}
        height={height}
      />
      {failedHeight > 0 && (
        <rect
          className="bar failed"
          x={x}
          y={HEIGHT_PX - failedHeight}
          width={BAR_PX}
          height={failedHeight}
        />
      )}
    </>
  );
}

function Chosen({ span }: { readonly span: Span }): ReactNode {
  const [first, last] = [Math.min(span.anchor, span.head), Math.max(span.anchor, span.head)];
  return (
    <rect
      className="chosen"
      x={first * PITCH_PX - 0.5}
      y={0}
      width={(last - first + 1) * PITCH_PX}
      height={HEIGHT_PX + 1}
    />
  );
}

/** Says what is chosen: the time, and what ended in it. */
function saidOf(span: Span, bars: readonly Bar[]): string {
  const [first, last] = [Math.min(span.anchor, span.head), Math.max(span.anchor, span.head)];
  const chosen = bars.slice(first, last + 1);
  const ended = chosen.reduce((sum, bar) => sum + bar.minute.ended, 0);
  const failed = chosen.reduce((sum, bar) => sum + bar.minute.failed, 0);
  const time = (at: number) => clock(at).slice(0, 5);
  const when = `${time(chosen[0]?.at ?? 0)} to ${time((chosen.at(-1)?.at ?? 0) + 60_000)}`;
  return `${when}: ${counted(ended, "run")} ended, ${failed} failed`;
}

function useDrag(
  bars: number,
  span: Span | null,
  setSpan: (span: Span | null) => void,
  choose: (span: Span) => void,
) {
  const barAt = (event: PointerEvent<HTMLElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    const at = Math.floor(((event.clientX - box.left) / box.width) * bars);
    return Math.min(bars - 1, Math.max(0, at));
  };
  return {
    onPointerDown: (event: PointerEvent<HTMLElement>) => {
      if (event.button !== 0) return;
      event.currentTarget.setPointerCapture(event.pointerId);
      setSpan({ anchor: barAt(event), head: barAt(event) });
    },
    onPointerMove: (event: PointerEvent<HTMLElement>) => {
      if (span === null || !event.currentTarget.hasPointerCapture(event.pointerId)) return;
      setSpan({ ...span, head: barAt(event) });
    },
    onPointerUp: (event: PointerEvent<HTMLElement>) => {
      if (span !== null) choose({ ...span, head: barAt(event) });
    },
    onPointerCancel: () => setSpan(null),
  };
}
