/** The gutter at the left: when each rank began, and a notch where time was folded between two. */

import { useStore } from "@xyflow/react";
import type { ReactNode } from "react";
import type { Mark } from "../model/graph-view.ts";
import { duration, offset } from "../model/words.ts";
import { Notch } from "../ui/icon.tsx";
import { At } from "../ui/text.tsx";

/** Marks nearer than this to the one above are left out. */
const LEAST_PX = 15;

interface GutterProps {
  readonly marks: readonly Mark[];
  /** When the run began. */
  readonly start: number;
}

/** Shows the marks that are seen. They go up and down with the graph, and never to the side. */
export function Gutter({ marks, start }: GutterProps): ReactNode {
  const y = useStore((store) => store.transform[1]);
  const zoom = useStore((store) => store.transform[2]);
  const height = useStore((store) => store.height);
  const shown: { readonly mark: Mark; readonly top: number }[] = [];
  let last = Number.NEGATIVE_INFINITY;
  for (const mark of marks) {
    const top = mark.y * zoom + y;
    if (top < -20 || top > height + 20 || top - last < LEAST_PX) continue;
    shown.push({ mark, top });
    last = top;
  }
  return (
    <ol className="gutter" aria-label="When each rank began">
      {shown.map(({ mark, top }) => (
        <li
          key={mark.type === "start" ? `at ${mark.y}` : `fold ${mark.from}`}
          className={mark.type}
          style={{ transform: `translateY(${top}px)` }}
        >
          {mark.type === "start" ? (
            <At ms={mark.at}>{offset(mark.at - start)}</At>
          ) : (
            <span title="Nothing ran">
              <Notch />
              {duration(mark.ms)}
            </span>
          )}
        </li>
      ))}
    </ol>
  );
}
