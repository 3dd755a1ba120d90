/** The list of flows: those that are declared, and those that were only seen. */

import { type ReactNode, useRef, useState } from "react";
import { asAskError } from "../api/ask.ts";
import { flowsChanged, useLiveQuery } from "../api/live-query.ts";
import { type FlowRow, readFlows } from "../model/flows.ts";
import { instant } from "../model/instants.ts";
import { count, counted, shortMoment, ZONE } from "../model/words.ts";
import { flowHref, go, goQuery, useQuery } from "../route.ts";
import { Loading, NoAnswer } from "../runs/states.tsx";
import { Glyph } from "../ui/glyph.tsx";
import { GridRow, GridTable, useRows } from "../ui/grid-table.tsx";
import { useKeys } from "../ui/keys.ts";
import { Link } from "../ui/link.tsx";
import { useNarrow } from "../ui/narrow.ts";
import { rowAfter, rowKeys } from "../ui/row-keys.ts";
import { SearchField } from "../ui/search-field.tsx";
import { At, Foreign } from "../ui/text.tsx";
import { NoFlows } from "./no-flows.tsx";

const NAME = "flow-row";
const ROW_PX = 36;
const CARD_PX = 64;
/** Runs end and become stuck as time goes on. */
const POLL_MS = 10_000;
const HEADS = [
  ["Flow"],
  ["Steps"],
  ["Last event"],
  ["Runs, 24 h", "n"],
  ["Failed, 24 h", "n"],
  ["Running now", "n"],
  ["Stuck now", "n"],
] as const;

/** Shows the page. */
export function FlowsPage(): ReactNode {
  const text = useQuery().get("q") ?? "";
  const field = useRef<HTMLInputElement>(null);
  const { data, error, refetch } = useLiveQuery({
    path: "/flows",
    read: readFlows,
    when: flowsChanged,
    pollMs: POLL_MS,
  });
  const wanted = text.toLowerCase();
  const rows = data?.filter((row) => `${row.flow}\n${row.name}`.toLowerCase().includes(wanted));
  useKeys({ "/": () => field.current?.focus() });
  return (
    <main className="page flows">
      <div className="page-title">
        <h1>Flows</h1>
        <span className="quiet">code that runs outside Stepwell, and tells of itself</span>
        <SearchField
          field={field}
          text={text}
          onText={(q) => goQuery({ q: q === "" ? null : q }, "replace")}
          placeholder="Name of a flow"
          label="Filter flows by name"
        />
      </div>
      <div className="page-body">
        {rows !== undefined && data !== undefined ? (
          data.length === 0 ? (
            <NoFlows />
          ) : rows.length === 0 ? (
            <NoneNamed text={text} />
          ) : (
            <Table rows={rows} />
          )
        ) : error !== null ? (
          <NoAnswer what="the flows" error={asAskError(error)} onAgain={() => void refetch()} />
        ) : (
          <Loading rows={4} />
        )}
      </div>
      <footer className="page-foot">
        <span>{rows !== undefined && counted(rows.length, "flow")}</span>
        <span className="zone">Times in {ZONE}</span>
      </footer>
    </main>
  );
}

function NoneNamed({ text }: { readonly text: string }): ReactNode {
  return (
    <div className="teach">
      <h2>
        No flow is named <Foreign>{`“${text}”`}</Foreign>.
      </h2>
      <p>
        <Link href="/flows">All flows</Link>
      </p>
    </div>
  );
}

function Table({ rows }: { readonly rows: readonly FlowRow[] }): ReactNode {
  const narrow = useNarrow();
  const height = narrow ? CARD_PX : ROW_PX;
  const [current, setCurrent] = useState<string | null>(null);
  const lines = useRows({ count: rows.length, height, keyAt: (index) => rows[index]?.flow });
  const at = rows.findIndex((row) => row.flow === current);
  const by = (steps: number) => {
    const index = rowAfter(at, steps, rows.length);
    setCurrent(rows[index]?.flow ?? null);
    lines.scrollTo(index);
  };
  useKeys({
    ...rowKeys(by, rows.length, lines.page()),
    Enter: current === null ? undefined : () => go(flowHref(current)),
    Escape: current === null ? undefined : () => setCurrent(null),
  });
  return (
    <div className="grid-table flows-table" ref={lines.scroller}>
      <GridTable
        rows={lines}
        label="Flows: what is stuck first, then by the last event"
        name={NAME}
        heads={HEADS}
        rowCount={rows.length + 1}
        at={at}
        line={(index, slot) => {
          const row = rows[index];
          if (row === undefined) return null;
          return (
            <GridRow
              key={slot}
              id={row.flow}
              name={NAME}
              index={index}
              height={height}
              isCurrent={index === at}
              href={flowHref(row.flow)}
              className={narrow ? "card" : ""}
            >
              {narrow ? <Card row={row} /> : <Cells row={row} />}
            </GridRow>
          );
        }}
      />
    </div>
  );
}

function Cells({ row }: { readonly row: FlowRow }): ReactNode {
  return (
    <>
      <td className="run-name">
        <FlowName row={row} />
      </td>
      <td className="quiet-2">{stepsWords(row)}</td>
      <td className="quiet-2">
        <LastEvent row={row} />
      </td>
      <td className="n">{count(row.last24h.runs)}</td>
      <td className="n">
        <Failed row={row} />
      </td>
      <td className="n">
        <Now status="running" n={row.now.running} />
      </td>
      <td className="n">
        <Now status="stuck" n={row.now.stuck} />
      </td>
    </>
  );
}

function Card({ row }: { readonly row: FlowRow }): ReactNode {
  const { last24h, now } = row;
  return (
    <td>
      <span className="card-line">
        <span className="run-name">
          <FlowName row={row} />
        </span>
        {now.stuck > 0 && <Now status="stuck" n={now.stuck} isAlone />}
        {now.running > 0 && <Now status="running" n={now.running} isAlone />}
      </span>
      <span className="card-line">
        <span className="run-doing">
          {`${counted(last24h.runs, "run")} in 24\u00a0h, `}
          <Failed row={row} /> failed
        </span>
        <span className="run-took">
          <LastEvent row={row} />
        </span>
      </span>
    </td>
  );
}

function FlowName({ row }: { readonly row: FlowRow }): ReactNode {
  return (
    <Link href={flowHref(row.flow)} title={row.flow}>
      <b>
        <Foreign>{row.name}</Foreign>
      </b>
      {row.name !== row.flow && (
        <span className="mono">
          <Foreign>{row.flow}</Foreign>
        </span>
      )}
    </Link>
  );
}

function stepsWords(row: FlowRow): string {
  return row.declared ? `${count(row.steps)} declared` : "not declared";
}

function LastEvent({ row }: { readonly row: FlowRow }): ReactNode {
  if (row.lastAt === null) return "none yet";
  const at = instant(row.lastAt);
  return <At ms={at}>{shortMoment(at, Date.now())}</At>;
}

function Failed({ row }: { readonly row: FlowRow }): ReactNode {
  const { failed } = row.last24h;
  return <span className={failed > 0 ? "in-hue hue-red" : "quiet"}>{count(failed)}</span>;
}

/** How many are so now; none is quiet. */
function Now(props: {
  readonly status: "running" | "stuck";
  readonly n: number;
  /** No column says what it counts. */
  readonly isAlone?: boolean;
}): ReactNode {
  const { status, n, isAlone = false } = props;
  if (n === 0) return <span className="quiet">0</span>;
  return (
    <span className={`now-count in-hue hue-${status === "stuck" ? "amber" : "blue"}`}>
      <Glyph status={status} size={14} label={isAlone ? "alone" : "word"} />
      {count(n)}
    </span>
  );
}
