/** A node of the graph: its outline says the kind, its glyph the status, its words the rest. */

import { useStore } from "@xyflow/react";
import { memo, type ReactNode } from "react";
import { Counts, FanOutTook, StepNote, Took } from "../list/row.tsx";
import { spreadPlace } from "../model/boxes.ts";
import { type Dialect, wholeStepWord } from "../model/dialects.ts";
import { type GraphNode, stepsOf } from "../model/graph.ts";
import {
  hasFailed,
  isOpen,
  nodeLabel,
  nodeName,
  nodeStatus,
  shapeOf,
} from "../model/graph-view.ts";
import { wasCalled } from "../model/observed-run.ts";
import { fanOutName, tally } from "../model/parallel.ts";
import { isFailure, type Step } from "../model/run.ts";
import { kindWords, standing } from "../model/step-words.ts";
import { count, counted, ordinal } from "../model/words.ts";
import { useDialect } from "../ui/dialect.ts";
import { hueOf } from "../ui/glyph.tsx";
import { Icon } from "../ui/icon.tsx";
import { StepGlyph, StepWord } from "../ui/step-status.tsx";
import { Foreign, Name } from "../ui/text.tsx";
import { Outline } from "./shapes.tsx";

/** Below this zoom words cannot be read. */
const READABLE = 0.4;

/** How a node stands out from the others. */
export interface NodeLook {
  readonly isSelected: boolean;
  /** It is not what is looked for: a dot. */
  readonly isDot: boolean;
  /** Its branch lost a race. */
  readonly isLost: boolean;
  /** It has just been added. */
  readonly isNew: boolean;
}

export interface NodeProps extends NodeLook {
  readonly node: GraphNode;
  /** What it came after and what came then, in words. */
  readonly edges: string;
  readonly found: string;
  readonly onSelect: (node: GraphNode) => void;
  readonly onEnter: (node: GraphNode) => void;
  readonly onSelectStep: (step: Step) => void;
}

/** Shows a node. */
export const NodeView = memo(function NodeView(props: NodeProps): ReactNode {
  const { node, isDot } = props;
  const isFar = useStore((store) => store.transform[2] < READABLE);
  if (isDot) return <Dot {...props} />;
  if (isFar && node.type !== "spread") return <Far {...props} />;
  if (node.type === "spread") return <Spread {...props} node={node} />;
  return (
    <NodeButton
      {...props}
      onSelect={() => props.onSelect(node)}
      onEnter={() => props.onEnter(node)}
    />
  );
});

/** A node from far away: its words could not be read, so it has none that are drawn. */
function Far({ node, isSelected, onSelect, edges }: NodeProps): ReactNode {
  const dialect = useDialect();
  const open = isOpen(node) ? "is-open" : hasFailed(node) ? "is-failed" : "";
  return (
    <button
      type="button"
      className={`node shape-${shapeOf(node)} hue-${hueOf(nodeStatus(node))} ${open}`}
      title={nodeName(node)}
      aria-pressed={isSelected}
      aria-label={`${nodeWords(node, dialect)}. ${edges}`}
      onClick={() => onSelect(node)}
    >
      <Outline shape={shapeOf(node)} />
    </button>
  );
}

function Dot({ node, onSelect, edges }: NodeProps): ReactNode {
  const words = nodeWords(node, useDialect());
  return (
    <button
      type="button"
      className={`node-dot nopan hue-${hueOf(nodeStatus(node))}`}
      title={nodeName(node)}
      aria-label={`${words}. ${edges}`}
      onClick={() => onSelect(node)}
    />
  );
}

interface ButtonProps extends NodeLook {
  readonly node: GraphNode;
  readonly edges: string;
  readonly found: string;
  readonly onSelect: () => void;
  readonly onEnter: () => void;
}

function NodeButton(props: ButtonProps): ReactNode {
  const { node, isSelected } = props;
  const status = nodeStatus(node);
  const shape = shapeOf(node);
  const isRunning = status === "running" || (node.type !== "step" && isOpen(node));
  const classes = [
    "node",
    `shape-${shape}`,
    `hue-${hueOf(status)}`,
    isOpen(node) ? "is-open" : "",
    hasFailed(node) && node.type === "step" ? "is-failed" : "",
    props.isLost ? "is-lost" : "",
    props.isNew ? "is-new" : "",
  ];
  return (
    <button
      type="button"
      className={classes.filter((name) => name !== "").join(" ")}
      data-node={node.id}
      aria-pressed={isSelected}
      aria-description={props.edges}
      onClick={props.onSelect}
      onDoubleClick={props.onEnter}
      onKeyDown={(event) => {
        if (event.key !== "Enter" || !isSelected) return;
        event.preventDefault();
        props.onEnter();
      }}
    >
      <Outline shape={shape} />
      <span className="node-line">
        <StepGlyph status={status} />
        <Name found={props.found}>{nodeLabel(node)}</Name>
        {node.type === "step" ? (
          !isUncalled(node.step) && <Took step={node.step} />
        ) : (
          <span className="took">{`×${count(stepsOf(node).length)}`}</span>
        )}
      </span>
      <span className="node-about">
        {node.type === "step" ? (
          <>
            <StepWord step={node.step} />
            <About step={node.step} />
          </>
        ) : (
          <Counts steps={stepsOf(node)} />
        )}
      </span>
      {isRunning && (
        <span className="travel" aria-hidden="true">
          <i />
        </span>
      )}
    </button>
  );
}

/** An observed step that was not called took no time. */
function isUncalled({ kind, status }: Step): boolean {
  return kind === "observed" && !wasCalled(status);
}

/** The second line: its kind, and the one fact that matters. */
function About({ step }: { readonly step: Step }): ReactNode {
  if (step.kind !== "observed" && isFailure(step) && step.error !== null) {
    return (
      <span className="hue-red in-hue">
        {step.kind === "compensate" && "compensation, "}
        <Foreign>{`${step.error.name}: ${step.error.message.split("\n")[0] ?? ""}`}</Foreign>
      </span>
    );
  }
  return (
    <>
      <span className="kind">
        <Foreign>{aboutWords(step)}</Foreign>
      </span>
      <StepNote step={step} />
    </>
  );
}

/** Says the kind of a step, and for one that runs, where. */
export function aboutWords(step: Step): string {
  const last = step.attempts.at(-1);
  if (step.kind === "run" && step.status === "running" && last !== undefined) {
    const which = step.attempts.length === 1 ? `, ${ordinal(last.n)} attempt` : "";
    return `run on ${last.runner}${which}`;
  }
  if (step.kind === "compensate") return "compensation";
  return kindWords(step).replace(/^wait for /, "");
}

/** Says a node for readers of screens. */
export function nodeWords(node: GraphNode, dialect: Dialect): string {
  if (node.type === "step") {
    const { step } = node;
    const words = [nodeName(node), kindWords(step), wholeStepWord(step.status, dialect)];
    const tried = step.attempts.length > 1 ? [standing(step)] : [];
    return [...words, ...tried].filter((part) => part !== "").join(", ");
  }
  const { total, ok, failed, open } = tally(stepsOf(node));
  const counts = [`${count(ok)} ok`, `${count(failed)} failed`, `${count(open)} in flight`];
  return [nodeName(node), counted(total, "step"), ...counts].join(", ");
}

/** A fan-out with some of its members as nodes, in a frame. */
function Spread(
  props: NodeProps & { readonly node: Extract<GraphNode, { type: "spread" }> },
): ReactNode {
  const { node, onSelect, onEnter, onSelectStep } = props;
  const { group, shown } = node;
  const rest = group.steps.length - shown.length;
  const name = fanOutName(group);
  return (
    <div className={props.isSelected ? "spread selected" : "spread"}>
      <div className="spread-head">
        <button type="button" className="plain" onClick={() => onSelect(node)}>
          <StepGlyph status={nodeStatus(node)} label="word" />
          <Name>{name}</Name>
          <span className="kind">×{count(group.steps.length)}</span>
        </button>
        <Counts steps={group.steps} />
        {rest > 0 && <span className="kind">{`${count(shown.length)} shown, failed first`}</span>}
        <FanOutTook steps={group.steps} />
        <button type="button" className="plain" onClick={() => onEnter(node)}>
          Gather <Icon name="close" size={10} />
        </button>
      </div>
      {shown.map((step, at) => {
        const { x, y } = spreadPlace(at);
        return (
          <div
            key={step.id}
            className="spread-at"
            style={{ transform: `translate(${x}px, ${y}px)` }}
          >
            <NodeButton
              node={{ type: "step", id: step.id, step }}
              edges=""
              found={props.found}
              isSelected={false}
              isDot={false}
              isLost={false}
              isNew={false}
              onSelect={() => onSelectStep(step)}
              onEnter={() => onSelectStep(step)}
            />
          </div>
        );
      })}
    </div>
  );
}
