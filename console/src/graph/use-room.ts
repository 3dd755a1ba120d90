/** How much room the graph has. */

import { type RefObject, useLayoutEffect, useState } from "react";
import type { Room } from "../model/viewport.ts";

/** Returns the room of an element when it was first shown; null until it is known. */
export function useRoom(
  element: RefObject<HTMLElement | null>,
  sides: Pick<Room, "gutter" | "right">,
): Room | null {
  const [size, setSize] = useState<{ readonly width: number; readonly height: number } | null>(
    null,
  );
  useLayoutEffect(() => {
    const node = element.current;
    if (node !== null) setSize({ width: node.clientWidth, height: node.clientHeight });
  }, [element]);
  return size === null ? null : { ...size, ...sides };
}
