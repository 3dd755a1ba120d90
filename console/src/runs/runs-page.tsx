/** The list of runs: what narrows it stands in the address, and what changes comes in by itself. */

import { useQuery as useAnswer } from "@tanstack/react-query";
import {
  lazy,
  type ReactNode,
  Suspense,
  useEffect,
  useMemo,
  useRef,
  useSyncExternalStore,
} from "react";
import { useActsOff } from "../acts/off.ts";
import { ask } from "../api/ask.ts";
import { flowsChanged, useLiveQuery } from "../api/live-query.ts";
import { BulkMenu } from "../bulk/bulk-menu.tsx";
import { onChanges } from "../live/stream.ts";
import {
  countOf,
  type Filters,
  filtersOf,
  isObservedOnly,
  type Kind,
  listParametersOf,
  putFilter,
  RUN_STATUSES,
  withFilters,
  withKind,
} from "../model/filters.ts";
import { type FlowRow, readFlows } from "../model/flows.ts";
import { countOrMore, ZONE } from "../model/words.ts";
import { go, type Move, runHref, useQuery } from "../route.ts";
import { ActButton, unlessOff } from "../ui/act-button.tsx";
import { useKeys } from "../ui/keys.ts";
import { useStored } from "../ui/stored.ts";
import { type Kept, listOf } from "./came-from.ts";
import type { Known } from "./filter-editor.tsx";
import { FilterRow } from "./filter-row.tsx";
import { Histogram, useActivity } from "./histogram.tsx";
import type { ListState } from "./run-list.ts";
import { type Density, RunsTable } from "./runs-table.tsx";
import { Loading, NoAnswer, NoMatch, NothingYet } from "./states.tsx";
import { COUNTED, StatusRow, totalOf, useCounts } from "./status-row.tsx";

const DENSITIES = ["comfortable", "compact"] as const satisfies readonly Density[];
const ATTRIBUTES_MAX = 12;

// Most who look at the list start nothing.
const BulkDialogs = lazy(async () => ({
  default: (await import("../bulk/bulk-dialogs.tsx")).BulkDialogs,
}));
const StartDialog = lazy(async () => ({
  default: (await import("../acts/start-dialog.tsx")).StartDialog,
}));

/** Shows the page. `starting` lays the form that starts a run over it. */
export function RunsPage({ starting }: { readonly starting: boolean }): ReactNode {
  const query = useQuery();
  const filters = useMemo(() => filtersOf(query), [query]);
  const kept = useKept(filters, query);
  const state = useSyncExternalStore(kept.list.subscribe, kept.list.state);
  useEffect(() => onChanges(kept.list.onChange), [kept]);
  const counts = useCounts(filters);
  const flows = useFlows();
  const activity = useActivity(filters);
  const known = useKnown(state, flows);
  const [density, setDensity] = useStored<Density>("density", DENSITIES, "comfortable");
  const field = useRef<HTMLInputElement>(null);
  const addButton = useRef<HTMLButtonElement>(null);
  const change = (next: Filters, move: Move = "push") =>
    go(`/runs${withFilters(location.search, next)}`, move);
  const whyOff = useActsOff();
  const start = () => go(`/runs/new${location.search}`);
  useKeys({
    "/": () => field.current?.focus(),
    f: () => addButton.current?.click(),
    n: unlessOff(whyOff("start"), start),
    ".": kept.list.showFresh,
  });
  const statuses = filters.statuses.length === 0 ? RUN_STATUSES : filters.statuses;
  // Observed runs are not counted, so where there may be some the sum is not known.
  const isSummed = filters.kind === "durable" || flows.length === 0;
  const total = counts && isSummed ? totalOf(counts, statuses) : null;
  const shown = total ?? { runs: state.rows.length, orMore: state.more !== "none" };
  return (
    <main className="runs">
      <div className="runs-title">
        <h1>Runs</h1>
        {activity !== null && !isObservedOnly(filters) && (
          <Histogram
            activity={activity}
            onChoose={(from, to) => change(between(filters, from, to))}
          />
        )}
        <ActButton className="filled" keys="n" off={whyOff("start")} onAct={start}>
          Start a run <kbd>N</kbd>
        </ActButton>
      </div>
      <StatusRow
        filters={filters}
        counts={counts}
        stuck={flows.length === 0 ? null : flows.reduce((sum, { now }) => sum + now.stuck, 0)}
        onChange={change}
      />
      <FilterRow
        filters={filters}
        known={known}
        field={field}
        addButton={addButton}
        onChange={change}
      >
        {(flows.length > 0 || filters.kind !== undefined) && (
          <KindChoice filters={filters} onChange={change} />
        )}
        <BulkMenu filters={filters} />
        <button
          type="button"
          className="plain density"
          aria-pressed={density === "compact"}
          onClick={() => setDensity(density === "compact" ? "comfortable" : "compact")}
        >
          Compact
        </button>
      </FilterRow>
      <div className="page-body">
        <Body
          kept={kept}
          state={state}
          filters={filters}
          density={density}
          total={total?.runs ?? null}
          onFilters={change}
        />
      </div>
      <footer className="page-foot">
        <span>{`${countOrMore(shown.runs, shown.orMore)} ${shown.runs === 1 ? "run" : "runs"}`}</span>
        {flows.length > 0 && filters.kind === undefined && <span>{COUNTED}</span>}
        <KeyHints />
        <span className="zone">Times in {ZONE}</span>
      </footer>
      {starting && <Start query={query} />}
      {(query.has("bulk") || query.has("job")) && (
        <Suspense>
          <BulkDialogs act={query.get("bulk")} job={query.get("job")} filters={filters} />
        </Suspense>
      )}
    </main>
  );
}

/** The form that starts a run, with what the list is narrowed to. */
function Start({ query }: { readonly query: URLSearchParams }): ReactNode {
  return (
    <Suspense>
      <StartDialog
        workflow={query.get("wf")}
        app={query.get("app")}
        onClose={() => {
          // The run that was started is gone to already.
          if (location.pathname === "/runs/new") go(`/runs${location.search}`, "replace");
        }}
        onStarted={(run) => go(runHref(run))}
      />
    </Suspense>
  );
}

/** The list that these filters make, kept for who comes back to it. */
function useKept(filters: Filters, query: URLSearchParams): Kept {
  const parameters = useMemo(() => listParametersOf(filters).toString(), [filters]);
  const kept = useMemo(() => listOf(parameters), [parameters]);
  useEffect(() => {
    const text = query.toString();
    kept.href = text === "" ? "/runs" : `/runs?${text}`;
  }, [kept, query]);
  return kept;
}

/** Filters by a span of time. */
function between(filters: Filters, from: number, to: number): Filters {
  const since = putFilter(filters, { field: "from", value: new Date(from).toISOString() });
  return putFilter(since, { field: "to", value: new Date(to).toISOString() });
}

interface Workflows {
  readonly workflows: readonly { readonly app: string; readonly name: string }[];
}

/** The flows that there are; none where the server does not tell. */
function useFlows(): readonly FlowRow[] {
  const asked = { path: "/flows", read: readFlows, when: flowsChanged, pollMs: FLOWS_MS };
  return useLiveQuery(asked).data ?? NO_FLOWS;
}

const FLOWS_MS = 15_000;
const NO_FLOWS: readonly FlowRow[] = [];

const KIND_WORDS: readonly (readonly [Kind | null, string])[] = [
  [null, "All"],
  ["durable", "Durable"],
  ["observed", "Observed"],
];

/** Which kind of runs is shown: both, durable ones, or those that are only observed. */
function KindChoice(props: {
  readonly filters: Filters;
  readonly onChange: (filters: Filters) => void;
}): ReactNode {
  const { filters, onChange } = props;
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for what is filled in
    <div className="choice" role="group" aria-label="Kind of runs">
      {KIND_WORDS.map(([kind, words]) => (
        <button
          key={words}
          type="button"
          aria-pressed={(filters.kind ?? null) === kind}
          onClick={() => onChange(withKind(filters, kind))}
        >
          {words}
        </button>
      ))}
    </div>
  );
}

/** What was seen that can be filtered by. */
function useKnown(state: ListState, flows: readonly FlowRow[]): Known {
  const { data } = useAnswer({
    queryKey: ["workflows"],
    // What is in an answer of the server's is its word.
    queryFn: async ({ signal }) => ((await ask("/workflows", signal)) as Workflows).workflows,
    staleTime: 60_000,
  });
  const { rows } = state;
  return useMemo(() => {
    const attributes = new Set<string>();
    for (const row of rows) {
      if (attributes.size >= ATTRIBUTES_MAX) break;
      for (const name of Object.keys(row.search ?? {})) attributes.add(name);
    }
    const names = (all: readonly string[]) => [...new Set(all)].sort();
    return {
      apps: names((data ?? []).map((one) => one.app)),
      workflows: names(
        [...(data ?? []), ...flows].map((one) => ("flow" in one ? one.flow : one.name)),
      ),
      attributes: [...attributes],
    };
  }, [data, rows, flows]);
}

interface BodyProps {
  readonly kept: Kept;
  readonly state: ListState;
  readonly filters: Filters;
  readonly density: Density;
  readonly total: number | null;
  readonly onFilters: (filters: Filters) => void;
}

function Body(props: BodyProps): ReactNode {
  const { kept, state, filters, density, total } = props;
  const { list } = kept;
  if (state.rows.length > 0) {
    return <RunsTable key={list.query} kept={kept} state={state} density={density} total={total} />;
  }
  if (state.error !== null) {
    return <NoAnswer what="the runs" error={state.error} onAgain={list.reload} />;
  }
  if (state.more === "asking") return <Loading />;
  if (countOf(filters) === 0) return <NothingYet />;
  return (
    <NoMatch
      filters={filters}
      searchedTo={state.searchedTo}
      onFilters={props.onFilters}
      onSearchOn={state.more === "ready" ? list.more : null}
    />
  );
}

const HINTS: readonly (readonly [keys: readonly string[], does: string])[] = [
  [["J", "K"], "move"],
  [["Enter"], "open"],
  [["F"], "filter"],
  [["?"], "all keys"],
];

function KeyHints(): ReactNode {
  return HINTS.map(([keys, does]) => (
    <span key={does} className="hint">
      {keys.map((key) => (
        <kbd key={key}>{key}</kbd>
      ))}{" "}
      {does}
    </span>
  ));
}
