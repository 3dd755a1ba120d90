/** The audit log: who did what, on what, when, and what came of it. */

import { type ReactNode, useEffect, useRef, useState } from "react";
import { useWhyNot } from "../api/session.ts";
import type { AuditFilter, AuditRow } from "../model/access.ts";
import { counted } from "../model/words.ts";
import { goQuery, useQuery } from "../route.ts";
import { Loading, NoAnswer } from "../runs/states.tsx";
import { GridTable, useRows } from "../ui/grid-table.tsx";
import { useKeys } from "../ui/keys.ts";
import { useNarrow } from "../ui/narrow.ts";
import { rowAfter, rowKeys } from "../ui/row-keys.ts";
import { SearchField } from "../ui/search-field.tsx";
import { AuditDialog } from "./audit-dialog.tsx";
import { AuditLine, NAME, rowHref } from "./audit-row.tsx";
import { PartFrame } from "./part-frame.tsx";
import { type Audit, useAudit, useKeyList, useNamespaces } from "./queries.ts";

const ROW_PX = 36;
const CARD_PX = 64;
const AHEAD = 40;
const HEADS = [["When"], ["Who"], ["Act"], ["On"], ["Why"], ["Namespace"], ["Answer"]] as const;

function useFilter(): AuditFilter {
  const query = useQuery();
  const of = (name: string) => query.get(name) ?? "";
  return {
    namespace: of("namespace"),
    key: of("key"),
    act: of("do"),
    from: of("from"),
    to: of("to"),
  };
}

/** Shows the part. */
export function AuditPart(): ReactNode {
  const filter = useFilter();
  const audit = useAudit(filter, useWhyNot()("audit") === null);
  const wanted = Number(useQuery().get("n"));
  const { acts } = audit;
  return (
    <PartFrame
      part="audit"
      deed="audit"
      count={`${counted(acts.length, "act")}${audit.isWhole ? "" : " so far"}`}
      readAt={audit.readAt}
      controls={<FilterFields filter={filter} />}
    >
      <Acts audit={audit} isNarrowed={Object.values(filter).some((one) => one !== "")} />
      {wanted > 0 && (
        <AuditDialog n={wanted} known={acts} onClose={() => goQuery({ n: null }, "replace")} />
      )}
    </PartFrame>
  );
}

function Acts(props: { readonly audit: Audit; readonly isNarrowed: boolean }): ReactNode {
  const { acts, error, isPending, again, more } = props.audit;
  if (error !== null && acts.length === 0) {
    return <NoAnswer what="the audit log" error={error} onAgain={again} />;
  }
  if (isPending) return <Loading />;
  if (acts.length > 0) return <Table acts={acts} onMore={more} />;
  return (
    <div className="teach">
      <h2>{props.isNarrowed ? "No act matches these filters." : "Nobody has acted yet."}</h2>
      <p className="quiet-2">
        Acts on runs, keys and namespaces are here, with who did them and what came of it.
      </p>
    </div>
  );
}

/** What the log is narrowed by. */
function FilterFields({ filter }: { readonly filter: AuditFilter }): ReactNode {
  const field = useRef<HTMLInputElement>(null);
  useKeys({ "/": () => field.current?.focus() });
  const put = (name: string) => (value: string) => goQuery({ [name]: value === "" ? null : value });
  return (
    <div className="audit-filters">
      <SearchField
        field={field}
        text={filter.act}
        onText={(act) => goQuery({ do: act === "" ? null : act }, "replace")}
        placeholder="Act: runs, keys.create"
        label="Filter by act"
      />
      <KeyChoice value={filter.key} onValue={put("key")} />
      <NamespaceChoice value={filter.namespace} onValue={put("namespace")} />
      <Day label="From" value={filter.from} onValue={put("from")} />
      <Day label="To" value={filter.to} onValue={put("to")} />
    </div>
  );
}

interface FieldProps {
  readonly value: string;
  readonly onValue: (value: string) => void;
}

function Day({ label, value, onValue }: FieldProps & { readonly label: string }): ReactNode {
  return (
    <label className="day">
      {label}{" "}
      <input
        type="date"
        className="input"
        value={value}
        onChange={(event) => onValue(event.target.value)}
      />
    </label>
  );
}

function KeyChoice({ value, onValue }: FieldProps): ReactNode {
  const { data = [] } = useKeyList(useWhyNot()("keys") === null);
  const options = data.map(({ id, name }) => [id, `${name} (${id})`] as const);
  return <Choice label="Key" all="Every key" {...{ value, onValue, options }} />;
}

/** For who administers the server; the others see their own namespace. */
function NamespaceChoice({ value, onValue }: FieldProps): ReactNode {
  const mayAll = useWhyNot()("namespaces") === null;
  const { data = [] } = useNamespaces(mayAll);
  if (!mayAll) return null;
  const options = data.map(({ name }) => [name, name] as const);
  return <Choice label="Namespace" all="Every namespace" {...{ value, onValue, options }} />;
}

function Choice(
  props: FieldProps & {
    readonly label: string;
    readonly all: string;
    readonly options: readonly (readonly [value: string, words: string])[];
  },
): ReactNode {
  const { value, options } = props;
  const isKnown = value === "" || options.some(([one]) => one === value);
  return (
    <select
      className="input"
      aria-label={props.label}
      value={value}
      onChange={(event) => props.onValue(event.target.value)}
    >
      <option value="">{props.all}</option>
      {!isKnown && <option value={value}>{value}</option>}
      {options.map(([one, words]) => (
        <option key={one} value={one}>
          {words}
        </option>
      ))}
    </select>
  );
}

function Table(props: { readonly acts: readonly AuditRow[]; readonly onMore: () => void }) {
  const { acts, onMore } = props;
  const narrow = useNarrow();
  const height = narrow ? CARD_PX : ROW_PX;
  const [current, setCurrent] = useState<number | null>(null);
  const rows = useRows({
    count: acts.length,
    height,
    keyAt: (index) => String(acts[index]?.n),
  });
  const { last } = rows;
  useEffect(() => {
    if (last >= acts.length - AHEAD) onMore();
  }, [last, acts.length, onMore]);
  const at = acts.findIndex(({ n }) => n === current);
  const by = (steps: number) => {
    const index = rowAfter(at, steps, acts.length);
    setCurrent(acts[index]?.n ?? null);
    rows.scrollTo(index);
  };
  useKeys({
    ...rowKeys(by, acts.length, rows.page()),
    Enter: current === null ? undefined : () => goQuery({ n: String(current) }),
  });
  return (
    <div className="grid-table audit-table" ref={rows.scroller}>
      <GridTable
        rows={rows}
        label="Acts, newest first"
        name={NAME}
        heads={HEADS}
        rowCount={-1}
        at={at}
        line={(index, slot) => {
          const act = acts[index];
          if (act === undefined) return null;
          return (
            <AuditLine
              key={slot}
              act={act}
              href={rowHref(act)}
              index={index}
              height={height}
              narrow={narrow}
              isCurrent={index === at}
            />
          );
        }}
      />
    </div>
  );
}
