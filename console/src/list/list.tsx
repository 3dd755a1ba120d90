/** The list: the journal as a readable page, in the order in which steps ran. */

import { useVirtualizer } from "@tanstack/react-virtual";
import { type ReactNode, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { instant } from "../model/instants.ts";
import { isFiltering, isSame, type Row, selectionOf } from "../model/rows.ts";
import { hasEnded, isCleanUp, stepHasEnded, titleOf } from "../model/run.ts";
import { usePage } from "../run/use-page.ts";
import { useNarrow } from "../ui/narrow.ts";
import { useSlots } from "../ui/slots.ts";
import { Name } from "../ui/text.tsx";
import { heightOf } from "./heights.ts";
import { ListRow } from "./row.tsx";
import { useAnchor } from "./use-anchor.ts";
import { useRowKeys } from "./use-list-keys.ts";

const OVERSCAN = 3;

/** How the first column tells time. */
export type Times = "offset" | "clock";

interface ListProps {
  readonly rows: readonly Row[];
  readonly times: Times;
  readonly compact: boolean;
}

/** Shows the list. */
export function List({ rows, times, compact }: ListProps): ReactNode {
  const { contents, selected, toggleOpen } = usePage();
  const scroller = useRef<HTMLDivElement>(null);
  const [opened, setOpened] = useState<ReadonlySet<string>>(new Set());
  const narrow = useNarrow();
  const at = useMemo(
    () => (selected === null ? -1 : rows.findIndex((row) => isSame(selectionOf(row), selected))),
    [rows, selected],
  );
  const heightAt = useCallback(
    (index: number) => {
      const row = rows[index];
      return row === undefined ? 34 : heightOf(row, opened.has(row.key), { narrow, compact });
    },
    [rows, opened, narrow, compact],
  );
  // biome-ignore lint/correctness/useExhaustiveDependencies: places are worked out anew when heights may change, and only then
  const keyAt = useCallback((index: number) => rows[index]?.key ?? index, [heightAt]);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    getItemKey: keyAt,
    estimateSize: heightAt,
    overscan: OVERSCAN,
  });
  const items = virtual.getVirtualItems();
  const slots = useSlots(items.map((item) => item.key));
  useAnchor(rows, virtual, scroller);
  // biome-ignore lint/correctness/useExhaustiveDependencies: only a new selection may scroll
  useEffect(() => {
    if (at >= 0) virtual.scrollToIndex(at, { align: "auto" });
  }, [selected]);
  const toggle = useCallback(
    (row: Row) => {
      if (row.type === "fanOut") toggleOpen(row.fanOut.key);
      else setOpened((now) => toggled(now, row.key));
    },
    [toggleOpen],
  );
  useRowKeys(rows, at, {
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
        {/* One element moves, not each row: styles of rows that move are worked out anew, with their cells. */}
        <tbody style={{ transform: `translateY(${items[0]?.start ?? 0}px)` }}>
          {items.map((item, nth) => {
            const row = rows[item.index];
            if (row === undefined) return null;
            return (
              <ListRow
                key={slots[nth]}
                row={row}
                index={item.index}
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
      <Foot />
    </div>
  );
}

/** Says of an open run that there may be more: the code tells its steps only when it comes to them. */
function Foot(): ReactNode {
  const { contents, filter } = usePage();
  if (hasEnded(contents.run) || isFiltering(filter)) return null;
  const last = contents.steps.findLast((step) => !stepHasEnded(step) && !isCleanUp(step));
  return (
    <p className="list-foot">
      {last === undefined ? (
        "More steps appear here when the code reaches them."
      ) : (
        <>
          Steps after <Name>{titleOf(last.id)}</Name> appear here when the code reaches them.
        </>
      )}
    </p>
  );
}

function toggled(set: ReadonlySet<string>, key: string): ReadonlySet<string> {
  const next = new Set(set);
  if (!next.delete(key)) next.add(key);
  return next;
}
