/** The rows of the timeline: a label, and bars. */

import { memo, type ReactNode } from "react";
import { FanOutTook, Took } from "../list/row.tsx";
import type { Axis } from "../model/axis.ts";
import { fanOutStatus } from "../model/fan-out.ts";
import { fanOutName, tally } from "../model/parallel.ts";
import { type Heading, type Row, selectionOf } from "../model/rows.ts";
import { type Step, titleOf } from "../model/run.ts";
import { kindWords } from "../model/step-words.ts";
import type { PathInRows } from "../model/timeline.ts";
import { count } from "../model/words.ts";
import { usePage } from "../run/use-page.ts";
import { HeadingWords } from "../ui/observed-link.tsx";
import { StepGlyph, StepWord } from "../ui/step-status.tsx";
import { Foreign, Name } from "../ui/text.tsx";
import { barsWords, FanOutBars, PathMarks, StepBars } from "./bars.tsx";
import { CallBars } from "./call-bars.tsx";

interface RowProps {
  readonly row: Row;
  readonly index: number;
  readonly top: number;
  readonly height: number;
  readonly labels: number;
  readonly axis: Axis;
  readonly now: number;
  readonly start: number;
  readonly isSelected: boolean;
  readonly path: PathInRows;
}

/** Shows a row. */
export const TimelineRow = memo(function TimelineRow(props: RowProps): ReactNode {
  const { row, index, top, height, labels, axis, now, isSelected, path } = props;
  const { select } = usePage();
  const selection = selectionOf(row);
  const bars = labels === 0 ? 26 : height;
  const step = row.type === "step" ? row.step : null;
  const drops = path.drops.get(index) ?? [];
  if (row.type === "heading") return <HeadingRow of={row.of} top={top} height={height} />;
  const onPath = step !== null && path.on.has(step.id) ? step : null;
  return (
    <li
      className={isSelected ? "timeline-row selected" : "timeline-row"}
      style={{ height, transform: `translateY(${top}px)` }}
    >
      <button
        type="button"
        className="timeline-label"
        tabIndex={isSelected ? 0 : -1}
        aria-pressed={isSelected}
        style={labels === 0 ? undefined : { width: labels }}
        onClick={() => selection !== null && select(selection)}
      >
        <Label row={row} />
        <span className="hidden">{moreWords(row, props.start, now)}</span>
      </button>
      <svg
        className="bars"
        width={axis.width}
        height={bars}
        aria-hidden="true"
        onClick={() => selection !== null && select(selection)}
      >
        {step?.observed !== undefined && (
          <CallBars step={step} axis={axis} height={bars} now={now} />
        )}
        {row.type === "step" && step?.observed === undefined && (
          <StepBars step={row.step} axis={axis} height={bars} now={now} />
        )}
        {row.type === "fanOut" && (
          <FanOutBars fanOut={row.fanOut} axis={axis} height={bars} now={now} />
        )}
        {(onPath !== null || drops.length > 0) && (
          <PathMarks step={onPath} row={index} drops={drops} axis={axis} height={bars} now={now} />
        )}
      </svg>
    </li>
  );
});

/** Says what the rows below it are. */
function HeadingRow(props: {
  readonly of: Heading;
  readonly top: number;
  readonly height: number;
}): ReactNode {
  const { of, top, height } = props;
  return (
    <li
      className="timeline-row timeline-heading"
      style={{ height, transform: `translateY(${top}px)` }}
    >
      <HeadingWords of={of} />
    </li>
  );
}

function Label({ row }: { readonly row: Row }): ReactNode {
  const { filter } = usePage();
  if (row.type === "step") {
    const { step } = row;
    const tried = step.attempts.length;
    const words =
      tried > 1 && step.kind !== "observed"
        ? `${kindWords(step) || "compensation"}, ${tried} attempts`
        : kindWords(step);
    return (
      <>
        <StepGlyph status={step.status} />
        <Name found={filter.text}>{titleOf(step.id)}</Name>
        <span className="kind">
          <Foreign>{words}</Foreign>
        </span>
        <StepWord step={step} />
        <Took step={step} />
      </>
    );
  }
  if (row.type !== "fanOut") return null;
  const { steps } = row.fanOut;
  return (
    <>
      <StepGlyph status={fanOutStatus(steps)} />
      <Name>{fanOutName(row.fanOut)}</Name>
      <span className="kind">{fanOutWords(steps)}</span>
      <FanOutTook steps={steps} />
    </>
  );
}

/** `×240, 6 in flight`: how many there are, and what of them matters most. */
function fanOutWords(steps: readonly Step[]): string {
  const { total, open, failed } = tally(steps);
  const more =
    open > 0 ? `, ${count(open)} in flight` : failed > 0 ? `, ${count(failed)} failed` : "";
  return `×${count(total)}${more}`;
}

/** What the bars show, for readers of screens. */
function moreWords(row: Row, start: number, now: number): string {
  return row.type === "step" ? `, ${barsWords(row.step, start, now)}` : "";
}
