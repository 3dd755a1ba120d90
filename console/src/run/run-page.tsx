/** The page of one run: header, one of three views over the same steps, and the inspector. */

import { type ReactNode, useEffect, useMemo, useState, useSyncExternalStore } from "react";
import { useMe } from "../api/session.ts";
import { type RunState, RunStore } from "../live/run-store.ts";
import { hasEnded } from "../model/run.ts";
import { go, runHref, VIEWS, type View } from "../route.ts";
import { listHref, standAt, useNeighbours } from "../runs/came-from.ts";
import { NoAnswer } from "../runs/states.tsx";
import { useKeys } from "../ui/keys.ts";
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
  if (state.contents === null) return <Missing id={id} state={state} onAgain={store.refresh} />;
  return (
    <Workbench
      contents={state.contents}
      view={view ?? last}
      asOf={hasEnded(state.contents.run) ? null : (state.asOf ?? Date.now())}
      header={<Header run={state.contents.run} />}
      hrefOf={(next) => runHref(id, next)}
    />
  );
}

/** The keys that lead to the runs before and after in the list that one came from. */
function useNeighbourKeys(id: string, view: View | null): void {
  const { before, after } = useNeighbours(id);
  const to = (run: string | null) =>
    run === null
      ? undefined
      : () => {
          standAt(run);
          go(runHref(run, view ?? undefined), "replace");
        };
  useKeys({ "[": to(before), "]": to(after) });
}

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
