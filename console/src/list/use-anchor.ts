/** Keeps the place in a list by what stands there, and not by pixels: what comes above moves nothing. */

import type { Virtualizer } from "@tanstack/react-virtual";
import { type RefObject, useLayoutEffect, useRef } from "react";
import type { Row } from "../model/rows.ts";

interface Anchor {
  readonly key: string;
  /** How far its row begins above the top of what is seen. */
  readonly above: number;
}

/** Scrolls to the row that was the first that is seen, when `rows` or their heights (`looks`) change. */
export function useAnchor(
  rows: readonly Row[],
  looks: string,
  virtual: Virtualizer<HTMLDivElement, Element>,
  scroller: RefObject<HTMLDivElement | null>,
): void {
  const anchor = useRef<Anchor | null>(null);
  const before = useRef({ rows, looks });
  useLayoutEffect(() => {
    const node = scroller.current;
    if (node === null) return;
    if (before.current.rows !== rows || before.current.looks !== looks) {
      before.current = { rows, looks };
      virtual.measure();
      const { current } = anchor;
      const at = current === null ? -1 : rows.findIndex((row) => row.key === current.key);
      const start = at < 0 ? undefined : virtual.getOffsetForIndex(at, "start")?.[0];
      const item = start === undefined ? undefined : virtual.measurementsCache[at];
      if (current !== null && item !== undefined) node.scrollTop = item.start + current.above;
    }
    const top = node.scrollTop;
    const first = virtual.getVirtualItems().find((item) => item.end > top);
    const row = first === undefined ? undefined : rows[first.index];
    // At the top stays at the top, where new rows may come.
    anchor.current =
      top === 0 || row === undefined || first === undefined
        ? null
        : { key: row.key, above: top - first.start };
  });
}
