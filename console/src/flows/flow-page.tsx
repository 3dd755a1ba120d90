/** The page of a flow: where it breaks, how it does over time, how long its steps take, and its runs. */

import type { ReactNode } from "react";
import { type AskError, asAskError } from "../api/ask.ts";
import { flowsChanged, useLiveQuery } from "../api/live-query.ts";
import { useMe } from "../api/session.ts";
import {
  type FlowView,
  type FlowWindow,
  flowPath,
  flowSentence,
  readFlow,
  standingOf,
  WINDOW_WORDS,
  WINDOWS,
  windowOf,
} from "../model/flows.ts";
import { told } from "../model/sentence.ts";
import { counted, roundDuration, ZONE } from "../model/words.ts";
import { goQuery, useQuery } from "../route.ts";
import { SentenceBox } from "../run/sentence.tsx";
import { Loading, NoAnswer } from "../runs/states.tsx";
import { Copy } from "../ui/copy.tsx";
import { Link } from "../ui/link.tsx";
import { Foreign } from "../ui/text.tsx";
import { Errors } from "./errors.tsx";
import { FlowGraph } from "./flow-graph.tsx";
import { FlowRuns } from "./flow-runs.tsx";
import { Health } from "./health.tsx";
import { Declare } from "./no-flows.tsx";
import { StepTable } from "./step-table.tsx";

/** Runs end and become stuck as time goes on. */
const POLL_MS = 5000;

/** Shows the page. */
export function FlowPage({ flow }: { readonly flow: string }): ReactNode {
  const query = useQuery();
  const window = windowOf(query.get("window"));
  const { data, error, refetch } = useLiveQuery({
    path: flowPath(flow, window),
    read: readFlow,
    when: flowsChanged,
    everyMs: 1000,
    pollMs: POLL_MS,
  });
  return (
    <main className="page flow">
      <div className="page-title">
        <nav className="crumbs" aria-label="Where this flow belongs">
          <Link href="/flows">Flows</Link>
          <span aria-hidden="true">/</span>
        </nav>
        <h1>
          <Foreign>{data?.name ?? flow}</Foreign>
        </h1>
        <span className="mono quiet-2">
          <Foreign>{flow}</Foreign>
        </span>
        <Copy text={() => flow} what="the flow's slug" />
        <Windows window={window} />
      </div>
      {data !== undefined ? (
        <Known view={data} window={window} step={query.get("step")} />
      ) : error !== null ? (
        <Unknown flow={flow} error={asAskError(error)} onAgain={() => void refetch()} />
      ) : (
        <Loading rows={6} />
      )}
    </main>
  );
}

function Windows({ window }: { readonly window: FlowWindow }): ReactNode {
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for what is filled in
    <div className="choice" role="group" aria-label="How far back">
      {WINDOWS.map((one) => (
        <button
          key={one}
          type="button"
          aria-pressed={one === window}
          onClick={() => goQuery({ window: one === "24h" ? null : one })}
        >
          {one.replace(/(\d+)/, "$1\u00a0")}
        </button>
      ))}
    </div>
  );
}

interface KnownProps {
  readonly view: FlowView;
  readonly window: FlowWindow;
  /** The step that is looked at; null for all of them. */
  readonly step: string | null;
}

function Known({ view, window, step }: KnownProps): ReactNode {
  const looked = view.steps.some((one) => one.key === step) ? step : null;
  const look = (key: string) => goQuery({ step: key === looked ? null : key });
  return (
    <div className="flow-body">
      <SentenceBox status={standingOf(view)} parts={told(flowSentence(view, window))} />
      <Health view={view} window={window} />
      <div className="flow-columns">
        <section aria-label="Steps as a graph">
          <h2>
            {view.learned ? "Learned from its runs" : "Declared"}
            <span className="quiet">{counted(countOf(view), "step")}</span>
          </h2>
          {view.learned && view.steps.length > 0 && (
            <p className="quiet-2">Nobody declared this flow: these are the ways its runs went.</p>
          )}
          <FlowGraph view={view} step={looked} onStep={look} />
          {view.learned && <Declare flow={view.flow} />}
        </section>
        <section aria-label="Latency of the steps">
          <h2>
            Latency
            <span className="quiet">{`of each call ${WINDOW_WORDS[window]}`}</span>
          </h2>
          <StepTable view={view} step={looked} onStep={look} />
          <p className="quiet">
            {`Stuck after ${roundDuration(view.stuckAfterMs)} without an end, ended after ${roundDuration(view.quietAfterMs)} without events.`}
          </p>
        </section>
      </div>
      <Errors
        flow={view.flow}
        window={window}
        step={looked}
        onAll={() => goQuery({ step: null })}
      />
      <FlowRuns flow={view.flow} />
      <footer className="page-foot">
        <span className="zone">{`Times in ${ZONE}`}</span>
      </footer>
    </div>
  );
}

/** How many steps are declared; where none are, how many were seen. */
function countOf({ steps, learned }: FlowView): number {
  return learned ? steps.length : steps.filter((one) => one.declared).length;
}

interface UnknownProps {
  readonly flow: string;
  readonly error: AskError;
  readonly onAgain: () => void;
}

function Unknown({ flow, error, onAgain }: UnknownProps): ReactNode {
  const namespace = useMe()?.namespace ?? "";
  if (error.status !== 404) return <NoAnswer what="the flow" error={error} onAgain={onAgain} />;
  return (
    <div className="teach" role="alert">
      <h2>
        No flow <Foreign>{flow}</Foreign> in <Foreign>{namespace}</Foreign>.
      </h2>
      <p>Nobody declared it, and of its runs none is kept.</p>
      <p>
        <Link href="/flows">All flows</Link>
      </p>
    </div>
  );
}
