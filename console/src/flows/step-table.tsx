/** How long the steps of a flow take, and how often they do what. */

import type { ReactNode } from "react";
import { type FlowStep, type FlowView, firstFailing } from "../model/flows.ts";
import { counted, duration } from "../model/words.ts";
import { Glyph } from "../ui/glyph.tsx";
import { StepCountsWords } from "../ui/step-counts.tsx";
import { Name } from "../ui/text.tsx";

interface StepTableProps {
  readonly view: FlowView;
  /** The step that is looked at. */
  readonly step: string | null;
  readonly onStep: (key: string) => void;
}

/** Shows the table: it is the twin of the graph too. */
export function StepTable({ view, step, onStep }: StepTableProps): ReactNode {
  const first = firstFailing(view);
  if (view.steps.length === 0) return <p className="quiet">No step was called yet.</p>;
  return (
    <div className="rows-table step-table">
      <table>
        <thead>
          <tr>
            <th scope="col">Step</th>
            <th scope="col">Calls and runs</th>
            <th scope="col" className="n">
              p50
            </th>
            <th scope="col" className="n">
              p95
            </th>
            <th scope="col" className="n">
              p99
            </th>
          </tr>
        </thead>
        <tbody>
          {view.steps.map((one) => (
            <StepRow
              key={one.key}
              step={one}
              isLooked={one.key === step}
              isFirst={one === first}
              onStep={onStep}
            />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function StepRow(props: {
  readonly step: FlowStep;
  readonly isLooked: boolean;
  /** No other step was the first to fail as often. */
  readonly isFirst: boolean;
  readonly onStep: (key: string) => void;
}): ReactNode {
  const { step, isLooked, isFirst, onStep } = props;
  return (
    <tr className={isLooked ? "looked" : ""}>
      <th scope="row">
        <button
          type="button"
          className="link"
          aria-pressed={isLooked}
          onClick={() => onStep(step.key)}
        >
          <Name>{step.key}</Name>
        </button>
        {isFirst && (
          <span
            className="first-failing in-hue hue-red"
            title={`The first to fail in ${counted(step.firstFailed, "run")}`}
          >
            <Glyph status="failed" size={14} label="word" />
            fails first
          </span>
        )}
      </th>
      <td data-head="Calls and runs">
        <StepCountsWords counts={step.counts} />
      </td>
      <Took head="p50" ms={step.p50Ms} />
      <Took head="p95" ms={step.p95Ms} />
      <Took head="p99" ms={step.p99Ms} />
    </tr>
  );
}

function Took({ head, ms }: { readonly head: string; readonly ms: number | null }): ReactNode {
  return (
    <td data-head={head} className="n">
      {ms === null ? "–" : duration(ms)}
    </td>
  );
}
