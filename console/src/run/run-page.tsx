/** The page of one run: header, one of three views over the same steps, and the inspector. */

import { type ReactNode, useEffect, useMemo, useState, useSyncExternalStore } from "react";
import { type RunState, RunStore } from "../live/run-store.ts";
import { hasEnded } from "../model/run.ts";
import { VIEWS, type View } from "../route.ts";
import { Message } from "../ui/frame.tsx";
import { Link } from "../ui/link.tsx";
import { recall } from "../ui/stored.ts";
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
  if (state.contents === null) return <Missing id={id} state={state} onAgain={store.refresh} />;
  return (
    <Workbench
      contents={state.contents}
      view={view ?? last}
      asOf={hasEnded(state.contents.run) ? null : (state.asOf ?? Date.now())}
    />
  );
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
  if (error === null) return <main className="run-page" aria-busy="true" />;
  if (error.status === 404) {
    return (
      <Message title={`There is no run …${id.slice(-6)}.`}>
        <p>It may have been removed when its time was over, or be kept by another server.</p>
        <p>
          <Link href="/runs">All runs</Link>
        </p>
      </Message>
    );
  }
  return (
    <Message title={`Could not read the run: ${error.message}.`}>
      {error.code !== null && <p>{error.code}</p>}
      <button type="button" onClick={onAgain}>
        Try again
      </button>
    </Message>
  );
}
