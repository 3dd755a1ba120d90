/** The rows of the list. */

import { type MouseEvent, memo, type ReactNode } from "react";
import { fanOutStatus } from "../model/fan-out.ts";
import { initialsOf, noteWords } from "../model/history.ts";
import { instant } from "../model/instants.ts";
import { linesOf, oneLine } from "../model/json.ts";
import { fanOutName, startOf, tally } from "../model/parallel.ts";
import { type Row, selectionOf } from "../model/rows.ts";
import { type Failure, isFailure, type Note, nameOf, type Step, titleOf } from "../model/run.ts";
import { tookOf } from "../model/spans.ts";
import { kindWords, noteOf } from "../model/step-words.ts";
import { clock, count, counted, duration, moment, offset } from "../model/words.ts";
import { goQuery } from "../route.ts";
import { usePage } from "../run/use-page.ts";
import { Elapsed } from "../ui/elapsed.tsx";
import { hueOf } from "../ui/glyph.tsx";
import { Icon, Notch } from "../ui/icon.tsx";
import { Lines } from "../ui/json-view.tsx";
import { useNarrow } from "../ui/narrow.ts";
import { useNow } from "../ui/now.ts";
import { HeadingWords } from "../ui/observed-link.tsx";
import { RunLink } from "../ui/run-link.tsx";
import { useSlot } from "../ui/slots.ts";
import { StepGlyph, StepWord } from "../ui/step-status.tsx";
import { At, Foreign, Name, Pieces } from "../ui/text.tsx";
import { beneath, firstFrame, LINES_MAX } from "./heights.ts";
import type { Times } from "./list.tsx";

interface RowProps {
  readonly row: Row;
  readonly index: number;
  readonly height: number;
  readonly isSelected: boolean;
  readonly isOpen: boolean;
  readonly compact: boolean;
  /** When the first step began. */
  readonly start: number;
  readonly times: Times;
  readonly onToggle: (row: Row) => void;
}

/** Shows one row. */
export const ListRow = memo(function ListRow(props: RowProps): ReactNode {
  const { row, index, height, isSelected } = props;
  const { select } = usePage();
  const selection = selectionOf(row);
  const node = useSlot<HTMLTableRowElement>(row.key);
  return (
    <tr
      ref={node}
      id={`row-${index}`}
      className={`row row-${row.type}`}
      aria-rowindex={index + 1}
      aria-selected={selection === null ? undefined : isSelected}
      style={{ height }}
      onClick={selection === null ? undefined : () => select(selection)}
      onDoubleClick={() => props.onToggle(row)}
    >
      <RowCells {...props} />
    </tr>
  );
});

function RowCells(props: RowProps): ReactNode {
  const { row } = props;
  switch (row.type) {
    case "step":
      return <StepCells {...props} row={row} />;
    case "fanOut":
      return <FanOutCells {...props} row={row} />;
    case "idle":
      return (
        <td className="gap">
          <span className="offset mono">{duration(row.ms)}</span>
          <Notch />
          nothing ran
        </td>
      );
    case "cleanUp":
      return <td className="rule hue-red">Clean-up, newest first</td>;
    case "heading":
      return (
        <td className="rule">
          <HeadingWords of={row.of} />
        </td>
      );
    case "act":
      return <ActCell note={row.note} start={props.start} times={props.times} />;
  }
}

type Of<T extends Row["type"]> = Omit<RowProps, "row"> & {
  readonly row: Extract<Row, { type: T }>;
};

function StepCells({ row, isOpen, compact, start, times }: Of<"step">): ReactNode {
  const { filter } = usePage();
  const narrow = useNarrow();
  const { step } = row;
  return (
    <>
      <td className="offset mono">
        {isUncalled(step) ? "–" : <Offset at={startOf(step)} start={start} times={times} />}
      </td>
      <td className={row.member ? "bracket member" : `bracket bracket-${row.bracket}`} />
      <td className="what">
        <div className="line">
          <StepGlyph status={step.status} />
          <Name found={filter.text}>{titleOf(step.id)}</Name>
          <span className="kind">
            <Foreign>{kindWords(step)}</Foreign>
          </span>
          <TakesBack step={step} />
          <span className="end">
            <LogCount step={step} />
            {!narrow && <StepNote step={step} />}
            {step.child !== undefined && <RunLink id={step.child.run} />}
            <StepWord step={step} />
            <Took step={step} />
          </span>
        </div>
        {narrow && noteOf(step, 0) !== null && (
          <div className="note-line">
            <StepNote step={step} />
          </div>
        )}
        <Beneath step={step} isOpen={isOpen} compact={compact} />
      </td>
    </>
  );
}

/** Declared steps that were not called have no time. */
function isUncalled(step: Step): boolean {
  return step.kind === "observed" && step.startedAt === null;
}

/** The step that a compensation takes back, as a link to it. */
function TakesBack({ step }: { readonly step: Step }): ReactNode {
  const { contents, select } = usePage();
  const id = nameOf(step.id);
  if (step.kind !== "compensate" || !contents.byId.has(id)) return null;
  return (
    <span className="kind">
      takes back{" "}
      <button type="button" className="link" onClick={inside(() => select({ type: "step", id }))}>
        <Name>{id}</Name>
      </button>
    </span>
  );
}

/** How many log lines a step wrote; leads to them. */
function LogCount({ step }: { readonly step: Step }): ReactNode {
  const { select } = usePage();
  if (step.logs.length === 0) return null;
  const show = () => {
    select({ type: "step", id: step.id });
    goQuery({ tab: "logs" }, "replace");
  };
  return (
    <button type="button" className="link log-count" onClick={inside(show)}>
      {counted(step.logs.length, "log line")}
    </button>
  );
}

/** A click within a row that is not one on the row. */
function inside(act: () => void): (event: MouseEvent) => void {
  return (event) => {
    event.stopPropagation();
    act();
  };
}

/** What a step waits for, or how often it was tried. */
export function StepNote({ step }: { readonly step: Step }): ReactNode {
  const isTicking = step.status === "retrying" || step.status === "waiting";
  const now = useNow(isTicking ? 1000 : null);
  const note = noteOf(step, now);
  if (note === null) return null;
  const retried = step.attempts.length > 1;
  const hue = retried ? "hue-amber" : `hue-${hueOf(step.status)}`;
  return (
    <span className={`note ${hue}`}>
      {retried && <Icon name="again" />}
      {note}
    </span>
  );
}

/** How long a step took; while it is open, how long it has. */
export function Took({ step }: { readonly step: Step }): ReactNode {
  const took = tookOf(step, Date.now());
  const hue = took?.open || isFailure(step) ? `took hue hue-${hueOf(step.status)}` : "took";
  if (took === null) return <span className={hue}>–</span>;
  if (!took.open) return <span className={hue}>{duration(took.ms)}</span>;
  return (
    <span className={hue}>
      <Elapsed from={took.from} />
    </span>
  );
}

function Beneath(props: {
  readonly step: Step;
  readonly isOpen: boolean;
  readonly compact: boolean;
}): ReactNode {
  const { step } = props;
  switch (beneath(step, props.isOpen)) {
    case "nothing":
      return null;
    case "line":
      if (props.compact) return null;
      return (
        <div className="result">
          <Pieces pieces={oneLine(step.output, 180)} />
        </div>
      );
    case "lines":
      return <OpenResult value={step.output} />;
    case "error":
      return step.error && <ErrorLines error={step.error} frame={firstFrame(step)} />;
  }
}

function ErrorLines({
  error,
  frame,
}: {
  readonly error: Failure;
  readonly frame: string | null;
}): ReactNode {
  return (
    <div className="error-lines">
      <div className="error-message hue-red">
        <Foreign>{`${error.name}: ${error.message.split("\n")[0] ?? ""}`}</Foreign>
      </div>
      {frame !== null && (
        <code>
          <Foreign>{frame}</Foreign>
        </code>
      )}
    </div>
  );
}

function OpenResult({ value }: { readonly value: unknown }): ReactNode {
  const lines = linesOf(value);
  return (
    <div className="result open">
      <Lines lines={lines.slice(0, LINES_MAX)} />
      {lines.length > LINES_MAX && (
        <span className="more">{`${count(lines.length - LINES_MAX)} more lines in the inspector`}</span>
      )}
    </div>
  );
}

function FanOutCells({ row, start, times, onToggle }: Of<"fanOut">): ReactNode {
  const { open } = usePage();
  const narrow = useNarrow();
  const { fanOut } = row;
  const isOpen = open.has(fanOut.key);
  const first = fanOut.steps[0];
  const name = fanOutName(fanOut);
  return (
    <>
      <td className="offset mono">
        {first !== undefined && <Offset at={startOf(first)} start={start} times={times} />}
      </td>
      <td className={`bracket bracket-${row.bracket}`} />
      <td className="what">
        <div className="line">
          <StepGlyph status={fanOutStatus(fanOut.steps)} />
          <Name>{name}</Name>
          <span className="kind">×{count(fanOut.steps.length)}</span>
          {!narrow && <Counts steps={fanOut.steps} />}
          <span className="end">
            <button
              type="button"
              className="plain bare small"
              aria-expanded={isOpen}
              aria-label={`${isOpen ? "Close" : "Open"} ${name}`}
              onClick={(event) => {
                event.stopPropagation();
                onToggle(row);
              }}
            >
              <Icon name={isOpen ? "down" : "right"} />
            </button>
            <FanOutTook steps={fanOut.steps} />
          </span>
        </div>
        {narrow && (
          <div className="note-line">
            <Counts steps={fanOut.steps} />
          </div>
        )}
      </td>
    </>
  );
}

/** How many members of a fan-out stand where: `997 ok · 3 failed`. */
export function Counts({ steps }: { readonly steps: readonly Step[] }): ReactNode {
  const { ok, failed, open, other } = tally(steps);
  return (
    <span className="counts">
      <span>{count(ok)} ok</span>
      {failed > 0 && <strong className="hue-red">{count(failed)} failed</strong>}
      {open > 0 && <span className="hue-blue in-hue">{count(open)} in flight</span>}
      {other > 0 && <span>{count(other)} cancelled or skipped</span>}
    </span>
  );
}

/** From the first begin to the last end of many steps. */
export function FanOutTook({ steps }: { readonly steps: readonly Step[] }): ReactNode {
  const from = Math.min(...steps.map(startOf));
  if (steps.some((step) => step.completedAt === null)) {
    return (
      <span className="took hue hue-blue">
        <Elapsed from={from} />
      </span>
    );
  }
  const to = Math.max(...steps.map((step) => instant(step.completedAt ?? step.scheduledAt)));
  return <span className="took">{duration(to - from)}</span>;
}

/** A time of the list: since the start, or by the clock; the other one on hover. */
function Offset({
  at,
  start,
  times,
}: {
  readonly at: number;
  readonly start: number;
  readonly times: Times;
}): ReactNode {
  return <At ms={at}>{times === "offset" ? offset(at - start) : clock(at)}</At>;
}

function ActCell({
  note,
  start,
  times,
}: {
  readonly note: Note;
  readonly start: number;
  readonly times: Times;
}): ReactNode {
  const at = instant(note.at);
  return (
    <td className="act">
      <span className="offset mono">
        <Offset at={at} start={start} times={times} />
      </span>
      <span className="person" aria-hidden="true">
        {initialsOf(note.by)}
      </span>
      <span className="act-words" title={moment(at, Date.now())}>
        {note.by !== null && (
          <strong>
            <Foreign>{note.by}</Foreign>{" "}
          </strong>
        )}
        {noteWords(note)}
        {note.detail !== null && (
          <span className="kind">
            {" "}
            <Foreign>{note.by === null ? note.detail : `“${note.detail}”`}</Foreign>
          </span>
        )}
      </span>
    </td>
  );
}
