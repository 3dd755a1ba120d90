/** Keeps the place in a list by what stands there, and not by pixels: what comes above moves nothing. */

import type { VirtualItem, Virtualizer } from "@tanstack/react-virtual";
import { type RefObject, useLayoutEffect, useRef } from "react";
import type { Row } from "../model/rows.ts";

/** Keeps the first row that is seen where it is when `rows` or their heights, which `items` tell, change. */
export function useAnchor(
  rows: readonly Row[],
  virtual: Virtualizer<HTMLDivElement, Element>,
  scroller: RefObject<HTMLDivElement | null>,
): void {
  const items = virtual.measurementsCache;
  const before = useRef({ rows, items });
  useLayoutEffect(() => {
    const old = before.current;
    before.current = { rows, items };
    const node = scroller.current;
    // Nothing is read while one scrolls: that would lay out the page once more.
    if (node === null || old.items === items || old.items.length === 0) return;
    const by = shift(old, { rows, items }, topOf(node, virtual.scrollOffset ?? 0));
    if (Math.abs(by) >= 1) node.scrollTop += by;
  });
}

/** Where the eye is now. A list that became shorter may have been moved already. */
function topOf(node: HTMLElement, told: number): number {
  const isAtEnd = node.scrollTop + node.clientHeight >= node.scrollHeight - 1;
  return isAtEnd ? Math.max(node.scrollTop, told) : node.scrollTop;
}

interface Laid {
  readonly rows: readonly Row[];
  readonly items: readonly Pick<VirtualItem, "start" | "end">[];
}

/** Says by how much the row at `top` moved; at the top stays at the top, where new rows may come. */
export function shift(old: Laid, now: Laid, top: number): number {
  if (top <= 0) return 0;
  const at = firstSeen(old.items, top);
  const key = old.rows[at]?.key;
  if (key === undefined) return 0;
  // Where nothing came or went above it is at the same place.
  const next = now.rows[at]?.key === key ? at : now.rows.findIndex((row) => row.key === key);
  const [from, to] = [old.items[at]?.start, now.items[next]?.start];
  return from === undefined || to === undefined ? 0 : to - from;
}

function firstSeen(items: Laid["items"], top: number): number {
  let [low, high] = [0, items.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((items[middle]?.end ?? 0) > top) high = middle;
    else low = middle + 1;
  }
  return low;
}
