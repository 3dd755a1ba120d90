/** The calls of a step that was observed: a bar each; of many, how many there were at once. */

import { memo, type ReactNode, useMemo } from "react";
import { type Axis, xOf } from "../model/axis.ts";
import type { Step } from "../model/run.ts";
import { type Stretch, spansOf } from "../model/spans.ts";
import { levelsOf } from "../model/timeline.ts";
import { Area, SpanBar, spanWords } from "./bars.tsx";

/** More calls than this are not drawn one by one. */
const BARS_MAX = 24;
const LEAST_PX = 2;

interface CallBarsProps {
  readonly step: Step;
  readonly axis: Axis;
  readonly height: number;
  readonly now: number;
}

/** Shows the calls. */
export const CallBars = memo(function CallBars(props: CallBarsProps): ReactNode {
  const { step, axis, height, now } = props;
  // What has ended does not change as time goes on.
  const until = step.completedAt === null ? now : 0;
  const spans = useMemo(() => spansOf(step, until), [step, until]);
  // What was told without a begin takes no time, and is to be seen all the same.
  const leastMs = ((axis.to - axis.from) / axis.width) * LEAST_PX;
  const levels = useMemo(
    () => (spans.length > BARS_MAX ? levelsOf(spans.map((span) => widened(span, leastMs))) : null),
    [spans, leastMs],
  );
  if (levels === null) {
    const seen = spans.filter((span) => span.to >= axis.from && span.from <= axis.to);
    return seen.map((span) => (
      <g
        key={span.attempt?.n ?? "at once"}
        className={step.status === "stuck" ? "stuck" : undefined}
      >
        <title>{spanWords(span)}</title>
        <SpanBar span={span} step={step} axis={axis} height={height} />
      </g>
    ));
  }
  const failed = spans.filter((span) => span.kind === "failed" || span.kind === "end");
  return (
    <g className={step.status === "stuck" ? "stuck" : undefined}>
      <Area
        levels={levels}
        className={step.completedAt === null ? "bar-work open" : "bar-work"}
        failures={apart(
          failed.map((span) => span.to),
          axis,
        )}
        axis={axis}
        height={height}
      />
    </g>
  );
});

function widened({ from, to }: Stretch, leastMs: number): Stretch {
  return { from, to: Math.max(to, from + leastMs) };
}

const APART_PX = 2;

/** Leaves out what would be drawn on what is there already. */
function apart(instants: readonly number[], axis: Axis): readonly number[] {
  let last = Number.NEGATIVE_INFINITY;
  return instants
    .toSorted((a, b) => a - b)
    .filter((at) => {
      const x = xOf(axis, at);
      if (at < axis.from || at > axis.to || x - last < APART_PX) return false;
      last = x;
      return true;
    });
}
