/** The bars of a row: what a step was doing when, on the shared axis. */

import { memo, type ReactNode } from "react";
import { type Axis, xOf } from "../model/axis.ts";
import type { FanOut } from "../model/parallel.ts";
import { isFailure, type Step } from "../model/run.ts";
import { type Span, spansOf } from "../model/spans.ts";
import { type Drop, failedAt, inFlight, type Level } from "../model/timeline.ts";
import { capital, clock, duration } from "../model/words.ts";

export const BAR = 14;
const WIDTH_MIN = 2;
/** A bar is this wide before it says the number of its attempt, and a backoff its length. */
const NUMBER_PX = 16;
const LENGTH_PX = 52;
const MARKS_MAX = 200;

interface BarsProps {
  readonly axis: Axis;
  readonly height: number;
  readonly now: number;
}

/** Shows the spans of a step. */
export const StepBars = memo(function StepBars(
  props: BarsProps & { readonly step: Step },
): ReactNode {
  const { step, axis, height, now } = props;
  const spans = spansOf(step, now).filter((span) => span.to >= axis.from && span.from <= axis.to);
  return spans.map((span) => (
    <g key={`${span.kind} ${span.from}`}>
      <title>{spanWords(span)}</title>
      <SpanBar span={span} step={step} axis={axis} height={height} />
    </g>
  ));
});

/** Says a span: what it is, from when to when, how long, and on which runner. */
export function spanWords(span: Span): string {
  const { attempt } = span;
  const what = attempt === undefined ? SPAN_WORDS[span.kind] : `attempt ${attempt.n}`;
  const where = attempt === undefined ? "" : ` on ${attempt.runner}`;
  const end = span.open ? "now" : clock(span.to, "milliseconds");
  const took = duration(span.to - span.from);
  return `${capital(what)}${where}, ${clock(span.from, "milliseconds")} to ${end}, ${took}`;
}

const SPAN_WORDS: Readonly<Record<Span["kind"], string>> = {
  work: "run",
  child: "child",
  failed: "failed",
  end: "failed",
  backoff: "backoff",
  wait: "wait",
  sleep: "sleep",
  point: "at once",
  compensation: "compensation",
};

interface SpanProps {
  readonly span: Span;
  readonly step: Step;
  readonly axis: Axis;
  readonly height: number;
}

/** Shows one span. */
export function SpanBar({ span, step, axis, height }: SpanProps): ReactNode {
  const x = xOf(axis, span.from);
  const width = Math.max(xOf(axis, span.to) - x, WIDTH_MIN);
  const y = (height - BAR) / 2 + (span.attempt?.overlapped ? BAR / 2 : 0);
  const middle = height / 2;
  const open = span.open ? " open" : "";
  switch (span.kind) {
    case "point":
      return step.kind === "skip" ? (
        <path className="bar-skip" d={`m${x} ${middle - 4} 4 4-4 4m5-8 4 4-4 4`} />
      ) : (
        <rect className="bar-work" x={x} y={y} width={3} height={BAR} rx={1.5} />
      );
    case "backoff":
      return (
        <g className={`bar-backoff${open}`}>
          <path d={`M${x + 2} ${middle}H${x + width - 1}`} />
          {width > LENGTH_PX && (
            <text x={x + width / 2} y={middle - 4}>
              {duration(span.to - span.from)}
            </text>
          )}
        </g>
      );
    case "compensation":
      return (
        <path
          className={`bar-compensation${open}`}
          d={`M${x} ${middle}l${Math.min(7, width)} ${-BAR / 2}H${x + width}v${BAR}H${x + Math.min(7, width)}z`}
        />
      );
    case "wait":
    case "sleep":
      return <World span={span} axis={axis} x={x} width={width} y={y} />;
    default:
      return <Work span={span} x={x} width={width} y={y} />;
  }
}

interface BoxProps {
  readonly span: Span;
  readonly x: number;
  readonly y: number;
  readonly width: number;
}

function Work({ span, x, y, width }: BoxProps): ReactNode {
  const failed = span.kind === "failed" || span.kind === "end";
  const inset = span.kind === "failed" ? 0.75 : 0;
  const words = span.kind === "end" ? "×" : String(span.attempt?.n ?? "");
  return (
    <g className={`bar-${span.kind}${span.open ? " open" : ""}`}>
      <rect
        x={x + inset}
        y={y + inset}
        width={Math.max(width - 2 * inset, 1)}
        height={BAR - 2 * inset}
        rx={3}
      />
      {failed && width > NUMBER_PX && (
        <text x={x + width / 2} y={y + BAR - 3.5}>
          {words}
        </text>
      )}
    </g>
  );
}

/** A wait or a sleep; where it goes through a fold, two slashes cut it. */
function World({ span, axis, x, y, width }: BoxProps & { readonly axis: Axis }): ReactNode {
  const cuts = axis.segments.filter(
    (segment) => segment.folded && span.from < segment.to && span.to > segment.from,
  );
  const round = span.kind === "sleep" ? BAR / 2 : 3;
  return (
    <g className={`bar-world${span.open ? " open" : ""}`}>
      <rect
        x={x + 0.75}
        y={y + 0.75}
        width={Math.max(width - 1.5, 1)}
        height={BAR - 1.5}
        rx={Math.min(round, width / 2)}
      />
      {cuts.map((cut) => {
        const at = (Math.max(cut.x0, x) + Math.min(cut.x1, x + width)) / 2;
        if (Math.min(cut.x1, x + width) - Math.max(cut.x0, x) < NUMBER_PX) return null;
        return (
          <g key={cut.from} className="cut-bar">
            <path className="gap" d={`M${at - 4} ${y + BAR + 1}l5 -16h7l-5 16z`} />
            <path d={`M${at - 4} ${y + BAR + 1}l5 -16m2 16l5 -16`} />
          </g>
        );
      })}
    </g>
  );
}

/** Shows how many of a fan-out were in flight, with a dot for each that failed. */
export const FanOutBars = memo(function FanOutBars(
  props: BarsProps & { readonly fanOut: FanOut },
): ReactNode {
  const { fanOut, axis, height, now } = props;
  const open = fanOut.steps.some((step) => step.completedAt === null);
  return (
    <Area
      levels={inFlight(fanOut.steps, now)}
      className={open ? "bar-work open" : "bar-work"}
      failures={failedAt(fanOut.steps)}
      axis={axis}
      height={height}
    />
  );
});

interface AreaProps extends Omit<BarsProps, "now"> {
  readonly levels: readonly Level[];
  readonly className: string;
  /** When those that failed did. */
  readonly failures: readonly number[];
}

/** Shows how many were in flight as an area, with a dot for each failure. */
export function Area({ levels, className, failures, axis, height }: AreaProps): ReactNode {
  const most = levels.reduce((high, level) => Math.max(high, level.count), 1);
  const foot = height - 4;
  const tall = height - 12;
  let path = "";
  for (const [at, level] of levels.entries()) {
    const x = xOf(axis, level.at);
    const y = foot - (level.count / most) * tall;
    path += at === 0 ? `M${x} ${foot}V${y}` : `H${x}V${y}`;
  }
  return (
    <>
      <path className={className} d={`${path}V${foot}z`} />
      {failures.slice(0, MARKS_MAX).map((at) => (
        <circle key={at} className="bar-dot" cx={xOf(axis, at)} cy={5} r={3} />
      ))}
    </>
  );
}

/** Shows the critical path under a row's bar, and where it drops from row to row. */
export function PathMarks(props: {
  readonly step: Step | null;
  readonly row: number;
  readonly drops: readonly Drop[];
  readonly axis: Axis;
  readonly height: number;
  readonly now: number;
}): ReactNode {
  const { step, row, drops, axis, height, now } = props;
  const foot = height / 2 + BAR / 2 + 3;
  const spans = step === null ? [] : spansOf(step, now);
  const [first, last] = [spans[0], spans.at(-1)];
  return (
    <g className="critical">
      {first !== undefined && last !== undefined && (
        <path
          className="line"
          d={`M${xOf(axis, first.from)} ${foot}H${Math.max(xOf(axis, last.to), xOf(axis, first.from) + 1)}`}
        />
      )}
      {drops.map((drop) => {
        const x = xOf(axis, drop.at);
        const top = row === Math.min(drop.from, drop.to) ? foot : 0;
        const bottom = row === Math.max(drop.from, drop.to) ? foot : height;
        return (
          <path key={`${drop.from} ${drop.to}`} className="drop" d={`M${x} ${top}V${bottom}`} />
        );
      })}
    </g>
  );
}

/** Says the bars of a step for readers of screens. */
export function barsWords(step: Step, start: number, now: number): string {
  const spans = spansOf(step, now);
  const first = spans[0];
  if (first === undefined) return "not begun";
  const last = spans.at(-1) ?? first;
  const tried = step.attempts.length > 1 ? `, ${step.attempts.length} attempts` : "";
  const failed = isFailure(step) ? ", failed" : "";
  return `from +${((first.from - start) / 1000).toFixed(3)} s for ${duration(last.to - first.from)}${tried}${failed}`;
}
