/** The page of one run that was observed: its header, and the views and the inspector of runs. */

import { type ReactNode, useEffect, useMemo, useRef, useState } from "react";
import { asAskError } from "../api/ask.ts";
import { flowsChanged, useLiveQuery } from "../api/live-query.ts";
import { useMe } from "../api/session.ts";
import { type ObservedRun, readObservedRun } from "../model/observed.ts";
import { observedRowId } from "../model/observed-row.ts";
import { type KnownSteps, observedContents } from "../model/observed-run.ts";
import { hasEnded } from "../model/run.ts";
import { flowHref, observedHref, VIEWS, type View } from "../route.ts";
import { Workbench } from "../run/workbench.tsx";
import { useNeighbourKeys } from "../runs/neighbour-keys.ts";
import { Loading, NoAnswer } from "../runs/states.tsx";
import { Link } from "../ui/link.tsx";
import { recall } from "../ui/stored.ts";
import { Foreign } from "../ui/text.tsx";
import { ObservedHeader } from "./observed-header.tsx";

/** An open run is asked for so often: it becomes stuck, or ends, without a word. */
const POLL_MS = 2000;
/** A run of very many events is read less often. */
const MANY_EVENTS = 5000;
const MANY_MS = 5000;

function pollMs(run: ObservedRun | undefined): number | false {
  if (run === undefined || hasEnded(run)) return false;
  return run.events > MANY_EVENTS ? MANY_MS : POLL_MS;
}

interface ObservedPageProps {
  readonly flow: string;
  readonly run: string;
  readonly view: View | null;
}

/** Shows the page. Without a view it is the one that was last used. */
export function ObservedPage({ flow, run, view }: ObservedPageProps): ReactNode {
  const path = `/flows/${encodeURIComponent(flow)}/runs/${encodeURIComponent(run)}`;
  const asked = useLiveQuery({
    path,
    read: readObservedRun,
    when: flowsChanged,
    everyMs: 500,
    pollMs,
  });
  const { data, error, dataUpdatedAt, refetch } = asked;
  const [last] = useState<View>(() => recall("view", VIEWS, "list"));
  const known = useRef<KnownSteps>(new WeakMap());
  const contents = useMemo(() => data && observedContents(data, known.current), [data]);
  const title = data === undefined ? "Stepwell" : `${data.name} ${data.status}, Stepwell`;
  useEffect(() => {
    document.title = title;
  }, [title]);
  useNeighbourKeys(observedRowId(flow, run), view);
  if (contents !== undefined && data !== undefined) {
    return (
      <Workbench
        contents={contents}
        view={view ?? last}
        asOf={hasEnded(data) ? null : dataUpdatedAt}
        header={<ObservedHeader run={data} />}
        hrefOf={(next) => observedHref(flow, run, next)}
      />
    );
  }
  if (error === null) {
    return (
      <main className="page" aria-busy="true">
        <Loading rows={4} />
      </main>
    );
  }
  return <NoRun flow={flow} run={run} error={error} onAgain={() => void refetch()} />;
}

interface NoRunProps {
  readonly flow: string;
  readonly run: string;
  readonly error: Error;
  readonly onAgain: () => void;
}

function NoRun({ flow, run, error, onAgain }: NoRunProps): ReactNode {
  const namespace = useMe()?.namespace ?? "";
  const asked = asAskError(error);
  return (
    <main className="page">
      {asked.status === 404 ? (
        <div className="teach" role="alert">
          <h1>
            No run <Foreign>{run}</Foreign> of <Foreign>{flow}</Foreign> in{" "}
            <Foreign>{namespace}</Foreign>.
          </h1>
          <p>
            Nothing was told of it, it was removed when its time was over, or it belongs to another
            namespace.
          </p>
        </div>
      ) : (
        <NoAnswer what="the run" error={asked} onAgain={onAgain} />
      )}
      <p className="way-out">
        <Link href={flowHref(flow)}>
          <Foreign>{flow}</Foreign>
        </Link>
      </p>
    </main>
  );
}
