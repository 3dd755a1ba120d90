/** The list: the journal as a readable page, in the order in which steps ran. */

import { useVirtualizer } from "@tanstack/react-virtual";
import { type ReactNode, useEffect, useMemo, useRef, useState } from "react";
import { instant } from "../model/instants.ts";
import { isSame, type Row, selectionOf } from "../model/rows.ts";
import { usePage } from "../run/use-page.ts";
import { useKeys } from "../ui/keys.ts";
import { useNarrow } from "../ui/narrow.ts";
import { heightOf } from "./heights.ts";
import { ListRow } from "./row.tsx";

/** How the first column tells time. */
export type Times = "offset" | "clock";

interface ListProps {
  readonly rows: readonly Row[];
  readonly times: Times;
  readonly compact: boolean;
}

/** Shows the list. */
export function List({ rows, times, compact }: ListProps): ReactNode {
  const { contents, selected, select, toggleOpen } = usePage();
  const scroller = useRef<HTMLDivElement>(null);
  const [opened, setOpened] = useState<ReadonlySet<string>>(new Set());
  const narrow = useNarrow();
  const at = useMemo(
    () => rows.findIndex((row) => isSame(selectionOf(row), selected)),
    [rows, selected],
  );
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    getItemKey: (index) => rows[index]?.key ?? index,
    estimateSize: (index) => {
      const row = rows[index];
      return row === undefined ? 34 : heightOf(row, opened.has(row.key), { narrow, compact });
    },
    overscan: 8,
  });
  // Heights are known and not measured, so a change of rows or looks asks for them again.
  // biome-ignore lint/correctness/useExhaustiveDependencies: these are what heights depend on
  useEffect(() => virtual.measure(), [rows, opened, narrow, compact]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: only a new selection may scroll
  useEffect(() => {
    if (at >= 0) virtual.scrollToIndex(at, { align: "auto" });
  }, [selected]);
  const toggle = (row: Row) => {
    if (row.type === "fanOut") toggleOpen(row.fanOut.key);
    else setOpened((now) => toggled(now, row.key));
  };
  const move = (by: number) => {
    const next = nextSelectable(rows, at, by);
    const selection = next === null ? null : selectionOf(next);
    if (selection !== null) select(selection, "replace");
  };
  useKeys({
    j: () => move(1),
    ArrowDown: () => move(1),
    k: () => move(-1),
    ArrowUp: () => move(-1),
    PageDown: () => move(12),
    PageUp: () => move(-12),
    Home: () => move(-rows.length),
    End: () => move(rows.length),
    Enter: () => {
      const row = rows[at];
      if (row !== undefined) toggle(row);
    },
  });
  const start = instant(contents.run.startedAt ?? contents.run.createdAt);
  return (
    <div className={compact ? "list compact" : "list"} ref={scroller}>
      <table
        // biome-ignore lint/a11y/noNoninteractiveElementToInteractiveRole: it has the keys of a grid
        role="grid"
        tabIndex={0}
        aria-label="Steps in the order in which they ran"
        aria-rowcount={rows.length}
        aria-activedescendant={at >= 0 ? `row-${at}` : undefined}
        style={{ height: virtual.getTotalSize() }}
      >
        <tbody>
          {virtual.getVirtualItems().map((item) => {
            const row = rows[item.index];
            if (row === undefined) return null;
            return (
              <ListRow
                key={item.key}
                row={row}
                index={item.index}
                top={item.start}
                height={item.size}
                isSelected={item.index === at}
                isOpen={opened.has(row.key)}
                compact={compact}
                start={start}
                times={times}
                onToggle={toggle}
              />
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

function toggled(set: ReadonlySet<string>, key: string): ReadonlySet<string> {
  const next = new Set(set);
  if (!next.delete(key)) next.add(key);
  return next;
}

/** Returns the row that many rows on, of those that can be selected; the last in that direction at the ends. */
export function nextSelectable(rows: readonly Row[], at: number, by: number): Row | null {
  const way = Math.sign(by);
  let [left, found] = [Math.abs(by), null as Row | null];
  const from = at < 0 && way < 0 ? rows.length : at;
  for (let index = from + way; index >= 0 && index < rows.length && left > 0; index += way) {
    const row = rows[index];
    if (row === undefined || selectionOf(row) === null) continue;
    found = row;
    left -= 1;
  }
  return found;
}
