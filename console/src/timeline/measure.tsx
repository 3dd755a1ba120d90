/** Measures time: a drag over the canvas marks a span, and says how long it is before anything is zoomed. */

import { type PointerEvent, type ReactNode, useEffect, useRef, useState } from "react";
import { type Axis, instantAt, xOf } from "../model/axis.ts";
import type { Stretch } from "../model/spans.ts";
import { duration } from "../model/words.ts";

/** A drag that is shorter is a click. */
const DRAG_PX_MIN = 5;

export interface Measure {
  readonly span: Stretch | null;
  readonly clear: () => void;
  readonly onPointerDown: (event: PointerEvent) => void;
  readonly onPointerMove: (event: PointerEvent) => void;
  readonly onPointerUp: (event: PointerEvent) => void;
}

/** Returns what has been measured on an axis that begins `left` pixels from the edge, and how to measure. */
export function useMeasure(axis: Axis, left: number): Measure {
  const begun = useRef<number | null>(null);
  const [span, setSpan] = useState<Stretch | null>(null);
  const clear = () => {
    begun.current = null;
    setSpan(null);
  };
  const placeOf = (event: PointerEvent) =>
    event.clientX - event.currentTarget.getBoundingClientRect().left - left;
  return {
    span,
    clear,
    onPointerDown: (event) => {
      const place = placeOf(event);
      const isOnButton = event.target instanceof Element && event.target.closest("button") !== null;
      if (event.button !== 0 || event.pointerType === "touch" || isOnButton || place < 0) return;
      clear();
      begun.current = place;
    },
    onPointerMove: (event) => {
      if (begun.current === null || event.buttons === 0) return;
      const [from, to] = [begun.current, placeOf(event)].sort((a, b) => a - b);
      if (from === undefined || to === undefined || to - from < DRAG_PX_MIN) return;
      setSpan({ from: instantAt(axis, Math.max(from, 0)), to: instantAt(axis, to) });
    },
    onPointerUp: () => {
      begun.current = null;
    },
  };
}

interface MeasuredProps {
  readonly axis: Axis;
  readonly span: Stretch;
  readonly onClear: () => void;
  readonly onZoom: (span: Stretch) => void;
}

/** Shows a measured span with its length, and offers to zoom to it. */
export function Measured({ axis, span, onClear, onZoom }: MeasuredProps): ReactNode {
  const [from, to] = [xOf(axis, span.from), xOf(axis, span.to)];
  const zoom = () => {
    onClear();
    onZoom(span);
  };
  const keys = useRef<Readonly<Record<string, () => void>>>({});
  useEffect(() => {
    keys.current = { Escape: onClear, Enter: zoom };
  });
  useEffect(() => {
    // It is the topmost layer, so its keys come before those of the page.
    const press = (event: KeyboardEvent) => {
      const act = keys.current[event.key];
      if (act === undefined) return;
      event.preventDefault();
      event.stopPropagation();
      act();
    };
    addEventListener("keydown", press, true);
    return () => removeEventListener("keydown", press, true);
  }, []);
  return (
    <div className="measure" style={{ width: to - from, transform: `translateX(${from}px)` }}>
      <div>
        {duration(span.to - span.from)}
        <button type="button" onClick={zoom}>
          Zoom
        </button>
      </div>
    </div>
  );
}
