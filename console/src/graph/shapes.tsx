/** The outlines of nodes: each kind of step has its own, so that a graph can be read without words. */

import type { ReactNode } from "react";
import { NODE_HEIGHT, NODE_WIDTH } from "../model/boxes.ts";
import type { Shape } from "../model/graph-view.ts";

const ROUND_MAX = 8;
const POINT_MAX = 14;

interface Size {
  readonly width: number;
  readonly height: number;
}

/** Returns the outline of a shape as a path of SVG, half a pixel inside of its size. */
function outline(shape: Shape, { width, height }: Size): string {
  const [right, foot, middle] = [width - 0.75, height - 0.75, height / 2];
  const edge = 0.75;
  // In the legend a corner or point of the size of a node's would leave no straight side.
  const round = Math.min(ROUND_MAX, height / 4);
  const point = Math.min(POINT_MAX, height * 0.4);
  switch (shape) {
    case "wait":
      return `M${edge} ${edge}H${right - round}a${round} ${round} 0 0 1 ${round} ${round}V${foot - round}a${round} ${round} 0 0 1 ${-round} ${round}H${edge}L${edge + point} ${middle}z`;
    case "emit":
      return `M${edge + round} ${edge}H${right - point}L${right} ${middle} ${right - point} ${foot}H${edge + round}a${round} ${round} 0 0 1 ${-round} ${-round}V${edge + round}a${round} ${round} 0 0 1 ${round} ${-round}z`;
    case "compensation":
      return `M${edge} ${middle}L${edge + point} ${edge}H${right - round}a${round} ${round} 0 0 1 ${round} ${round}V${foot - round}a${round} ${round} 0 0 1 ${-round} ${round}H${edge + point}z`;
    default: {
      const r = shape === "sleep" ? height / 2 - edge : round;
      return `M${edge + r} ${edge}H${right - r}a${r} ${r} 0 0 1 ${r} ${r}V${foot - r}a${r} ${r} 0 0 1 ${-r} ${r}H${edge + r}a${r} ${r} 0 0 1 ${-r} ${-r}V${edge + r}a${r} ${r} 0 0 1 ${r} ${-r}z`;
    }
  }
}

/** Draws the outline of a node. */
export function Outline({
  shape,
  size = { width: NODE_WIDTH, height: NODE_HEIGHT },
}: {
  readonly shape: Shape;
  readonly size?: Size;
}): ReactNode {
  const { width, height } = size;
  const small = height < NODE_HEIGHT;
  const inset = small ? 2.5 : 4;
  const card = small ? 2.5 : 5;
  return (
    <svg className="outline" width={width} height={height} aria-hidden="true">
      {shape === "many" &&
        [2, 1].map((at) => (
          <path
            key={at}
            className="card"
            d={outline("run", { width, height })}
            transform={`translate(${at * card} ${-at * card})`}
          />
        ))}
      <path className="box" d={outline(shape, { width, height })} />
      {shape === "child" && (
        <rect
          className="inner"
          x={inset}
          y={inset}
          width={width - 2 * inset}
          height={height - 2 * inset}
          rx={small ? 1.5 : 5}
        />
      )}
    </svg>
  );
}

const LEGEND: readonly (readonly [Shape, string])[] = [
  ["run", "Run"],
  ["wait", "Wait"],
  ["emit", "Emit"],
  ["sleep", "Sleep"],
  ["child", "Child"],
  ["skip", "Skip"],
  ["many", "Many"],
  ["compensation", "Compensate"],
];

const OBSERVED: readonly (readonly [Shape, string])[] = [
  ["run", "Called"],
  ["skip", "Skipped"],
  ["missing", "Missing"],
  ["notReached", "Not reached"],
];

const SAMPLE = { width: 26, height: 14 };

/** Shows what each outline says. */
export function Legend({ isObserved }: { readonly isObserved: boolean }): ReactNode {
  return (
    <dl className="legend" aria-label="Shapes">
      {(isObserved ? OBSERVED : LEGEND).map(([shape, words]) => (
        <div key={shape} className={`shape-${shape} hue-${shape === "missing" ? "amber" : "grey"}`}>
          <dt>
            <Outline shape={shape} size={SAMPLE} />
          </dt>
          <dd>{words}</dd>
        </div>
      ))}
      {isObserved ? <Ways /> : <Race />}
    </dl>
  );
}

function Race(): ReactNode {
  return (
    <div>
      <dt>
        <svg className="outline" width={26} height={14} aria-hidden="true">
          <rect className="race" x={0.75} y={0.75} width={24.5} height={12.5} rx={3} />
        </svg>
      </dt>
      <dd>Race</dd>
    </div>
  );
}

/** What the lines between steps say: where the run went, and where it did not. */
function Ways(): ReactNode {
  return [
    ["edge", "Went"],
    ["edge dotted", "Did not go"],
  ].map(([line, words]) => (
    <div key={words}>
      <dt>
        <svg className="way" width={26} height={14} aria-hidden="true">
          <path className={line} d="M1 7H25" />
        </svg>
      </dt>
      <dd>{words}</dd>
    </div>
  ));
}
