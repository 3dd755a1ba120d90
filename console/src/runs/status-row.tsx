/** The row of statuses: how many runs are in each under the other filters, and which of them are shown. */

import { type ReactNode, useMemo } from "react";
import { runsChanged, useLiveQuery } from "../api/live-query.ts";
import {
  ENDED_STATUSES,
  type Filters,
  OPEN_STATUSES,
  parametersOf,
  toggleStatus,
} from "../model/filters.ts";
import type { RunStatus } from "../model/run.ts";
import { capital, countOrMore, statusWord } from "../model/words.ts";
import { Glyph } from "../ui/glyph.tsx";

interface Counted {
  readonly runs: number;
  readonly orMore: boolean;
}

/** How many runs there are in each status. */
export type Counts = Readonly<Partial<Record<RunStatus, Counted>>>;

function readCounts(answer: unknown): Counts {
  const { counts } = (answer ?? {}) as { counts?: unknown };
  if (typeof counts !== "object" || counts === null) {
    throw new TypeError("the server's answer holds no counts");
  }
  // What is in an answer of the server's is its word.
  return counts as Counts;
}

/** Counts runs under filters, whatever their statuses; null where the server does not tell. */
export function useCounts(filters: Filters): Counts | null {
  const query = useMemo(() => parametersOf({ ...filters, statuses: [] }).toString(), [filters]);
  const path = query === "" ? "/runs/counts" : `/runs/counts?${query}`;
  return useLiveQuery({ path, read: readCounts, when: runsChanged }).data ?? null;
}

/** Adds up the counts of some statuses. */
export function totalOf(counts: Counts, statuses: readonly RunStatus[]): Counted {
  const all = statuses.map((status) => counts[status]);
  return {
    runs: all.reduce((sum, one) => sum + (one?.runs ?? 0), 0),
    orMore: all.some((one) => one?.orMore === true),
  };
}

/** What the numbers are of, where observed runs are listed too. */
export const COUNTED = "Counts are of durable runs";

const OBSERVED: ReadonlySet<RunStatus> = new Set(["stuck", "running", "failed", "completed"]);

interface StatusRowProps {
  readonly filters: Filters;
  readonly counts: Counts | null;
  /** How many observed runs are stuck; null where nothing is observed. */
  readonly stuck: number | null;
  readonly onChange: (filters: Filters) => void;
}

/** Shows the row. */
export function StatusRow({ filters, counts, stuck, onChange }: StatusRowProps): ReactNode {
  const all = counts && totalOf(counts, [...OPEN_STATUSES, ...ENDED_STATUSES]);
  const isCounted = counts !== null && filters.kind !== "observed";
  const withStuck =
    (stuck !== null || filters.statuses.includes("stuck")) && filters.kind !== "durable";
  // Where only observed runs are shown, so are the statuses that they have.
  const isShown = (status: RunStatus) =>
    (status !== "stuck" || withStuck) && (filters.kind !== "observed" || OBSERVED.has(status));
  const countedOf = (status: RunStatus) => {
    if (status === "stuck") return stuck === null ? null : { runs: stuck, orMore: false };
    return isCounted ? (counts[status] ?? { runs: 0, orMore: false }) : null;
  };
  const one = (status: RunStatus) => (
    <StatusToggle
      key={status}
      status={status}
      isOn={filters.statuses.includes(status)}
      counted={countedOf(status)}
      onToggle={() => onChange(toggleStatus(filters, status))}
    />
  );
  return (
    <fieldset className="statuses">
      <legend className="hidden">Statuses</legend>
      <button
        type="button"
        className="plain"
        aria-pressed={filters.statuses.length === 0}
        title={stuck === null ? undefined : COUNTED}
        onClick={() => onChange({ ...filters, statuses: [] })}
      >
        All
        {all !== null && isCounted && (
          <span className="n">{countOrMore(all.runs, all.orMore)}</span>
        )}
      </button>
      <span className="divider" />
      {OPEN_STATUSES.filter(isShown).map(one)}
      <span className="divider" />
      {ENDED_STATUSES.filter(isShown).map(one)}
    </fieldset>
  );
}

function StatusToggle(props: {
  readonly status: RunStatus;
  readonly isOn: boolean;
  readonly counted: Counted | null;
  readonly onToggle: () => void;
}): ReactNode {
  const { status, isOn, counted } = props;
  const isNone = counted?.runs === 0;
  return (
    <button
      type="button"
      className={isNone ? "plain none" : "plain"}
      aria-pressed={isOn}
      onClick={props.onToggle}
    >
      <Glyph status={status} size={14} label="word" />
      {capital(statusWord(status))}
      {counted !== null && <span className="n">{countOrMore(counted.runs, counted.orMore)}</span>}
    </button>
  );
}
