/** Keys that go through rows: the same in every list and table. */

import type { Keys } from "./keys.ts";

/** Returns the keys; `by` is called with how many rows to go on, or back. */
export function rowKeys(by: (steps: number) => void, all: number, page: number): Keys {
  const go = (steps: number) => () => by(steps);
  return {
    j: go(1),
    ArrowDown: go(1),
    k: go(-1),
    ArrowUp: go(-1),
    PageDown: go(page),
    PageUp: go(-page),
    Home: go(-all),
    End: go(all),
  };
}

/** Returns the row that many rows on from `at`, where -1 is before all; the last in that direction at the ends. */
export function rowAfter(at: number, steps: number, all: number): number {
  const from = at < 0 && steps < 0 ? 0 : at;
  return Math.min(all - 1, Math.max(0, from + steps));
}
