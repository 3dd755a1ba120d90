/** The acts on many runs until now, newest first. */

import { useQuery as useAnswer } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useActsOff } from "../acts/off.ts";
import { ask, isRefusal } from "../api/ask.ts";
import { isOpen, type Job, jobTitle, jobWords, readJobs } from "../model/bulk.ts";
import { goQuery } from "../route.ts";
import { Dialog } from "../ui/dialog.tsx";
import { Foreign } from "../ui/text.tsx";
import { FilterLine } from "./filter-rows.tsx";
import { Moment, Unread } from "./job-dialog.tsx";

const EVERY_MS = 2000;

/** Shows them. */
export function JobsDialog({ onClose }: { readonly onClose: () => void }): ReactNode {
  const off = useActsOff()("bulk");
  const { data, error } = useAnswer({
    queryKey: ["bulk", "jobs"],
    queryFn: async ({ signal }) => readJobs(await ask("/bulk", signal)),
    enabled: off === null,
    staleTime: 0,
    refetchInterval: ({ state }) =>
      state.data?.some(isOpen) === true && !isRefusal(state.error) ? EVERY_MS : false,
  });
  return (
    <Dialog
      title="Acts on many runs"
      onClose={onClose}
      foot={
        <button type="button" onClick={onClose}>
          Close
        </button>
      }
    >
      {data?.length === 0 && <p>Nobody has acted on many runs at once in the last 30 days.</p>}
      {data !== undefined && data.length > 0 && (
        <ul className="bulk-jobs">
          {data.map((job) => (
            <Row key={job.id} job={job} />
          ))}
        </ul>
      )}
      <Unread off={off} error={error} />
    </Dialog>
  );
}

function Row({ job }: { readonly job: Job }): ReactNode {
  return (
    <li>
      <p>
        <button type="button" className="link" onClick={() => goQuery({ job: job.id })}>
          {jobTitle(job)}
        </button>
        <span className="quiet">
          <Moment at={job.createdAt} />
        </span>
      </p>
      <p>{jobWords(job)}</p>
      <p className="quiet-2">
        <FilterLine filter={job.filter} /> · by <Foreign>{job.by ?? job.createdBy}</Foreign>
      </p>
    </li>
  );
}
