/** JSON to read: formatted, in two inks, searchable, and drawn only where it is seen. */

import { useVirtualizer } from "@tanstack/react-virtual";
import { memo, type ReactNode, type Ref, useMemo, useRef, useState } from "react";
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
  const step = (by: number) =>
    setAt((now) => (now + by + found.length) % Math.max(found.length, 1));
  const search = lines.length > SEARCH_LINES_MIN && (
    <SearchField
      lines={lines.length}
      wanted={wanted}
      at={at}
      found={found.length}
      onWanted={(text) => {
        setWanted(text);
        setAt(0);
      }}
      onStep={step}
    />
  );
  return (
    <div className="json-view">
      {search}
      {lines.length <= PLAIN_LINES_MAX && wanted === "" ? (
        <Scroller>
          <Lines lines={lines} />
        </Scroller>
      ) : (
        <VirtualLines
          key={`${wanted} ${current ?? ""}`}
          lines={lines}
          marked={current ?? null}
          wanted={wanted}
        />
      )}
    </div>
  );
});

/** The field that searches, with how many were found, and the way to the next and the one before. */
function SearchField(props: {
  readonly lines: number;
  readonly wanted: string;
  readonly at: number;
  readonly found: number;
  readonly onWanted: (text: string) => void;
  readonly onStep: (by: 1 | -1) => void;
}): ReactNode {
  const { wanted, found, onStep } = props;
  const words = found === 0 ? "none" : `${count((props.at % found) + 1)} of ${count(found)}`;
  return (
    <div className="field json-search">
      <Icon name="search" />
      <input
        value={wanted}
        placeholder={`Search ${count(props.lines)} lines`}
        aria-label="Search in this value"
        spellCheck={false}
        onChange={(event) => props.onWanted(event.target.value)}
        onKeyDown={(event) => {
          if (event.key !== "Enter") return;
          event.preventDefault();
          onStep(event.shiftKey ? -1 : 1);
        }}
      />
      {wanted !== "" && (
        <>
          <span className="shown" role="status">
            {words}
          </span>
          <button
            type="button"
            className="plain bare small"
            aria-label="Match before"
            disabled={found < 2}
            onClick={() => onStep(-1)}
          >
            <Icon name="up" />
          </button>
          <button
            type="button"
            className="plain bare small"
            aria-label="Next match"
            disabled={found < 2}
            onClick={() => onStep(1)}
          >
            <Icon name="down" />
          </button>
        </>
      )}
    </div>
  );
}

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

/** Underlines what was searched for in a text. */
function Marked({ text, wanted }: { readonly text: string; readonly wanted: string }): ReactNode {
  const at = wanted === "" ? -1 : text.toLowerCase().indexOf(wanted.toLowerCase());
  if (at < 0) return text;
  return (
    <>
      {text.slice(0, at)}
      <u>{text.slice(at, at + wanted.length)}</u>
      {text.slice(at + wanted.length)}
    </>
  );
}

function Line({
  line,
  wanted = "",
}: {
  readonly line: JsonLine;
  readonly wanted?: string;
}): ReactNode {
  return (
    <div className="json-line">
      {"  ".repeat(line.indent)}
      <bdi>
        {line.pieces.map((piece, at) => {
          const key = `${at}`;
          return piece.ink === "strong" ? (
            <b key={key}>
              <Marked text={piece.text} wanted={wanted} />
            </b>
          ) : (
            <span key={key}>
              <Marked text={piece.text} wanted={wanted} />
            </span>
          );
        })}
      </bdi>
    </div>
  );
}

/** The box in which lines scroll; it takes the focus, so that keys scroll it too. */
function Scroller({
  ref,
  children,
}: {
  readonly ref?: Ref<HTMLElement>;
  readonly children: ReactNode;
}): ReactNode {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
    <section className="json-scroll" ref={ref} tabIndex={0} aria-label="JSON">
      {children}
    </section>
  );
}

function VirtualLines(props: {
  readonly lines: readonly JsonLine[];
  readonly marked: number | null;
  readonly wanted: string;
}): ReactNode {
  const { lines, marked, wanted } = props;
  const scroller = useRef<HTMLElement>(null);
  const virtual = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => LINE_PX,
    initialOffset: marked === null ? 0 : Math.max(0, (marked - 4) * LINE_PX),
    overscan: 20,
  });
  return (
    <Scroller ref={scroller}>
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
              <Line line={line} wanted={wanted} />
            </div>
          );
        })}
      </pre>
    </Scroller>
  );
}
