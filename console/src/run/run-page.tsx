/** The page of one run: header, one of three views over the same steps, and the inspector. */

import { type ReactNode, useEffect, useMemo, useState, useSyncExternalStore } from "react";
import { flowsChanged, useLiveQuery } from "../api/live-query.ts";
import { useMe } from "../api/session.ts";
import { type RunState, RunStore } from "../live/run-store.ts";
import type { RunContents } from "../model/contents.ts";
import { readObservedRuns } from "../model/observed.ts";
import { withBeside } from "../model/observed-run.ts";
import { hasEnded } from "../model/run.ts";
import { runHref, VIEWS, type View } from "../route.ts";
import { listHref } from "../runs/came-from.ts";
import { useNeighbourKeys } from "../runs/neighbour-keys.ts";
import { NoAnswer } from "../runs/states.tsx";
import { Link } from "../ui/link.tsx";
import { recall } from "../ui/stored.ts";
import { Foreign } from "../ui/text.tsx";
import { Header } from "./header.tsx";
import { Workbench } from "./workbench.tsx";

/** Shows the page. Without a view it is the one that was last used. */
export function RunPage({
  id,
  view,
}: {
  readonly id: string;
  readonly view: View | null;
}): ReactNode {
  const store = useMemo(() => new RunStore(id), [id]);
  const state = useSyncExternalStore(store.subscribe, store.state);
  const [last] = useState<View>(() => recall("view", VIEWS, "list"));
  const run = state.contents?.run;
  const title = run === undefined ? "Stepwell" : `${run.workflow} ${run.status}, Stepwell`;
  useEffect(() => {
    document.title = title;
  }, [title]);
  useNeighbourKeys(id, view);
  const contents = useBeside(id, state.contents);
  if (contents === null) return <Missing id={id} state={state} onAgain={store.refresh} />;
  return (
    <Workbench
      contents={contents}
      view={view ?? last}
      asOf={hasEnded(contents.run) ? null : (state.asOf ?? Date.now())}
      header={<Header run={contents.run} />}
      hrefOf={(next) => runHref(id, next)}
    />
  );
}

/** Puts the observed runs of the same id or trace beside the steps of a run. */
function useBeside(id: string, contents: RunContents | null): RunContents | null {
  const { data } = useLiveQuery({
    path: contents === null ? null : `/runs/${encodeURIComponent(id)}/observed`,
    read: readObservedRuns,
    when: flowsChanged,
    pollMs: (runs) => (runs?.every(hasEnded) === false ? BESIDE_MS : false),
  });
  return useMemo(
    () => (contents === null || data === undefined ? contents : withBeside(contents, data)),
    [contents, data],
  );
}

/** Open ones become stuck, or end, without a word. */
const BESIDE_MS = 2000;

function Missing({
  id,
  state,
  onAgain,
}: {
  readonly id: string;
  readonly state: RunState;
  readonly onAgain: () => void;
}): ReactNode {
  const { error } = state;
  const namespace = useMe()?.namespace ?? "";
  if (error === null) return <RunLines />;
  return (
    <main className="page">
      {error.status === 404 ? (
        <div className="teach" role="alert">
          <h1>
            No run <Foreign>{`…${id.slice(-5)}`}</Foreign> in <Foreign>{namespace}</Foreign>.
          </h1>
          <p>It may have been removed when its time was over, or belong to another namespace.</p>
          <p className="mono gone-id">
            <Foreign>{id}</Foreign>
          </p>
        </div>
      ) : (
        <NoAnswer what="the run" error={error} onAgain={onAgain} />
      )}
      <p className="way-out">
        <Link href={listHref()}>Runs</Link>
      </p>
    </main>
  );
}

/** The lines of a run's page before it is known. */
function RunLines(): ReactNode {
  return (
    <main className="run-page" aria-busy="true">
      <div className="run-lines">
        <div />
        <div />
        <div />
      </div>
    </main>
  );
}
