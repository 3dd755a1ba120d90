/** Keys that go through rows: the same in the list and in the timeline. */

import { type Row, selectionOf } from "../model/rows.ts";
import { usePage } from "../run/use-page.ts";
import { type Keys, useKeys } from "../ui/keys.ts";
import { rowKeys } from "../ui/row-keys.ts";

const PAGE_ROWS = 12;

/** Listens for keys that move the selection from the row `at`, and for others of the view. */
export function useRowKeys(rows: readonly Row[], at: number, more: Keys): void {
  const { select } = usePage();
  const move = (by: number) => {
    const next = nextSelectable(rows, at, by);
    const selection = next === null ? null : selectionOf(next);
    if (selection !== null) select(selection, "replace");
  };
  useKeys({
    ...rowKeys(move, rows.length, PAGE_ROWS),
    ...more,
  });
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
