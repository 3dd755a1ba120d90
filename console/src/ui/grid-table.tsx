/** Tables of very many rows of one height: only those that are seen are drawn, and they are moved as one. */

import { useVirtualizer } from "@tanstack/react-virtual";
import { type MouseEvent, type ReactNode, type RefObject, useEffect, useRef } from "react";
import { go } from "../route.ts";
import { useNarrow } from "./narrow.ts";
import { useSlot, useSlots } from "./slots.ts";

/** The head stays in sight; cards have none. */
const HEAD_PX = 33;

interface RowsOptions {
  readonly count: number;
  readonly height: number;
  readonly keyAt: (index: number) => string | undefined;
  readonly overscan?: number;
  /** Where somebody was who comes back. */
  readonly scrollTop?: number;
}

/** What of a table is drawn, and how to come to the rest. */
export interface Rows {
  readonly scroller: RefObject<HTMLDivElement | null>;
  /** The rows that are drawn; `slot` is the key to draw each with. */
  readonly drawn: readonly { readonly index: number; readonly slot: string | number }[];
  readonly first: number;
  readonly last: number;
  /** How far the first drawn row is from the top, and how high all rows are. */
  readonly offset: number;
  readonly total: number;
  readonly scrollTo: (index: number) => void;
  /** How many rows are a page. */
  readonly page: () => number;
}

/** Finds out which rows are to be drawn. */
export function useRows({ count, height, keyAt, overscan = 3, scrollTop = 0 }: RowsOptions): Rows {
  const scroller = useRef<HTMLDivElement>(null);
  const narrow = useNarrow();
  const virtual = useVirtualizer({
    count,
    getScrollElement: () => scroller.current,
    estimateSize: () => height,
    overscan,
    scrollPaddingStart: narrow ? 0 : HEAD_PX - 1,
    initialOffset: scrollTop,
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: heights are known; only this changes them
  useEffect(() => virtual.measure(), [height]);
  const items = virtual.getVirtualItems();
  const slots = useSlots(items.map((item) => keyAt(item.index) ?? Number(item.key)));
  return {
    scroller,
    drawn: items.map((item, nth) => ({ index: item.index, slot: slots[nth] ?? item.index })),
    first: virtual.range?.startIndex ?? 0,
    last: virtual.range?.endIndex ?? 0,
    offset: items[0]?.start ?? 0,
    total: virtual.getTotalSize(),
    scrollTo: (index) => virtual.scrollToIndex(index, { align: "auto" }),
    page: () => Math.max(1, Math.floor((scroller.current?.clientHeight ?? 400) / height) - 2),
  };
}

interface GridTableProps {
  readonly rows: Rows;
  /** What it shows, for readers of screens. */
  readonly label: string;
  /** Begins the ids of its rows. */
  readonly name: string;
  readonly heads: readonly (readonly [name: string, className?: string])[];
  /** How many rows there are with the head; -1 where that is not known. */
  readonly rowCount: number;
  /** The row that the keys are at; -1 for none. */
  readonly at: number;
  readonly line: (index: number, slot: string | number) => ReactNode;
}

/** Shows the table, within the element that scrolls it. */
export function GridTable(props: GridTableProps): ReactNode {
  const { rows, label, name, heads, rowCount, at, line } = props;
  const narrow = useNarrow();
  return (
    <table
      // biome-ignore lint/a11y/noNoninteractiveElementToInteractiveRole: it has the keys of a grid
      role="grid"
      tabIndex={0}
      aria-label={label}
      aria-rowcount={rowCount}
      aria-activedescendant={at >= 0 ? `${name}-${at}` : undefined}
      style={{ height: rows.total + (narrow ? 0 : HEAD_PX) }}
    >
      <thead>
        <tr aria-rowindex={1}>
          {heads.map(([head, className]) => (
            <th key={head} scope="col" className={className}>
              {head}
            </th>
          ))}
        </tr>
      </thead>
      {/* One element moves, not each row: styles of rows that move are worked out anew, with their cells. */}
      <tbody style={{ transform: `translateY(${rows.offset}px)` }}>
        {rows.drawn.map(({ index, slot }) => line(index, slot))}
      </tbody>
    </table>
  );
}

interface GridRowProps {
  /** Whose row it is: elements are used again for others. */
  readonly id: string;
  /** That of its table. */
  readonly name: string;
  readonly index: number;
  readonly height: number;
  readonly className?: string;
  readonly title?: string | undefined;
  readonly isCurrent: boolean;
  /** What a press on it opens; nothing where it is null. */
  readonly href: string | null;
  /** Called before that is opened. */
  readonly onVisit?: () => void;
  readonly children: ReactNode;
}

/** Shows one row. */
export function GridRow(props: GridRowProps): ReactNode {
  const { id, name, index, href, onVisit, className = "" } = props;
  const node = useSlot<HTMLTableRowElement>(id);
  const open = (event: MouseEvent) => {
    const target = event.target instanceof Element ? event.target : null;
    // Who marks text means to copy it.
    if (href === null || target?.closest("a, button, label")) return;
    if (getSelection()?.isCollapsed === false) return;
    onVisit?.();
    if (event.metaKey || event.ctrlKey) window.open(href);
    else go(href);
  };
  return (
    <tr
      ref={node}
      id={`${name}-${index}`}
      className={`grid-row ${href === null ? "" : "opens"} ${className}`.trim()}
      aria-rowindex={index + 2}
      aria-selected={props.isCurrent}
      title={props.title}
      style={{ height: props.height }}
      onClick={open}
    >
      {props.children}
    </tr>
  );
}
