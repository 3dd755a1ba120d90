/** JSON to read: formatted, in two inks, searchable, and drawn only where it is seen. */

import { useVirtualizer } from "@tanstack/react-virtual";
import { memo, type ReactNode, useMemo, useRef, useState } from "react";
import { type JsonLine, linesOf, linesWith } from "../model/json.ts";
import { count } from "../model/words.ts";
import { Icon } from "./icon.tsx";

const LINE_PX = 18;
/** More lines than this are drawn only where they are seen. */
const PLAIN_LINES_MAX = 200;
/** More lines than this can be searched. */
const SEARCH_LINES_MIN = 30;

/** Shows a value. It fills what holds it, and scrolls by itself. */
export const JsonView = memo(function JsonView({ value }: { readonly value: unknown }): ReactNode {
  const lines = useMemo(() => linesOf(value), [value]);
  const [wanted, setWanted] = useState("");
  const [at, setAt] = useState(0);
  const found = useMemo(() => linesWith(lines, wanted), [lines, wanted]);
  const current = found[at % Math.max(found.length, 1)];
  const search = lines.length > SEARCH_LINES_MIN && (
    <label className="field json-search">
      <Icon name="search" />
      <input
        value={wanted}
        placeholder={`Search ${count(lines.length)} lines`}
        aria-label="Search in this value"
        spellCheck={false}
        onChange={(event) => {
          setWanted(event.target.value);
          setAt(0);
        }}
        onKeyDown={(event) => {
          if (event.key !== "Enter") return;
          event.preventDefault();
          setAt(
            (now) => (now + (event.shiftKey ? found.length - 1 : 1)) % Math.max(found.length, 1),
          );
        }}
      />
      {wanted !== "" && (
        <span className="shown">
          {found.length === 0
            ? "none"
            : `${count((at % found.length) + 1)} of ${count(found.length)}`}
        </span>
      )}
    </label>
  );
  return (
    <div className="json-view">
      {search}
      {lines.length <= PLAIN_LINES_MAX && wanted === "" ? (
        <div className="json-scroll">
          <Lines lines={lines} />
        </div>
      ) : (
        <VirtualLines key={`${wanted} ${current ?? ""}`} lines={lines} marked={current ?? null} />
      )}
    </div>
  );
});

/** Shows lines, all of them. */
export function Lines({ lines }: { readonly lines: readonly JsonLine[] }): ReactNode {
  return (
    <pre className="json">
      {lines.map((line, at) => (
        // Lines have no names of their own, and never move.
        <Line key={`${at} of ${lines.length}`} line={line} />
      ))}
    </pre>
  );
}

function Line({ line }: { readonly line: JsonLine }): ReactNode {
  return (
    <div className="json-line">
      {"  ".repeat(line.indent)}
      <bdi>
        {line.pieces.map((piece, at) => {
          const key = `${at}`;
          return piece.ink === "strong" ? (
            <b key={key}>{piece.text}</b>
          ) : (
            <span key={key}>{piece.text}</span>
          );
        })}
      </bdi>
    </div>
  );
}

function VirtualLines(props: {
  readonly lines: readonly JsonLine[];
  readonly marked: number | null;
}): ReactNode {
  const { lines, marked } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => LINE_PX,
    initialOffset: marked === null ? 0 : Math.max(0, (marked - 4) * LINE_PX),
    overscan: 20,
  });
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
    <div className="json-scroll" ref={scroller} tabIndex={0}>
      <pre className="json virtual" style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map((item) => {
          const line = lines[item.index];
          if (line === undefined) return null;
          const mark = item.index === marked ? "at marked" : "at";
          return (
            <div
              key={item.key}
              className={mark}
              style={{ transform: `translateY(${item.start}px)` }}
            >
              <Line line={line} />
            </div>
          );
        })}
      </pre>
    </div>
  );
}
