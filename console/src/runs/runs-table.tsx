/** The table of runs: only what is seen is drawn, and more is asked for at its end. */

import { useVirtualizer } from "@tanstack/react-virtual";
import { type ReactNode, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import type { RunRow } from "../model/run.ts";
import { counted, moment } from "../model/words.ts";
import { go, runHref } from "../route.ts";
import { useKeys } from "../ui/keys.ts";
import { useNarrow } from "../ui/narrow.ts";
import { useSlots } from "../ui/slots.ts";
import { useWidth } from "../ui/width.ts";
import type { Kept } from "./came-from.ts";
import type { ListState, RunList } from "./run-list.ts";
import { type Layout, RunLine } from "./run-row.tsx";

export type Density = "comfortable" | "compact";

const ROW_PX: Readonly<Record<Density, number>> = { comfortable: 36, compact: 28 };
const CARD_PX = 64;
/** Narrower than this, attributes and start have no column. */
const WIDE_PX = 1180;
/** So many rows before the end the next page is asked for. */
const AHEAD = 60;
const OVERSCAN = 3;

const HEADS: readonly (readonly [name: string, className: string, only?: Layout])[] = [
  ["Status", "run-status"],
  ["Workflow", "run-name"],
  ["What it is doing, or how it ended", "run-doing"],
  ["Steps", "run-strip"],
  ["Attributes", "run-attributes", "wide"],
  ["Started", "run-started", "wide"],
  ["Took", "run-took"],
];

interface RunsTableProps {
  readonly kept: Kept;
  readonly state: ListState;
  readonly density: Density;
  /** How many there are in all, where that is known. */
  readonly total: number | null;
}

/** Shows the table. */
export function RunsTable({ kept, state, density, total }: RunsTableProps): ReactNode {
  const { list } = kept;
  const { rows, glances, gone } = state;
  const scroller = useRef<HTMLDivElement>(null);
  const width = useWidth(scroller);
  const narrow = useNarrow();
  const layout: Layout = narrow ? "card" : width >= WIDE_PX ? "wide" : "middle";
  const height = narrow ? CARD_PX : ROW_PX[density];
  const [at, setCurrent] = useCurrent(kept, rows);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => height,
    overscan: OVERSCAN,
    scrollPaddingStart: narrow ? 0 : 32,
    initialOffset: kept.scrollTop,
  });
  const items = virtual.getVirtualItems();
  const slots = useSlots(items.map((item) => rows[item.index]?.id ?? item.key));
  // biome-ignore lint/correctness/useExhaustiveDependencies: heights are known; only this changes them
  useEffect(() => virtual.measure(), [height]);
  const hands = useLooking(list, state, virtual.range, at >= 0);
  const visit = (id: string) => {
    kept.scrollTop = scroller.current?.scrollTop ?? 0;
    setCurrent(id);
  };
  const [visitLatest] = useState(() => ({ visit }));
  useLayoutEffect(() => {
    visitLatest.visit = visit;
  });
  const [onVisit] = useState(() => (id: string) => visitLatest.visit(id));
  useTableKeys({
    rows,
    at,
    page: Math.max(1, Math.floor((scroller.current?.clientHeight ?? 400) / height) - 2),
    onMove: (index) => {
      const row = rows[index];
      if (row === undefined) return;
      setCurrent(row.id);
      virtual.scrollToIndex(index, { align: "auto" });
    },
    onOpen: (row) => {
      visit(row.id);
      go(runHref(row.id));
    },
    onLeave: () => setCurrent(null),
  });
  return (
    <div className={`runs-table ${layout} ${density}`} ref={scroller} {...hands}>
      <Pill state={state} onShow={list.showFresh} />
      <table
        // biome-ignore lint/a11y/noNoninteractiveElementToInteractiveRole: it has the keys of a grid
        role="grid"
        tabIndex={0}
        aria-label="Runs, newest first"
        aria-rowcount={state.more === "none" ? rows.length + 1 : (total ?? -1)}
        aria-activedescendant={at >= 0 ? `run-row-${at}` : undefined}
      >
        <thead>
          <tr aria-rowindex={1}>
            {HEADS.filter(([, , only]) => only === undefined || only === layout).map(
              ([name, className]) => (
                <th key={name} scope="col" className={className}>
                  {name}
                </th>
              ),
            )}
          </tr>
        </thead>
        <tbody style={{ height: virtual.getTotalSize() }}>
          {items.map((item, nth) => {
            const row = rows[item.index];
            if (row === undefined) return null;
            return (
              <RunLine
                key={slots[nth]}
                row={row}
                glance={glances.get(row.id)}
                index={item.index}
                top={item.start}
                height={height}
                layout={layout}
                isCurrent={item.index === at}
                isGone={gone.has(row.id)}
                onVisit={onVisit}
              />
            );
          })}
        </tbody>
      </table>
      <Foot state={state} onMore={list.more} />
    </div>
  );
}

/** What is new, behind a count. It is in the table: a hand on it is a hand on the rows. */
function Pill({
  state,
  onShow,
}: {
  readonly state: ListState;
  readonly onShow: () => void;
}): ReactNode {
  const { fresh, freshOrMore, gone } = state;
  if (fresh === 0 && gone.size === 0) return null;
  const words = freshOrMore ? `${fresh}+ new runs` : counted(fresh, "new run");
  return (
    <div className="pill-row">
      <button type="button" className="pill" aria-keyshortcuts="." onClick={onShow}>
        {fresh > 0 ? words : `${counted(gone.size, "run")} left the list`} <kbd>.</kbd>
      </button>
    </div>
  );
}

/** What stands below the last row. */
function Foot({
  state,
  onMore,
}: {
  readonly state: ListState;
  readonly onMore: () => void;
}): ReactNode {
  const { more, error, searchedTo, rows } = state;
  if (more === "none" || rows.length === 0) return null;
  const back =
    searchedTo === null ? "" : `Searched back to ${moment(Date.parse(searchedTo), Date.now())}. `;
  return (
    <p className="runs-foot">
      {more === "failed" && `Could not read further: ${error?.message ?? "no answer"}. `}
      {more === "asking" ? `${back}${counted(rows.length, "run")}, reading on` : back}
      {(more === "failed" || (more === "ready" && searchedTo !== null)) && (
        <button type="button" onClick={onMore}>
          {more === "failed" ? "Try again" : "Search further"}
        </button>
      )}
    </p>
  );
}

/** Where the keys are; -1 where they are nowhere. It is kept with the list, for who comes back to it. */
function useCurrent(
  kept: Kept,
  rows: readonly RunRow[],
): readonly [at: number, set: (id: string | null) => void] {
  const [current, setCurrent] = useState(kept.current);
  const set = (id: string | null) => {
    kept.current = id;
    setCurrent(id);
  };
  const at = useMemo(
    () => (current === null ? -1 : rows.findIndex((row) => row.id === current)),
    [rows, current],
  );
  return [at, set];
}

/** Tells the list what is seen and whether a hand is on it, and asks for more near its end. */
function useLooking(
  list: RunList,
  state: ListState,
  range: { readonly startIndex: number; readonly endIndex: number } | null,
  /** The keys are at a row. */
  isWalked: boolean,
) {
  const [isPointed, setPointed] = useState(false);
  const [isFocused, setFocused] = useState(false);
  const first = range?.startIndex ?? 0;
  const last = range?.endIndex ?? 0;
  useEffect(() => {
    const isTouched = isPointed || isFocused || isWalked;
    list.look({ first, last, calm: first === 0 && !isTouched });
  }, [list, first, last, isPointed, isFocused, isWalked]);
  const { more, rows } = state;
  useEffect(() => {
    // A search that found nothing goes on only where somebody asks.
    if (more === "ready" && last >= rows.length - AHEAD && rows.length > 0) list.more();
  }, [list, more, last, rows.length]);
  return {
    onPointerEnter: () => setPointed(true),
    onPointerLeave: () => setPointed(false),
    onFocus: () => setFocused(true),
    onBlur: () => setFocused(false),
  };
}

interface TableKeys {
  readonly rows: readonly RunRow[];
  readonly at: number;
  /** How many rows are a page. */
  readonly page: number;
  readonly onMove: (index: number) => void;
  readonly onOpen: (row: RunRow) => void;
  readonly onLeave: () => void;
}

function useTableKeys({ rows, at, page, onMove, onOpen, onLeave }: TableKeys): void {
  const by = (steps: number) => () => {
    const from = at < 0 && steps < 0 ? 0 : at;
    onMove(Math.min(rows.length - 1, Math.max(0, from + steps)));
  };
  const row = rows[at];
  useKeys({
    j: by(1),
    ArrowDown: by(1),
    k: by(-1),
    ArrowUp: by(-1),
    PageDown: by(page),
    PageUp: by(-page),
    Home: by(-rows.length),
    End: by(rows.length),
    Enter: row && (() => onOpen(row)),
    Escape: row && onLeave,
    y: row && (() => void navigator.clipboard.writeText(row.id)),
  });
}
