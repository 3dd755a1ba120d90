/** The lines between nodes. They are one path for all, so that 10,000 steps cost no more than ten. */

import { ViewportPortal } from "@xyflow/react";
import { memo, type ReactNode, useMemo } from "react";
import { around, type Box, LANE_GAP } from "../model/boxes.ts";
import type { Line } from "../model/edge-paths.ts";
import type { Placement } from "../model/placement.ts";

interface EdgesProps {
  readonly placement: Placement;
  /** The node whose edges are in ink. */
  readonly selected: string | null;
  /** Nodes of branches that won a race: what leads to them and from them is in ink. */
  readonly winners: ReadonlySet<string>;
  /** Lines between nodes that are dots are faint. */
  readonly dots: ReadonlySet<string>;
  /** Where the graph was declared, the nodes that were called: between others nothing went. */
  readonly called: ReadonlySet<string> | null;
}

/** Shows the edges, the frames of races, and the dashed lines from the clean-up to its steps. */
export const Edges = memo(function Edges(props: EdgesProps): ReactNode {
  const { placement, selected, winners, dots, called } = props;
  const drawn = useMemo(
    () => paths({ placement, selected, winners, dots, called }),
    [placement, selected, winners, dots, called],
  );
  const { width, height } = placement;
  const lane = useMemo(() => laneOf(placement), [placement]);
  return (
    <ViewportPortal>
      <svg className="edges" width={width + 40} height={height + 40} aria-hidden="true">
        {placement.frames.map((frame) => (
          <rect
            key={frame.id}
            className="race"
            x={frame.x}
            y={frame.y}
            width={frame.width}
            height={frame.height}
            rx={14}
          />
        ))}
        {placement.asideX !== null && <Aside x={placement.asideX} />}
        <path className="edge faint" d={drawn.faint} />
        <path className="edge dotted" d={drawn.dotted} />
        <path className="edge" d={drawn.plain} />
        <path className="back" d={drawn.backs} />
        <path className="edge ink" d={drawn.ink} />
        {lane !== null && (
          <text className="lane-name" x={lane.x + 2} y={lane.y - 12}>
            Clean-up, newest first
          </text>
        )}
        <path className="joint" d={drawn.joints} />
      </svg>
    </ViewportPortal>
  );
});

/** Further than anybody looks. */
const FAR = 20_000;

/** The ground of the lane of steps that nobody declared, and what they are. */
function Aside({ x }: { readonly x: number }): ReactNode {
  return (
    <g className="aside">
      <rect x={x} y={-FAR / 2} width={FAR} height={FAR} />
      <path d={`M${x} ${-FAR / 2}V${FAR / 2}`} />
      <text className="aside-name" x={x + LANE_GAP} y={14}>
        Not declared
      </text>
      <text x={x + LANE_GAP} y={32}>
        Called, but not in the flow file. Add it
      </text>
      <text x={x + LANE_GAP} y={50}>
        there, then <tspan className="code">stepwell flows push</tspan>.
      </text>
    </g>
  );
}

/** The box of what takes steps back; null where nothing does. */
function laneOf(placement: Placement): Box | null {
  const ids = new Set(placement.backs.map((back) => back.from));
  return around(placement.places.filter((one) => ids.has(one.id)));
}

function paths({ placement, selected, winners, dots, called }: EdgesProps) {
  const one = (ids: readonly string[]) => (ids.length === 1 ? (ids[0] ?? "") : "");
  const isInk = (from: readonly string[], to: readonly string[]) =>
    (selected !== null && (from.includes(selected) || to.includes(selected))) ||
    winners.has(one(to)) ||
    winners.has(one(from));
  const isFaint = (line: Pick<Line, "from" | "to">) =>
    dots.size > 0 && (line.from.every((id) => dots.has(id)) || line.to.every((id) => dots.has(id)));
  const went = ({ from, to }: Pick<Line, "from" | "to">) =>
    called === null || (from.some((id) => called.has(id)) && to.some((id) => called.has(id)));
  const reached = new Set(placement.lines.filter(went).flatMap((line) => one(line.to)));
  let [plain, ink, faint, dotted] = ["", "", "", ""];
  for (const line of placement.lines) {
    if (isFaint(line)) faint += line.path;
    else if (!went(line)) dotted += line.path;
    else if (isInk(line.from, line.to)) ink += line.path;
    else plain += line.path;
  }
  for (const { x, y, to } of placement.arrows) {
    const head = `M${x - 4.5} ${y - 6}L${x} ${y - 1}L${x + 4.5} ${y - 6}`;
    if (dots.has(to)) faint += head;
    else if (reached.has(to) && (to === selected || winners.has(to))) ink += head;
    else plain += head;
  }
  const joints = placement.joints
    .map(({ x, y }) => `M${x - 2.5} ${y}a2.5 2.5 0 1 0 5 0a2.5 2.5 0 1 0 -5 0`)
    .join("");
  const backs = placement.backs
    .filter((back) => !dots.has(back.from))
    .map((back) => back.path)
    .join("");
  return { plain, ink, faint, dotted, joints, backs };
}
