/** Log lines of a step or of the handler. */

import { useVirtualizer } from "@tanstack/react-virtual";
import { type ReactNode, useRef } from "react";
import { instant } from "../model/instants.ts";
import type { LogLine } from "../model/run.ts";
import { clock } from "../model/words.ts";
import { At, Foreign } from "../ui/text.tsx";

const PLAIN_MAX = 200;
const LINE_PX = 24;

/** Shows log lines, oldest first; of many only those that are seen are drawn. */
export function Logs({ lines }: { readonly lines: readonly LogLine[] }): ReactNode {
  if (lines.length > PLAIN_MAX) return <ManyLogs lines={lines} />;
  return (
    <div>
      {lines.map((line, at) => (
        // Two lines may be equal in all that they say.
        <Line key={`${at} ${line.at}`} line={line} />
      ))}
    </div>
  );
}

function ManyLogs({ lines }: { readonly lines: readonly LogLine[] }): ReactNode {
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => LINE_PX,
    overscan: 20,
  });
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
    <div className="members" ref={scroller} tabIndex={0}>
      <ol style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map((item) => {
          const line = lines[item.index];
          if (line === undefined) return null;
          return (
            <li
              key={item.key}
              data-index={item.index}
              ref={virtual.measureElement}
              className="log-at"
              style={{ transform: `translateY(${item.start}px)` }}
            >
              <Line line={line} />
            </li>
          );
        })}
      </ol>
    </div>
  );
}

function Line({ line }: { readonly line: LogLine }): ReactNode {
  const at = instant(line.at);
  return (
    <div className="log">
      <At ms={at}>{clock(at, "milliseconds")}</At>
      <span className={`level level-${line.level}`}>{line.level}</span>
      <span className="message">
        <Foreign>{line.message}</Foreign>
      </span>
    </div>
  );
}
