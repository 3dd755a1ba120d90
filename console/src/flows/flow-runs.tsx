/** The runs of a flow, as rows of the list of runs. */

import { type ReactNode, useMemo, useRef, useState } from "react";
import { asAskError } from "../api/ask.ts";
import { flowsChanged, useLiveQuery } from "../api/live-query.ts";
import { type ObservedRunStatus, readObservedRows } from "../model/observed.ts";
import { rowOfObserved } from "../model/observed-row.ts";
import type { RunRow } from "../model/run.ts";
import { capital, counted } from "../model/words.ts";
import { go, goQuery, useQuery } from "../route.ts";
import { rowHref } from "../runs/neighbour-keys.ts";
import { type Layout, NAME, RunLine } from "../runs/run-row.tsx";
import { HEADS } from "../runs/runs-table.tsx";
import { Loading, NoAnswer } from "../runs/states.tsx";
import { Glyph } from "../ui/glyph.tsx";
import { GridTable, type Rows } from "../ui/grid-table.tsx";
import { useKeys } from "../ui/keys.ts";
import { Link } from "../ui/link.tsx";
import { useNarrow } from "../ui/narrow.ts";
import { rowAfter, rowKeys } from "../ui/row-keys.ts";
import { useWidth } from "../ui/width.ts";

const FIRST = 25;
/** More than these are in the list of runs. */
const MOST = 200;
const ROW_PX = 36;
const CARD_PX = 64;
const WIDE_PX = 1180;
/** Runs end and become stuck as time goes on. */
const POLL_MS = 5000;
const STATUSES = [
  "stuck",
  "running",
  "failed",
  "completed",
] as const satisfies readonly ObservedRunStatus[];

/** Shows the runs. Which statuses are shown stands in the address. */
export function FlowRuns({ flow }: { readonly flow: string }): ReactNode {
  const wanted = (useQuery().get("status") ?? "").split(",");
  const statuses = STATUSES.filter((status) => wanted.includes(status));
  const [limit, setLimit] = useState(FIRST);
  const params = new URLSearchParams({ limit: String(limit) });
  if (statuses.length > 0) params.set("status", statuses.join(","));
  const { data, error, refetch } = useLiveQuery({
    path: `/flows/${encodeURIComponent(flow)}/runs?${params}`,
    read: readObservedRows,
    when: flowsChanged,
    everyMs: 1000,
    pollMs: POLL_MS,
  });
  const rows = useMemo(() => data?.runs.map(rowOfObserved), [data]);
  const toggle = (status: ObservedRunStatus) => {
    const next = STATUSES.filter((one) => statuses.includes(one) !== (one === status));
    goQuery({ status: next.length === 0 ? null : next.join(",") });
  };
  const inList = new URLSearchParams({ kind: "observed", wf: flow });
  return (
    <section aria-label="Runs">
      <h2>
        Runs
        <Link href={`/runs?${inList}`}>in the list of runs</Link>
      </h2>
      <fieldset className="statuses">
        <legend className="hidden">Statuses</legend>
        {STATUSES.map((status) => (
          <button
            key={status}
            type="button"
            className="plain"
            aria-pressed={statuses.includes(status)}
            onClick={() => toggle(status)}
          >
            <Glyph status={status} size={14} label="word" />
            {capital(status)}
          </button>
        ))}
      </fieldset>
      {rows === undefined ? (
        error === null ? (
          <Loading rows={4} />
        ) : (
          <NoAnswer what="the runs" error={asAskError(error)} onAgain={() => void refetch()} />
        )
      ) : rows.length === 0 ? (
        <p className="quiet">
          {statuses.length === 0 ? "No run yet." : `No run is ${statuses.join(" or ")}.`}
        </p>
      ) : (
        <Table rows={rows} />
      )}
      {rows !== undefined && data?.next && (
        <p className="runs-more">
          {limit < MOST ? (
            <button type="button" onClick={() => setLimit(MOST)}>
              Show more
            </button>
          ) : (
            <span className="quiet">{`The newest ${counted(rows.length, "run")}.`}</span>
          )}
        </p>
      )}
    </section>
  );
}

function Table({ rows }: { readonly rows: readonly RunRow[] }): ReactNode {
  const box = useRef<HTMLDivElement>(null);
  const width = useWidth(box);
  const narrow = useNarrow();
  const layout: Layout = narrow ? "card" : width >= WIDE_PX ? "wide" : "middle";
  const height = narrow ? CARD_PX : ROW_PX;
  const [current, setCurrent] = useState<string | null>(null);
  const at = rows.findIndex((row) => row.id === current);
  const lines = allRows(rows, height, box);
  const by = (steps: number) => {
    const index = rowAfter(at, steps, rows.length);
    setCurrent(rows[index]?.id ?? null);
    lines.scrollTo(index);
  };
  const row = rows[at];
  useKeys({
    ...rowKeys(by, rows.length, 10),
    Enter: row && (() => go(rowHref(row))),
    Escape: row && (() => setCurrent(null)),
    y: row?.observed && (() => void navigator.clipboard.writeText(row.observed?.run ?? "")),
  });
  return (
    <div className={`grid-table runs-table ${layout}`} ref={box}>
      <GridTable
        rows={lines}
        label="Runs, newest first"
        name={NAME}
        heads={headsOf(layout)}
        rowCount={rows.length + 1}
        at={at}
        line={(index, slot) => {
          const one = rows[index];
          if (one === undefined) return null;
          return (
            <RunLine
              key={slot}
              row={one}
              glance={undefined}
              index={index}
              height={height}
              layout={layout}
              isCurrent={index === at}
              isGone={false}
              onVisit={setCurrent}
              isOneFlow
            />
          );
        }}
      />
    </div>
  );
}

function headsOf(layout: Layout): (typeof HEADS)[Layout] {
  return HEADS[layout].map(([name, of]) => [name === "Workflow" ? "Run" : name, of]);
}

/** All rows are drawn: there are few, and the page scrolls as a whole. */
function allRows(rows: readonly RunRow[], height: number, scroller: Rows["scroller"]): Rows {
  return {
    scroller,
    drawn: rows.map((row, index) => ({ index, slot: row.id })),
    first: 0,
    last: rows.length - 1,
    offset: 0,
    total: rows.length * height,
    scrollTo: (index) => {
      const row = scroller.current?.querySelector(`#${NAME}-${index}`);
      row?.scrollIntoView({ block: "nearest" });
    },
    page: () => 10,
  };
}
