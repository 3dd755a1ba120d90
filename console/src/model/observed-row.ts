/** Rows of observed runs as the list of runs takes them, beside those of durable ones. */

import type { ObservedRow } from "./observed.ts";
import type { RunRow } from "./run.ts";

/** Returns the id of a row. Runs of two flows may have one name; no name of a flow holds U+001D. */
export function observedRowId(flow: string, run: string): string {
  return `${flow}\u001d${run}`;
}

/** Makes a row of the list. What only durable runs have is nothing. */
export function rowOfObserved(row: ObservedRow): RunRow {
  return {
    id: observedRowId(row.flow, row.run),
    app: "",
    workflow: row.flow,
    status: row.status,
    createdAt: row.startedAt,
    startedAt: row.startedAt,
    endedAt: row.endedAt,
    durationMs: row.durationMs,
    key: null,
    version: null,
    steps: row.steps,
    stepsEnded: row.stepsEnded,
    stepsFailed: row.stepsFailed,
    blocked: null,
    search: scalarsOf(row.metadata),
    error:
      row.error === null ? null : { ...row.error, name: `${row.error.step}: ${row.error.name}` },
    observed: row,
  };
}

/** What of its metadata a row can show. */
function scalarsOf(metadata: ObservedRow["metadata"]): NonNullable<RunRow["search"]> {
  const scalars = Object.entries(metadata ?? {}).flatMap(([name, value]) =>
    typeof value === "string" || typeof value === "number" || typeof value === "boolean"
      ? [[name, value] as const]
      : [],
  );
  return Object.fromEntries(scalars);
}
