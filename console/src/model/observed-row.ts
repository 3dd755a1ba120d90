/** Rows of observed runs as the list of runs takes them, beside those of durable ones. */

import type { ObservedRow } from "./observed.ts";
import type { RunRow } from "./run.ts";

/** Runs of two flows may have one id; no name of a flow holds this. */
const BETWEEN = "\u001d";

/** Makes a row of the list. What only durable runs have is nothing. */
export function rowOfObserved(row: ObservedRow): RunRow {
  return {
    id: row.flow + BETWEEN + row.run,
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
