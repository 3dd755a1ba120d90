/** The overview: all of the run in true proportion, and the brush that chooses what is seen below. */

import { type PointerEvent, type ReactNode, useMemo, useRef, useState } from "react";
import type { Stretch } from "../model/spans.ts";
import { type Lane, marksOf, type Times } from "../model/timeline.ts";

const HEIGHT = 28;
const LANES: readonly (readonly [Lane, number])[] = [
  ["world", 15],
  ["backoff", 6],
  ["work", 6],
  ["failed", 6],
];
const HANDLE_PX = 7;
/** A drag that is shorter is a click. */
const DRAG_PX_MIN = 4;

interface OverviewProps {
  readonly times: Times;
  readonly whole: Stretch;
  readonly window: Stretch;
  readonly width: number;
  readonly onShow: (window: Stretch) => void;
  readonly onFit: () => void;
}

/** What was when: a lane for each sort of time. */
function Marks(props: {
  readonly times: Times;
  readonly x: (at: number) => number;
  readonly msPerPx: number;
}): ReactNode {
  const { times, x, msPerPx } = props;
  const lanes = useMemo(
    () => LANES.map(([lane, y]) => ({ lane, y, marks: marksOf(times.spans, lane, msPerPx) })),
    [times, msPerPx],
  );
  return lanes.map(({ lane, y, marks }) =>
    marks.map((mark) => (
      <rect
        key={`${lane} ${mark.from}`}
        className={`mark-${lane}`}
        x={x(mark.from)}
        y={y}
        width={Math.max(x(mark.to) - x(mark.from), 1)}
        height={6}
      />
    )),
  );
}

/** Shows the overview. Dragging chooses a window, a double click all. */
export function Overview({ times, whole, window, width, onShow, onFit }: OverviewProps): ReactNode {
  const msPerPx = (whole.to - whole.from) / Math.max(width, 1);
  const x = (at: number) => (at - whole.from) / msPerPx;
  // Where the other end of what is being dragged stays.
  const drag = useRef<number | null>(null);
  const [brush, setBrush] = useState<Stretch | null>(null);
  const at = (event: PointerEvent<SVGSVGElement>) => {
    const left = event.currentTarget.getBoundingClientRect().left;
    const place = Math.min(Math.max(event.clientX - left, 0), width);
    return whole.from + place * msPerPx;
  };
  const begin = (event: PointerEvent<SVGSVGElement>) => {
    event.currentTarget.setPointerCapture(event.pointerId);
    const [from, to] = [x(window.from), x(window.to)];
    const place = x(at(event));
    // At an edge of the window that edge is dragged, elsewhere a new window is drawn.
    if (Math.abs(place - from) < HANDLE_PX) drag.current = window.to;
    else if (Math.abs(place - to) < HANDLE_PX) drag.current = window.from;
    else drag.current = at(event);
  };
  const move = (event: PointerEvent<SVGSVGElement>) => {
    if (drag.current === null) return;
    const end = at(event);
    setBrush({ from: Math.min(drag.current, end), to: Math.max(drag.current, end) });
  };
  const end = () => {
    if (brush !== null && (brush.to - brush.from) / msPerPx >= DRAG_PX_MIN) onShow(brush);
    drag.current = null;
    setBrush(null);
  };
  const seen = brush ?? window;
  return (
    <svg
      className="overview"
      width={width}
      height={HEIGHT}
      aria-hidden="true"
      onPointerDown={begin}
      onPointerMove={move}
      onPointerUp={end}
      onPointerCancel={end}
      onDoubleClick={onFit}
    >
      <Marks times={times} x={x} msPerPx={msPerPx} />
      <rect className="unseen" x={0} y={0} width={Math.max(x(seen.from), 0)} height={HEIGHT} />
      <rect
        className="unseen"
        x={x(seen.to)}
        y={0}
        width={Math.max(width - x(seen.to), 0)}
        height={HEIGHT}
      />
      <rect
        className="seen"
        x={x(seen.from) + 0.5}
        y={0.5}
        width={Math.max(x(seen.to) - x(seen.from) - 1, 2)}
        height={HEIGHT - 1}
        rx={4}
      />
      {[seen.from, seen.to].map((edge, index) => (
        <rect
          key={index === 0 ? "from" : "to"}
          className="handle"
          x={Math.min(Math.max(x(edge) - 3, 0), width - 6)}
          y={7}
          width={6}
          height={14}
          rx={3}
        />
      ))}
    </svg>
  );
}
