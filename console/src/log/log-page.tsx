/** The event log of a run: what was written of it, record by record, and all of it as a file. */

import { type ReactNode, useEffect, useMemo, useRef, useState, useSyncExternalStore } from "react";
import { useMe } from "../api/session.ts";
import { instant } from "../model/instants.ts";
import { oneLine } from "../model/json.ts";
import { bytesText, type LogRecord, recordHas } from "../model/log.ts";
import { clock, counted, shortMoment, ZONE } from "../model/words.ts";
import { goQuery, runHref, useQuery } from "../route.ts";
import { Loading, NoAnswer } from "../runs/states.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { GridRow, GridTable, useRows } from "../ui/grid-table.tsx";
import { JsonView } from "../ui/json-view.tsx";
import { useKeys } from "../ui/keys.ts";
import { Link } from "../ui/link.tsx";
import { useNarrow } from "../ui/narrow.ts";
import { rowAfter, rowKeys } from "../ui/row-keys.ts";
import { SearchField } from "../ui/search-field.tsx";
import { At, Foreign, Name, Pieces } from "../ui/text.tsx";
import { type LogState, LogStore } from "./log-store.ts";

const ROW_PX = 36;
const CARD_PX = 64;
const AHEAD = 60;
const CONTENT_CHARS_MAX = 400;
const NAME = "log-row";
const HEADS = [["No."], ["When"], ["Record"], ["What it holds"], ["Journal"]] as const;

/** Shows the page. */
export function LogPage({ run }: { readonly run: string }): ReactNode {
  const store = useMemo(() => new LogStore(run), [run]);
  const state = useSyncExternalStore(store.subscribe, store.state);
  const query = useQuery();
  const text = query.get("q") ?? "";
  const opened = Number(query.get("n"));
  const field = useRef<HTMLInputElement>(null);
  useKeys({ "/": () => field.current?.focus() });
  const records = useMemo(
    () => (text === "" ? state.records : state.records.filter((one) => recordHas(one, text))),
    [state.records, text],
  );
  const shown = state.records.find(({ n }) => n === opened);
  return (
    <main className="page log-page">
      <div className="page-title">
        <h1>Event log</h1>
        <Link href={runHref(run)} className="mono log-run" title="The run">
          <Foreign>{run}</Foreign>
        </Link>
        <SearchField
          field={field}
          text={text}
          onText={(q) => goQuery({ q: q === "" ? null : q }, "replace")}
          placeholder="Kind of a record, step or value"
          label="Filter records"
        />
      </div>
      <div className="page-body">
        <Records state={state} records={records} store={store} run={run} />
      </div>
      <footer className="page-foot">
        <span>{footWords(state, records.length, text)}</span>
        <span className="zone">Times in {ZONE}</span>
      </footer>
      {shown !== undefined && <RecordDialog record={shown} />}
    </main>
  );
}

function footWords({ records, behind }: LogState, shown: number, text: string): string {
  const all = counted(records.length, "record");
  const size = bytesText(records.at(-1)?.journalBytes ?? 0);
  const read = behind === "end" ? `${all}, ${size}` : `${all} read so far`;
  return text === "" ? read : `${counted(shown, "record")} of ${read}`;
}

function Records(props: {
  readonly state: LogState;
  readonly records: readonly LogRecord[];
  readonly store: LogStore;
  readonly run: string;
}): ReactNode {
  const { state, records, store, run } = props;
  const { behind, error } = state;
  const hasNone = state.records.length === 0;
  const namespace = useMe()?.namespace ?? "";
  // What is looked for may be further on.
  useEffect(() => {
    if (records.length === 0 && behind === "more") store.more();
  }, [store, records, behind]);
  if (hasNone && error?.status === 404) {
    return (
      <div className="teach" role="alert">
        <h2>
          No run <Foreign>{`…${run.slice(-5)}`}</Foreign> in <Foreign>{namespace}</Foreign>.
        </h2>
      </div>
    );
  }
  if (records.length === 0 && error !== null) {
    return <NoAnswer what="the event log" error={error} onAgain={store.again} />;
  }
  if (records.length > 0) {
    return (
      <>
        <Table records={records} onMore={store.more} />
        {error !== null && (
          <p className="runs-foot" role="alert">
            {`Could not read further: ${error.message}. `}
            <button type="button" onClick={store.again}>
              Try again
            </button>
          </p>
        )}
      </>
    );
  }
  if (behind !== "end") return <Loading />;
  return (
    <div className="teach">
      <h2>No record has this text.</h2>
    </div>
  );
}

function Table(props: {
  readonly records: readonly LogRecord[];
  readonly onMore: () => void;
}): ReactNode {
  const { records, onMore } = props;
  const narrow = useNarrow();
  const height = narrow ? CARD_PX : ROW_PX;
  const [current, setCurrent] = useState<number | null>(null);
  const rows = useRows({
    count: records.length,
    height,
    keyAt: (index) => String(records[index]?.n),
  });
  const { last } = rows;
  useEffect(() => {
    if (last >= records.length - AHEAD) onMore();
  }, [last, records.length, onMore]);
  const at = records.findIndex(({ n }) => n === current);
  const by = (steps: number) => {
    const index = rowAfter(at, steps, records.length);
    setCurrent(records[index]?.n ?? null);
    rows.scrollTo(index);
  };
  useKeys({
    ...rowKeys(by, records.length, rows.page()),
    Enter: current === null ? undefined : () => goQuery({ n: String(current) }),
  });
  return (
    <div className="grid-table log-table" ref={rows.scroller}>
      <GridTable
        rows={rows}
        label="Records, the first first"
        name={NAME}
        heads={HEADS}
        rowCount={-1}
        at={at}
        line={(index, slot) => {
          const record = records[index];
          if (record === undefined) return null;
          return (
            <GridRow
              key={slot}
              id={String(record.n)}
              name={NAME}
              index={index}
              height={height}
              className={narrow ? "card" : ""}
              isCurrent={index === at}
              href={hrefOf(record)}
            >
              {narrow ? <Card record={record} /> : <Cells record={record} />}
            </GridRow>
          );
        }}
      />
    </div>
  );
}

/** The address of the page with a record opened, over the list as it is narrowed. */
function hrefOf({ n }: LogRecord): string {
  const query = new URLSearchParams(location.search);
  query.set("n", String(n));
  return `${location.pathname}?${query}`;
}

function Cells({ record }: { readonly record: LogRecord }): ReactNode {
  return (
    <>
      <td className="quiet">{record.n}</td>
      <td className="quiet-2">
        <When record={record} />
      </td>
      <td>
        <Kind record={record} />
      </td>
      <td>
        <Content record={record} />
      </td>
      <td className="quiet">{bytesText(record.journalBytes)}</td>
    </>
  );
}

function Card({ record }: { readonly record: LogRecord }): ReactNode {
  return (
    <td>
      <span className="card-line">
        <span className="run-name">
          <Kind record={record} />
        </span>
        <span className="run-took">
          <When record={record} />
        </span>
      </span>
      <span className="card-line">
        <span className="run-doing">
          <Content record={record} />
        </span>
        <span className="quiet">{record.n}</span>
      </span>
    </td>
  );
}

function When({ record }: { readonly record: LogRecord }): ReactNode {
  if (record.at === null) return "–";
  const at = instant(record.at);
  const isToday = new Date(at).toDateString() === new Date().toDateString();
  return <At ms={at}>{isToday ? clock(at, "milliseconds") : shortMoment(at, Date.now())}</At>;
}

function Kind({ record }: { readonly record: LogRecord }): ReactNode {
  return (
    <Link href={hrefOf(record)} className="event-link">
      <Name>{record.kind}</Name>
    </Link>
  );
}

function Content({ record }: { readonly record: LogRecord }): ReactNode {
  return (
    <span className="one-line">
      <Pieces pieces={oneLine(record.content, CONTENT_CHARS_MAX)} />
    </span>
  );
}

/** All of a record. */
function RecordDialog({ record }: { readonly record: LogRecord }): ReactNode {
  return (
    <Dialog
      wide
      title={
        <>
          <Name>{record.kind}</Name> <span className="run-end">record {record.n}</span>
        </>
      }
      onClose={() => goQuery({ n: null }, "replace")}
    >
      <p className="quiet-2">
        Written <When record={record} />; the journal is {bytesText(record.journalBytes)} long
        behind it. Instants within are microseconds since 1970.
      </p>
      <div className="event-value">
        <JsonView value={record.content} />
      </div>
    </Dialog>
  );
}
