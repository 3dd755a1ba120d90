/** The graph's controls in the bar: follow, shapes, fit, zoom. */

import { useStore } from "@xyflow/react";
import type { ReactNode } from "react";
import { createPortal } from "react-dom";

interface ControlsProps {
  /** Where they stand; null while the bar is not there. */
  readonly slot: HTMLElement | null;
  /** Null where nothing runs that could be followed. */
  readonly following: boolean | null;
  readonly onFollow: () => void;
  readonly withShapes: boolean;
  readonly onShapes: () => void;
  readonly onFit: () => void;
  readonly onZoom: (by: number) => void;
  readonly onActual: () => void;
}

/** Shows the controls. */
export function Controls(props: ControlsProps): ReactNode {
  if (props.slot === null) return null;
  return createPortal(
    <>
      {props.following !== null && (
        <button
          type="button"
          className="follow"
          aria-pressed={props.following}
          aria-keyshortcuts="."
          onClick={props.onFollow}
        >
          Follow <span className="wide">running steps</span> <kbd>.</kbd>
        </button>
      )}
      <button
        type="button"
        className="plain shapes"
        aria-pressed={props.withShapes}
        onClick={props.onShapes}
      >
        Shapes
      </button>
      <button type="button" className="plain" aria-keyshortcuts="0" onClick={props.onFit}>
        Fit <kbd>0</kbd>
      </button>
      <Zoom onZoom={props.onZoom} onActual={props.onActual} />
    </>,
    props.slot,
  );
}

function Zoom({ onZoom, onActual }: Pick<ControlsProps, "onZoom" | "onActual">): ReactNode {
  const zoom = useStore((store) => store.transform[2]);
  const words = `${Math.round(zoom * 100)}\u00a0%`;
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for what is filled in
    <div className="zoom" role="group" aria-label="Zoom">
      <button
        type="button"
        aria-label="Zoom out"
        aria-keyshortcuts="-"
        onClick={() => onZoom(1 / 1.25)}
      >
        −
      </button>
      <button type="button" title="Actual size" onClick={onActual}>
        {words}
      </button>
      <button type="button" aria-label="Zoom in" aria-keyshortcuts="+" onClick={() => onZoom(1.25)}>
        +
      </button>
    </div>
  );
}
