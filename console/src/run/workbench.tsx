/** A run that is known: its header, its views, its inspector, and the keys for them. */

import {
  lazy,
  type ReactNode,
  Suspense,
  useCallback,
  useEffect,
  useMemo,
  useRef,
  useState,
} from "react";
import { Inspector } from "../inspector/inspector.tsx";
import { List } from "../list/list.tsx";
import type { RunContents } from "../model/contents.ts";
import { nextFailure } from "../model/fan-out.ts";
import { allSteps, isSame, passes, rowsOf, type Selection } from "../model/rows.ts";
import { openKeys } from "../palette/open.ts";
import { go, goQuery, type Move, useQuery, VIEWS, type View } from "../route.ts";
import { Timeline } from "../timeline/timeline.tsx";
import { type Keys, useKeys } from "../ui/keys.ts";
import { useNarrow } from "../ui/narrow.ts";
import { remember, useStored } from "../ui/stored.ts";
import { Toolbar } from "./toolbar.tsx";
import { type Page, PageContext } from "./use-page.ts";
import { timelineKeys, useLooks, ViewControls } from "./view-controls.tsx";

// The graph is large and not always looked at, so it comes when it is.
const Graph = lazy(() => import("../graph/graph.tsx").then(({ Graph }) => ({ default: Graph })));

interface WorkbenchProps {
  readonly contents: RunContents;
  readonly view: View;
  /** Until when an open run is known; null for one that has ended. */
  readonly asOf: number | null;
  readonly header: ReactNode;
  /** Returns the address of a view of this run. */
  readonly hrefOf: (view: View) => string;
}

/** Shows the run. */
export function Workbench(props: WorkbenchProps): ReactNode {
  const { contents, view, asOf, header, hrefOf } = props;
  const query = useQuery();
  const page = usePageOf(contents, view, asOf, query);
  const narrow = useNarrow();
  const [docked, setDocked] = useStored("inspector", ["open", "closed"], "open");
  const looks = useLooks();
  const [slot, setSlot] = useState<HTMLElement | null>(null);
  const field = useRef<HTMLInputElement>(null);
  const { filter, open, now, selected } = page;
  const rows = useMemo(() => rowsOf(contents, filter, open, now), [contents, filter, open, now]);
  const shown = useMemo(
    () => allSteps(contents).reduce((sum, step) => sum + (passes(step, filter) ? 1 : 0), 0),
    [contents, filter],
  );
  const onView = (next: View) => {
    remember("view", next);
    go(hrefOf(next) + location.search);
  };
  const close = () => {
    if (selected !== null) page.select(null);
    else setDocked("closed");
  };
  const onFailuresOnly = () => goQuery({ failures: filter.failuresOnly ? null : "1" });
  useKeys({
    ...pageKeys(page, onView),
    "/": () => field.current?.focus(),
    e: onFailuresOnly,
    i: () => setDocked(docked === "open" ? "closed" : "open"),
    ...(view === "timeline" && timelineKeys(looks)),
    Escape: () => {
      if (document.activeElement === field.current) field.current?.blur();
      else close();
    },
  });
  const inspecting = narrow ? selected !== null : selected !== null || docked === "open";
  const dock = view === "timeline" ? "below" : "beside";
  return (
    <PageContext value={page}>
      <main className="run-page">
        {header}
        <Toolbar
          shown={shown}
          filterField={field}
          onView={onView}
          onFilter={(text) => goQuery({ q: text === "" ? null : text }, "replace")}
          onFailuresOnly={onFailuresOnly}
        >
          <ViewControls view={view} looks={looks} onHelp={openKeys} onSlot={setSlot} />
        </Toolbar>
        <div className={inspecting ? `run-main ${dock}` : "run-main"}>
          {view === "list" && (
            <List rows={rows} times={looks.times} compact={looks.density === "compact"} />
          )}
          {view === "graph" && (
            <Suspense fallback={<div />}>
              <Graph slot={slot} onList={() => onView("list")} />
            </Suspense>
          )}
          {view === "timeline" && (
            <Timeline
              rows={rows}
              folding={looks.folding}
              withPath={looks.withPath}
              slot={slot}
              onList={() => onView("list")}
            />
          )}
          {inspecting && <Inspector dock={narrow ? null : dock} onClose={close} />}
        </div>
      </main>
    </PageContext>
  );
}

function usePageOf(
  contents: RunContents,
  view: View,
  asOf: number | null,
  query: URLSearchParams,
): Page {
  const text = query.get("q") ?? "";
  const failuresOnly = query.get("failures") === "1";
  const filter = useMemo(() => ({ text, failuresOnly }), [text, failuresOnly]);
  const [open, toggleOpen] = useKeySet(query, "open");
  const [spread, toggleSpread] = useKeySet(query, "spread");
  const selected = useSelection(query);
  const latest = useRef(selected);
  useEffect(() => {
    latest.current = selected;
  });
  const select = useCallback((selection: Selection | null, move: Move = "push") => {
    if (isSame(selection, latest.current)) return;
    goQuery(queryOf(selection), move);
  }, []);
  const now = asOf ?? Number.POSITIVE_INFINITY;
  return useMemo(
    () => ({
      ...{ contents, view, selected, filter, open, spread, now },
      ...{ select, toggleOpen, toggleSpread },
    }),
    [contents, view, selected, filter, open, spread, now, select, toggleOpen, toggleSpread],
  );
}

/** A set of keys that stands in the address under a name, and how to put one in or take it out. */
function useKeySet(
  query: URLSearchParams,
  name: string,
): readonly [ReadonlySet<string>, (key: string) => void] {
  const told = query.get(name) ?? "";
  const keys = useMemo(() => new Set(told === "" ? [] : told.split("\u001d")), [told]);
  const toggle = useCallback(
    (key: string) => {
      const next = new Set(keys);
      if (!next.delete(key)) next.add(key);
      goQuery({ [name]: next.size === 0 ? null : [...next].join("\u001d") });
    },
    [keys, name],
  );
  return [keys, toggle];
}

function useSelection(query: URLSearchParams): Selection | null {
  const [step, many, about] = [query.get("step"), query.get("many"), query.get("about")];
  return useMemo(() => {
    if (step !== null) return { type: "step", id: step };
    if (many !== null) return { type: "many", key: many };
    return about === "run" ? { type: "run" } : null;
  }, [step, many, about]);
}

function queryOf(selection: Selection | null): Readonly<Record<string, string | null>> {
  return {
    step: selection?.type === "step" ? selection.id : null,
    many: selection?.type === "many" ? selection.key : null,
    about: selection?.type === "run" ? "run" : null,
  };
}

/** The keys that all views have. */
function pageKeys(page: Page, onView: (view: View) => void): Keys {
  const { contents, selected } = page;
  const failure = (by: 1 | -1) => () => {
    const from = selected?.type === "step" ? selected.id : null;
    const next = nextFailure(contents.steps, from, by);
    if (next !== null) page.select({ type: "step", id: next.id }, "replace");
  };
  const copy = (text: string) => () => void navigator.clipboard.writeText(text);
  return {
    ...Object.fromEntries(VIEWS.map((view, at) => [`${at + 1}`, () => onView(view)])),
    n: failure(1),
    "Shift+n": failure(-1),
    y: copy(contents.run.id),
    "Shift+y": () => copy(location.href)(),
  };
}
