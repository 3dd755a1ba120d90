/** The keys that lead to the runs before and after in the list that one came from. */

import type { RunRow } from "../model/run.ts";
import { go, observedHref, runHref, type View } from "../route.ts";
import { useKeys } from "../ui/keys.ts";
import { standAt, useNeighbours } from "./came-from.ts";

/** Returns where a row leads: to its run, durable or observed. */
export function rowHref({ id, observed }: RunRow, view?: View): string {
  return observed === undefined
    ? runHref(id, view)
    : observedHref(observed.flow, observed.run, view);
}

/** Listens for them; `id` is that of the row whose run is shown. */
export function useNeighbourKeys(id: string, view: View | null): void {
  const { before, after } = useNeighbours(id);
  const to = (row: RunRow | null) =>
    row === null
      ? undefined
      : () => {
          standAt(row.id);
          go(rowHref(row, view ?? undefined), "replace");
        };
  useKeys({ "[": to(before), "]": to(after) });
}
