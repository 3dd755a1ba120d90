/** An act on many runs while it goes on and after it; and those until now. */

import { useQuery as useAnswer, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { useActsOff } from "../acts/off.ts";
import { type AskError, asAskError, ask } from "../api/ask.ts";
import { stopBulk } from "../api/bulk.ts";
import {
  BULK_WORDS,
  filterWords,
  isBulkAct,
  isOpen,
  type Job,
  jobWords,
  type Refusal,
  readJob,
  readJobs,
  throughOf,
} from "../model/bulk.ts";
import { instant } from "../model/instants.ts";
import { capital, count, counted, moment } from "../model/words.ts";
import { goQuery, runHref } from "../route.ts";
import { ActButton } from "../ui/act-button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { Link } from "../ui/link.tsx";
import { At, Foreign, Name } from "../ui/text.tsx";

const EVERY_MS = 1000;
const never = new AbortController().signal;

/** Shows one, and asks how far it is while it goes on. */
export function JobDialog(props: { readonly id: string; readonly onClose: () => void }): ReactNode {
  const { id, onClose } = props;
  const key = ["bulk", "job", id];
  const { data, error } = useAnswer({
    queryKey: key,
    queryFn: async ({ signal }) => readJob(await ask(`/bulk/${encodeURIComponent(id)}`, signal)),
    refetchInterval: (query) =>
      query.state.data === undefined || isOpen(query.state.data) ? EVERY_MS : false,
  });
  const { stop, isStopping, refused } = useStop(id);
  const off = useActsOff()("bulk");
  const goesOn = data !== undefined && isOpen(data);
  return (
    <Dialog
      title={data === undefined ? "An act on many runs" : titleOf(data)}
      onClose={onClose}
      foot={
        <>
          <span className="act-by" />
          {goesOn && (
            <ActButton off={isStopping ? "It is being stopped." : off} onAct={stop}>
              Stop it here
            </ActButton>
          )}
          <button type="button" onClick={onClose}>
            {goesOn ? "Leave it going" : "Close"}
          </button>
        </>
      }
    >
      {data !== undefined ? (
        <Progress job={data} />
      ) : (
        error !== null && (
          <p role="alert" className="act-refused">
            <Foreign>{`Could not read it: ${asAskError(error).message}.`}</Foreign>
          </p>
        )
      )}
      {refused !== null && (
        <p role="alert" className="act-refused">
          <Foreign>{`Not stopped: ${refused.message}.`}</Foreign>
        </p>
      )}
    </Dialog>
  );
}

function useStop(id: string) {
  const client = useQueryClient();
  const [isStopping, setStopping] = useState(false);
  const [refused, setRefused] = useState<AskError | null>(null);
  const stop = () => {
    setStopping(true);
    setRefused(null);
    stopBulk(id, never)
      .then(
        (job) => client.setQueryData(["bulk", "job", id], job),
        (error: unknown) => setRefused(asAskError(error)),
      )
      .finally(() => setStopping(false));
  };
  return { stop, isStopping, refused };
}

function titleOf(job: Job): string {
  const { act } = job;
  return `${isBulkAct(act) ? BULK_WORDS[act].verb : capital(act)} ${counted(job.matched, "run")}`;
}

function Progress({ job }: { readonly job: Job }): ReactNode {
  const { act, done, refused, failed, refusals, why, reason } = job;
  return (
    <>
      <p className="act-lead" role="status">
        {jobWords(job)}
      </p>
      {/* How many there are is known once all were found. */}
      {job.state !== "collecting" && job.matched > 0 && (
        <progress
          className="bulk-progress"
          max={job.matched}
          value={throughOf(job)}
          aria-label="Progress"
        />
      )}
      {why !== null && (
        <p className="act-note">
          <Foreign>{why}</Foreign>
        </p>
      )}
      <dl className="evidence">
        <Fact name={capital(isBulkAct(act) ? BULK_WORDS[act].done : act)}>{count(done)}</Fact>
        <Fact name="Refused">{count(refused)}</Fact>
        {failed > 0 && <Fact name="Failed">{count(failed)}</Fact>}
        <Fact name="Which">
          <Foreign>{filterWords(job.filter)}</Foreign>
        </Fact>
        {reason !== null && (
          <Fact name="Why">
            <Foreign>{reason}</Foreign>
          </Fact>
        )}
        <Fact name="Who">
          <Foreign>{job.by ?? job.createdBy}</Foreign>, <Moment at={job.createdAt} />
        </Fact>
      </dl>
      {refusals.length > 0 && <Refusals refusals={refusals} />}
    </>
  );
}

function Fact(props: { readonly name: string; readonly children: ReactNode }): ReactNode {
  return (
    <div>
      <dt>{props.name}</dt>
      <dd>{props.children}</dd>
    </div>
  );
}

function Moment({ at }: { readonly at: string }): ReactNode {
  const ms = instant(at);
  return <At ms={ms}>{moment(ms, Date.now())}</At>;
}

/** Why some were not acted on, with one of each. */
function Refusals({ refusals }: { readonly refusals: readonly Refusal[] }): ReactNode {
  return (
    <ul className="bulk-refusals" aria-label="Why some were not acted on">
      {refusals.map(({ code, runs, sample, detail }) => (
        <li key={code + detail}>
          <p>
            <b>{counted(runs, "run")}</b>: <Foreign>{detail}</Foreign>{" "}
            <span className="mono quiet">{code}</span>
          </p>
          <p className="quiet-2">
            such as{" "}
            <Link href={runHref(sample)}>
              <Name>{sample}</Name>
            </Link>
          </p>
        </li>
      ))}
    </ul>
  );
}

/** Shows those until now, newest first. */
export function JobsDialog({ onClose }: { readonly onClose: () => void }): ReactNode {
  const { data, error } = useAnswer({
    queryKey: ["bulk", "jobs"],
    queryFn: async ({ signal }) => readJobs(await ask("/bulk", signal)),
    staleTime: 0,
  });
  return (
    <Dialog
      title="Acts on many runs"
      onClose={onClose}
      foot={
        <>
          <span className="act-by" />
          <button type="button" onClick={onClose}>
            Close
          </button>
        </>
      }
    >
      {data === undefined ? (
        error !== null && <p role="alert">{`Could not read them: ${asAskError(error).message}.`}</p>
      ) : data.length === 0 ? (
        <p>Nobody has acted on many runs at once yet.</p>
      ) : (
        <ul className="bulk-jobs">
          {data.map((job) => (
            <li key={job.id}>
              <button type="button" className="link" onClick={() => goQuery({ job: job.id })}>
                {titleOf(job)}
              </button>{" "}
              <span className="quiet-2">
                <Moment at={job.createdAt} /> by <Foreign>{job.by ?? job.createdBy}</Foreign>
              </span>
              <p className="quiet-2">{jobWords(job)}</p>
            </li>
          ))}
        </ul>
      )}
    </Dialog>
  );
}
