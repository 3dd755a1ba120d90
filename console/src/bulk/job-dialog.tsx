/** An act on many runs while it goes on, and after it. */

import { useQuery as useAnswer, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { useActsOff } from "../acts/off.ts";
import { type AskError, asAskError, ask, isRefusal } from "../api/ask.ts";
import { stopBulk } from "../api/bulk.ts";
import {
  isOpen,
  type Job,
  jobTitle,
  jobWords,
  mayHoldEnded,
  type Refusal,
  readJob,
  throughOf,
} from "../model/bulk.ts";
import { instant } from "../model/instants.ts";
import { counted, moment } from "../model/words.ts";
import { runHref } from "../route.ts";
import { ActButton } from "../ui/act-button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { Fact } from "../ui/fact.tsx";
import { Link } from "../ui/link.tsx";
import { At, Foreign, Name } from "../ui/text.tsx";
import { FilterRows } from "./filter-rows.tsx";

const EVERY_MS = 1000;
const never = new AbortController().signal;

interface JobDialogProps {
  readonly id: string;
  readonly onClose: () => void;
}

/** Shows one, and asks how far it is while it goes on. */
export function JobDialog({ id, onClose }: JobDialogProps): ReactNode {
  const off = useActsOff()("bulk");
  const { data, error } = useAnswer({
    queryKey: jobKey(id),
    queryFn: async ({ signal }) => readJob(await ask(`/bulk/${encodeURIComponent(id)}`, signal)),
    enabled: off === null,
    refetchInterval: ({ state }) => {
      const isOver = state.data !== undefined && !isOpen(state.data);
      return isOver || isRefusal(state.error) ? false : EVERY_MS;
    },
  });
  const { stop, isStopping, refused } = useStop(id);
  const goesOn = data !== undefined && isOpen(data);
  const leave = useFocusAfter(goesOn);
  return (
    <Dialog
      title={data === undefined ? "An act on many runs" : jobTitle(data)}
      onClose={onClose}
      foot={
        <>
          {goesOn && (
            <ActButton off={isStopping ? "It is being stopped." : off} onAct={stop}>
              Stop it here
            </ActButton>
          )}
          <button ref={leave} type="button" data-first onClick={onClose}>
            {goesOn ? "Leave it going" : "Close"}
          </button>
        </>
      }
    >
      {data !== undefined && <Progress job={data} />}
      <Unread off={off} error={error} />
      {refused !== null && (
        <p role="alert" className="act-refused">
          <Foreign>{`Not stopped: ${refused.message}.`}</Foreign>
        </p>
      )}
    </Dialog>
  );
}

/** Names the answer about a job in the cache. */
export function jobKey(id: string): readonly string[] {
  return ["bulk", "job", id];
}

/** Says why something of a dialog could not be read. */
export function Unread(props: {
  /** Why it is not asked for. */
  readonly off: string | null;
  readonly error: Error | null;
}): ReactNode {
  const { off, error } = props;
  const words = off ?? (error === null ? null : `Could not read it: ${asAskError(error).message}.`);
  return (
    <div role="alert" className="act-said">
      {words !== null && (
        <p className="act-note">
          <Foreign>{words}</Foreign>
        </p>
      )}
    </div>
  );
}

/** What has the focus while the act goes on may not be there after it: the focus then goes to what is. */
function useFocusAfter(goesOn: boolean) {
  const leave = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    const dialog = leave.current?.closest("dialog");
    if (!goesOn && dialog?.contains(document.activeElement) === false) leave.current?.focus();
  }, [goesOn]);
  return leave;
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
        (job) => client.setQueryData(jobKey(id), job),
        (error: unknown) => setRefused(asAskError(error)),
      )
      .finally(() => setStopping(false));
  };
  return { stop, isStopping, refused };
}

function Progress({ job }: { readonly job: Job }): ReactNode {
  const { refusals, why, reason } = job;
  return (
    <>
      <p className="act-lead" role="status">
        {jobWords(job)}
      </p>
      {/* How many there are is known once all were found. */}
      {job.state === "running" && (
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
        <FilterRows filter={job.filter} />
        {reason !== null && (
          <Fact name="reason">
            <Foreign>{reason}</Foreign>
          </Fact>
        )}
        <Fact name="by">
          <Foreign>{job.by ?? job.createdBy}</Foreign>
        </Fact>
        <Fact name="begun">
          <Moment at={job.createdAt} />
        </Fact>
      </dl>
      {mayHoldEnded(job) && (
        <p className="form-hint">
          Runs that had ended before stay as they were, and count as done.
        </p>
      )}
      {refusals.length > 0 && <Refusals refusals={refusals} />}
    </>
  );
}

/** Shows when something of it was. */
export function Moment({ at }: { readonly at: string }): ReactNode {
  const ms = instant(at);
  return <At ms={ms}>{moment(ms, Date.now())}</At>;
}

/** Why some were not acted on, with one of each. */
function Refusals({ refusals }: { readonly refusals: readonly Refusal[] }): ReactNode {
  return (
    <ul className="bulk-refusals" aria-label="Why some were not acted on">
      {refusals.map((refusal) => (
        <li key={refusal.code + refusal.detail}>
          <p>
            <b>{counted(refusal.runs, "run")}</b> <span className="mono quiet">{refusal.code}</span>
          </p>
          <p className="quiet-2">
            {refusal.runs > 1 && "One of them: "}
            <Told {...refusal} />
          </p>
        </li>
      ))}
    </ul>
  );
}

/** What the server told of a run, which leads to it. */
function Told({ detail, sample }: Refusal): ReactNode {
  const at = detail.indexOf(sample);
  const run = (
    <Link href={runHref(sample)}>
      <Name>{sample}</Name>
    </Link>
  );
  if (at < 0) {
    return (
      <>
        {run}: <Foreign>{detail}</Foreign>
      </>
    );
  }
  return (
    <>
      <Foreign>{detail.slice(0, at)}</Foreign>
      {run}
      <Foreign>{detail.slice(at + sample.length)}</Foreign>
    </>
  );
}
