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

/** Shows the overview. Dragging chooses a window, a double click all. */
export function Overview({ times, whole, window, width, onShow, onFit }: OverviewProps): ReactNode {
  const msPerPx = (whole.to - whole.from) / Math.max(width, 1);
  const x = (at: number) => (at - whole.from) / msPerPx;
  const lanes = useMemo(
    () => LANES.map(([lane, y]) => ({ lane, y, marks: marksOf(times.spans, lane, msPerPx) })),
    [times, msPerPx],
  );
  const drag = useRef<number | null>(null);
  const [brush, setBrush] = useState<Stretch | null>(null);
  const at = (event: PointerEvent<SVGSVGElement>) => {
    const left = event.currentTarget.getBoundingClientRect().left;
    const place = Math.min(Math.max(event.clientX - left, 0), width);
    return whole.from + place * msPerPx;
  };
  const begin = (event: PointerEvent<SVGSVGElement>) => {
    event.currentTarget.setPointerCapture(event.pointerId);
    drag.current = at(event);
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
      {lanes.map(({ lane, y, marks }) =>
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
      )}
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
    </svg>
  );
}
