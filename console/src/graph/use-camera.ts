/** The camera over the graph: where it looks at first, and what keys and controls make of it. */

import { useReactFlow, useStoreApi } from "@xyflow/react";
import { useCallback, useMemo } from "react";
import type { Box } from "../model/boxes.ts";
import { centred, fitted, type Room, shown, type Viewport } from "../model/viewport.ts";

const MOVE_MS = 200;

export interface Camera {
  readonly fit: () => void;
  readonly zoomBy: (factor: number) => void;
  readonly actual: () => void;
  readonly pan: (x: number, y: number) => void;
  /** Moves only as far as a box needs to be seen. */
  readonly reveal: (box: Box) => void;
  readonly centre: (box: Box) => void;
}

/** Returns the camera of a graph of some size. */
export function useCamera(bounds: Box, sides: Pick<Room, "gutter" | "right">): Camera {
  const { gutter, right } = sides;
  const flow = useReactFlow();
  const store = useStoreApi();
  const go = useCallback(
    (view: Viewport) => {
      const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
      void flow.setViewport(view, { duration: still ? 0 : MOVE_MS });
    },
    [flow],
  );
  return useMemo(() => {
    const room = (): Room => ({
      width: store.getState().width,
      height: store.getState().height,
      ...{ gutter, right },
    });
    const zoomTo = (zoom: number) => void flow.zoomTo(zoom);
    return {
      fit: () => go(fitted(bounds, room())),
      zoomBy: (factor) => zoomTo(flow.getZoom() * factor),
      actual: () => zoomTo(1),
      pan: (x, y) => {
        const view = flow.getViewport();
        void flow.setViewport({ ...view, x: view.x + x, y: view.y + y });
      },
      reveal: (box) => {
        const view = flow.getViewport();
        const next = shown(box, room(), view);
        if (next.x !== view.x || next.y !== view.y) go(next);
      },
      centre: (box) => go(centred(box, room(), flow.getZoom(), bounds)),
    };
  }, [flow, store, go, bounds, gutter, right]);
}
