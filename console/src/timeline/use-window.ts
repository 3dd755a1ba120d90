/** The window of time that the timeline shows. It stands in the address, as milliseconds from the start. */

import { useCallback, useMemo } from "react";
import type { Stretch } from "../model/spans.ts";
import { goQuery, useQuery } from "../route.ts";

const LEAST_MS = 0.05;

export interface TimeWindow {
  readonly window: Stretch;
  /** It is not all of the run. */
  readonly isZoomed: boolean;
  readonly show: (window: Stretch) => void;
  readonly showAll: () => void;
  /** Makes what is seen larger by a factor over 1, smaller below, about an instant. */
  readonly zoom: (factor: number, about?: number) => void;
  /** Moves by a share of the window. */
  readonly pan: (share: number) => void;
}

/** Returns the window, and how to change it. */
export function useWindow(whole: Stretch, isOpen: boolean): TimeWindow {
  const query = useQuery();
  const [from, to] = [query.get("from"), query.get("to")];
  const window = useMemo(() => windowOf(whole, from, to, isOpen), [whole, from, to, isOpen]);
  const show = useCallback(
    (next: Stretch) => {
      const inside = within(limit(whole, next, isOpen), next);
      goQuery(
        {
          from: (inside.from - whole.from).toFixed(3),
          to: (inside.to - whole.from).toFixed(3),
        },
        "replace",
      );
    },
    [whole, isOpen],
  );
  const showAll = useCallback(() => goQuery({ from: null, to: null }, "replace"), []);
  const length = window.to - window.from;
  return {
    window,
    isZoomed: from !== null && to !== null,
    show,
    showAll,
    zoom: (factor, about = window.from + length / 2) => {
      const share = (about - window.from) / length;
      const next = Math.max(length / factor, LEAST_MS);
      if (next >= whole.to - whole.from) showAll();
      else show({ from: about - share * next, to: about + (1 - share) * next });
    },
    pan: (share) => show({ from: window.from + share * length, to: window.to + share * length }),
  };
}

/** Reads a window from an address; what cannot be one is all of the run. */
export function windowOf(
  whole: Stretch,
  from: string | null,
  to: string | null,
  isOpen = false,
): Stretch {
  const [begin, end] = [Number.parseFloat(from ?? ""), Number.parseFloat(to ?? "")];
  if (!(end - begin >= LEAST_MS)) return whole;
  const window = { from: whole.from + begin, to: whole.from + end };
  return within(limit(whole, window, isOpen), window);
}

/** How far a window may go: of an open run half of itself beyond the end, where time is still to come. */
function limit(whole: Stretch, window: Stretch, isOpen: boolean): Stretch {
  if (!isOpen || window.to - window.from >= whole.to - whole.from) return whole;
  return { from: whole.from, to: whole.to + (window.to - window.from) / 2 };
}

/** Moves a window into the whole, as long as it is. */
export function within(whole: Stretch, window: Stretch): Stretch {
  const length = Math.min(window.to - window.from, whole.to - whole.from);
  const from = Math.min(Math.max(window.from, whole.from), whole.to - length);
  return { from, to: from + length };
}
