/** The dialog of an act on many runs that the address asks for: asking for one, one that goes on, or those until now. */

import { useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { isBulkAct } from "../model/bulk.ts";
import type { Filters } from "../model/filters.ts";
import { goQuery } from "../route.ts";
import { BeginDialog } from "./begin-dialog.tsx";
import { JobDialog, jobKey } from "./job-dialog.tsx";
import { JobsDialog } from "./jobs-dialog.tsx";

interface BulkDialogsProps {
  readonly act: string | null;
  readonly job: string | null;
  readonly filters: Filters;
}

/** Shows it. */
export function BulkDialogs({ act, job, filters }: BulkDialogsProps): ReactNode {
  const client = useQueryClient();
  const leave = () => goQuery({ job: null }, "replace");
  if (isBulkAct(act)) {
    return (
      <BeginDialog
        key={act}
        act={act}
        filters={filters}
        onBegun={(begun) => {
          client.setQueryData(jobKey(begun.id), begun);
          goQuery({ job: begun.id, bulk: null }, "replace");
        }}
        onClose={() => goQuery({ bulk: null }, "replace")}
      />
    );
  }
  if (job === "all") return <JobsDialog onClose={leave} />;
  return job === null ? null : <JobDialog key={job} id={job} onClose={leave} />;
}
