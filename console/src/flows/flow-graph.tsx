/** The steps of a flow as a graph, with how each did. It stands still: there is no time in it. */

import "../styles/graph.css";
import "../styles/nodes.css";
import { type ReactNode, useEffect, useMemo, useRef, useState } from "react";
import type { Answer, Ask } from "../graph/layout-worker.ts";
import { makeWorker } from "../graph/make-worker.ts";
import { Outline } from "../graph/shapes.tsx";
import { NODE_HEIGHT, NODE_WIDTH, type Place } from "../model/boxes.ts";
import { afterOf } from "../model/flow-edges.ts";
import { type FlowStep, type FlowView, firstFailing } from "../model/flows.ts";
import { bundled, NODES_MAX } from "../model/graph.ts";
import { byRank } from "../model/graph-view.ts";
import type { Placement, Question } from "../model/placement.ts";
import { counted, duration } from "../model/words.ts";
import { StepCountsMarks } from "../ui/step-counts.tsx";
import { Name } from "../ui/text.tsx";
import { useWidth } from "../ui/width.ts";

interface FlowGraphProps {
  readonly view: FlowView;
  /** The step that is looked at. */
  readonly step: string | null;
  readonly onStep: (key: string) => void;
}

/** Shows the graph. */
export function FlowGraph({ view, step, onStep }: FlowGraphProps): ReactNode {
  const asked = useMemo(() => JSON.stringify(questionOf(view)), [view]);
  const placement = usePlaces(view.steps.length > NODES_MAX ? null : asked);
  if (view.steps.length > NODES_MAX) {
    return (
      <p className="quiet">
        {`${counted(view.steps.length, "step")}: a graph shows ${NODES_MAX} at most. The table has them all.`}
      </p>
    );
  }
  if (view.steps.length === 0 || placement === null) return <div className="flow-graph" />;
  return <Drawn placement={placement} view={view} step={step} onStep={onStep} />;
}

/** What the placing depends on: which steps there are and what leads to what, and not how they do. */
function questionOf(view: FlowView): Question {
  const keys = view.steps.filter((one) => !isAside(view, one)).map((one) => one.key);
  const after = afterOf(keys, view.edges);
  const size = { width: NODE_WIDTH, height: NODE_HEIGHT };
  return {
    nodes: keys.map((id) => ({ id, ...size })),
    edges: bundled(keys.map((key) => [key, (after.get(key) ?? []).toSorted()])),
    frames: [],
    lane: [],
    aside: [],
    kept: [],
  };
}

/** Steps that the declaration does not have stand below the others. */
function isAside(view: FlowView, step: FlowStep): boolean {
  return !view.learned && !step.declared;
}

/** Asks the worker for the places of a question, and asks again when it is another one. */
function usePlaces(asked: string | null): Placement | null {
  const worker = useRef<Worker | null>(null);
  const number = useRef(0);
  const [placement, setPlacement] = useState<Placement | null>(null);
  useEffect(() => {
    const made = makeWorker();
    made.onmessage = ({ data }: MessageEvent<Answer>) => {
      if (data.number === number.current) setPlacement(data.placement);
    };
    worker.current = made;
    return () => {
      made.terminate();
      worker.current = null;
    };
  }, []);
  useEffect(() => {
    if (asked === null) return;
    number.current += 1;
    // It was written by questionOf.
    const ask: Ask = { number: number.current, question: JSON.parse(asked) as Question };
    worker.current?.postMessage(ask);
  }, [asked]);
  return placement;
}

const PAD = 16;
/** Names can be read down to this; what is wider scrolls. */
const SCALE_MIN = 0.6;

function Drawn(props: FlowGraphProps & { readonly placement: Placement }): ReactNode {
  const { placement, view, step, onStep } = props;
  const steps = new Map(view.steps.map((one) => [one.key, one]));
  const first = firstFailing(view);
  const size = { width: placement.width + 2 * PAD, height: placement.height + 2 * PAD };
  const box = useRef<HTMLDivElement>(null);
  const width = useWidth(box);
  // Before the width is known nothing is made smaller.
  const scale = width === 0 ? 1 : Math.min(1, Math.max(SCALE_MIN, width / size.width));
  const aside = view.steps.filter((one) => isAside(view, one));
  const node = (one: FlowStep) => (
    <FlowNode step={one} isFirst={one === first} isLooked={one.key === step} onStep={onStep} />
  );
  return (
    <div className="flow-graph" ref={box}>
      <div style={{ height: size.height * scale }}>
        <ol
          style={{
            ...size,
            marginLeft: Math.max(0, (width - size.width * scale) / 2),
            transform: `scale(${scale})`,
          }}
        >
          <Lines placement={placement} />
          {byRank(placement.places).map((place) => {
            const one = steps.get(place.id);
            return (
              one && (
                <li key={place.id} style={placed(place)}>
                  {node(one)}
                </li>
              )
            );
          })}
        </ol>
      </div>
      {aside.length > 0 && (
        <div className="flow-aside">
          <h3>
            Not declared <span className="quiet">called, but not in the flow file</span>
          </h3>
          <ul>
            {aside.map((one) => (
              <li key={one.key}>{node(one)}</li>
            ))}
          </ul>
        </div>
      )}
    </div>
  );
}

function placed({ x, y }: Place): { readonly transform: string } {
  return { transform: `translate(${x + PAD}px, ${y + PAD}px)` };
}

function Lines({ placement }: { readonly placement: Placement }): ReactNode {
  const { lines, arrows, joints, width, height } = placement;
  const heads = arrows.map(({ x, y }) => `M${x - 4.5} ${y - 6}L${x} ${y - 1}L${x + 4.5} ${y - 6}`);
  const dots = joints.map(({ x, y }) => `M${x - 2.5} ${y}a2.5 2.5 0 1 0 5 0a2.5 2.5 0 1 0 -5 0`);
  return (
    <svg
      className="flow-lines"
      width={width + 2 * PAD}
      height={height + 2 * PAD}
      viewBox={`${-PAD} ${-PAD} ${width + 2 * PAD} ${height + 2 * PAD}`}
      aria-hidden="true"
    >
      <path className="edge" d={lines.map((line) => line.path).join("") + heads.join("")} />
      <path className="joint" d={dots.join("")} />
    </svg>
  );
}

interface FlowNodeProps {
  readonly step: FlowStep;
  /** No other step was the first to fail as often. */
  readonly isFirst: boolean;
  readonly isLooked: boolean;
  readonly onStep: (key: string) => void;
}

function FlowNode({ step, isFirst, isLooked, onStep }: FlowNodeProps): ReactNode {
  const { counts, p95Ms } = step;
  const wasCalled = counts.ok + counts.failed + counts.skipped > 0;
  const isMissing = counts.missing > 0;
  const shape = !wasCalled && isMissing ? "missing" : wasCalled ? "run" : "notReached";
  const classes = ["node", `shape-${shape}`, isFirst ? "is-failed hue-red" : ""];
  return (
    <button
      type="button"
      className={classes.filter((name) => name !== "").join(" ")}
      aria-pressed={isLooked}
      onClick={() => onStep(step.key)}
    >
      <Outline shape={shape} />
      <span className="node-line">
        <Name>{step.key}</Name>
        {p95Ms !== null && (
          <span className="took" title="95 of 100 calls took no longer">
            {`p95 ${duration(p95Ms)}`}
          </span>
        )}
      </span>
      <span className="node-about">
        <StepCountsMarks counts={counts} />
      </span>
    </button>
  );
}
