/** The table of runs: only what is seen is drawn, and more is asked for at its end. */

import { type ReactNode, useEffect, useLayoutEffect, useMemo, useState } from "react";
import type { RunRow } from "../model/run.ts";
import { counted, moment } from "../model/words.ts";
import { go } from "../route.ts";
import { GridTable, type Rows, useRows } from "../ui/grid-table.tsx";
import { useKeys } from "../ui/keys.ts";
import { useNarrow } from "../ui/narrow.ts";
import { rowAfter, rowKeys } from "../ui/row-keys.ts";
import { useWidth } from "../ui/width.ts";
import type { Kept } from "./came-from.ts";
import { rowHref } from "./neighbour-keys.ts";
import type { ListState, RunList } from "./run-list.ts";
import { type Layout, NAME, RunLine } from "./run-row.tsx";

export type Density = "comfortable" | "compact";

const ROW_PX: Readonly<Record<Density, number>> = { comfortable: 36, compact: 28 };
const CARD_PX = 64;
/** Narrower than this, attributes and start have no column. */
const WIDE_PX = 1180;
/** So many rows before the end the next page is asked for. */
const AHEAD = 60;

type Head = readonly [name: string, className: string];
const BEFORE: readonly Head[] = [
  ["Status", "run-status"],
  ["Workflow", "run-name"],
  ["What it is doing, or how it ended", "run-doing"],
  ["Steps", "run-strip"],
];
const TOOK: Head = ["Took", "run-took"];
const NARROW: readonly Head[] = [...BEFORE, TOOK];
/** What the columns are, by how much place there is. */
export const HEADS: Readonly<Record<Layout, readonly Head[]>> = {
  wide: [...BEFORE, ["Attributes", "run-attributes"], ["Started", "run-started"], TOOK],
  middle: NARROW,
  card: NARROW,
};

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
  const { rows } = state;
  const narrow = useNarrow();
  const height = narrow ? CARD_PX : ROW_PX[density];
  const lines = useRows({
    count: rows.length,
    height,
    keyAt: (index) => rows[index]?.id,
    scrollTop: kept.scrollTop,
  });
  const { scroller } = lines;
  const width = useWidth(scroller);
  const layout: Layout = narrow ? "card" : width >= WIDE_PX ? "wide" : "middle";
  const [at, setCurrent] = useCurrent(kept, rows);
  const hands = useLooking(list, state, lines, at >= 0);
  const onVisit = useVisit((id) => {
    kept.scrollTop = scroller.current?.scrollTop ?? 0;
    setCurrent(id);
  });
  useTableKeys({
    rows,
    at,
    page: lines.page(),
    onMove: (index) => {
      const row = rows[index];
      if (row === undefined) return;
      setCurrent(row.id);
      lines.scrollTo(index);
    },
    onOpen: (row) => {
      onVisit(row.id);
      go(rowHref(row));
    },
    onLeave: () => setCurrent(null),
  });
  return (
    <div className={`grid-table runs-table ${layout} ${density}`} ref={scroller} {...hands}>
      <Pill state={state} onShow={list.showFresh} />
      <GridTable
        rows={lines}
        label="Runs, newest first"
        name={NAME}
        heads={HEADS[layout]}
        rowCount={state.more === "none" ? rows.length + 1 : (total ?? -1)}
        at={at}
        line={(index, slot) => {
          const row = rows[index];
          if (row === undefined) return null;
          return (
            <RunLine
              key={slot}
              row={row}
              glance={state.glances.get(row.id)}
              index={index}
              height={height}
              layout={layout}
              isCurrent={index === at}
              isGone={state.gone.has(row.id)}
              onVisit={onVisit}
            />
          );
        }}
      />
      <Foot state={state} onMore={list.more} />
    </div>
  );
}

/** A function that stays the same one, so that rows which show the same are not drawn anew. */
function useVisit(visit: (id: string) => void): (id: string) => void {
  const [latest] = useState(() => ({ visit }));
  useLayoutEffect(() => {
    latest.visit = visit;
  });
  const [onVisit] = useState(() => (id: string) => latest.visit(id));
  return onVisit;
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
  { first, last }: Rows,
  /** The keys are at a row. */
  isWalked: boolean,
) {
  const [isPointed, setPointed] = useState(false);
  const [isFocused, setFocused] = useState(false);
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
  const row = rows[at];
  useKeys({
    ...rowKeys((steps) => onMove(rowAfter(at, steps, rows.length)), rows.length, page),
    Enter: row && (() => onOpen(row)),
    Escape: row && onLeave,
    y: row && (() => void navigator.clipboard.writeText(row.observed?.run ?? row.id)),
  });
}
