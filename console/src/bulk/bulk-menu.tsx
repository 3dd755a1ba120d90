/** What can be done to all runs of the list as it is narrowed. */

import type { ReactNode } from "react";
import { useActsOff } from "../acts/off.ts";
import { BULK_ACTS, BULK_WORDS, NO_FILTER } from "../model/bulk.ts";
import { countOf, type Filters, isObservedOnly, parametersOf } from "../model/filters.ts";
import { goQuery } from "../route.ts";
import { downloadFrom } from "../ui/download.tsx";
import { Menu } from "../ui/menu.tsx";

const OBSERVED_ONLY = "Observed runs are outside Stepwell: nothing can be done to them";

/** Shows the menu. */
export function BulkMenu({ filters }: { readonly filters: Filters }): ReactNode {
  const whyOff = useActsOff();
  const isNarrowed = countOf(filters) > 0;
  const outside = isObservedOnly(filters) ? OBSERVED_ONLY : null;
  const off = whyOff("bulk") ?? outside ?? (isNarrowed ? null : NO_FILTER);
  const parameters = parametersOf(filters).toString();
  const address = `/api/v1/runs/export${parameters === "" ? "" : `?${parameters}`}`;
  return (
    <Menu
      label="Act on all that match"
      className="plain"
      items={[
        ...BULK_ACTS.map((act) => ({
          name: `${BULK_WORDS[act].verb} all that match`,
          off,
          onChoose: () => goQuery({ bulk: act }),
        })),
        {
          name: "Export all that match",
          off: whyOff("export") ?? outside,
          onChoose: () => downloadFrom(address, "runs.jsonl"),
        },
        {
          name: "Acts on many runs until now",
          off: whyOff("bulk"),
          onChoose: () => goQuery({ job: "all" }),
        },
      ]}
    >
      Act on all …
    </Menu>
  );
}
