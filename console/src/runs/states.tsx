/** What stands in the place of the table: nothing yet, no match, no answer. */

import { useQueries } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { type AskError, ask } from "../api/ask.ts";
import { useMe, useWhyNot } from "../api/session.ts";
import {
  countOf,
  type Filters,
  isObservedOnly,
  parametersOf,
  RUN_STATUSES,
  type Without,
  withFilters,
  without,
  wordsOf,
} from "../model/filters.ts";
import { countOrMore, listed, moment, statusWord } from "../model/words.ts";
import { Copy } from "../ui/copy.tsx";
import { Icon } from "../ui/icon.tsx";
import { Link } from "../ui/link.tsx";
import { Foreign } from "../ui/text.tsx";
import { type Counts, totalOf } from "./status-row.tsx";

/** Teaches how the first run comes to be. */
export function NothingYet(): ReactNode {
  const asksForKeys = useMe()?.access === "keys";
  const key = (role: string) => (asksForKeys ? `STEPWELL_KEY=${role}_KEY ` : "");
  const url = location.origin;
  const lines: readonly (readonly [does: string, line: string])[] = [
    ["Install what `make dist` packed", "npm i REPOSITORY/target/npm/*.tgz && npm i -D tsx"],
    ["Connect a runner", `${key("WORKER")}STEPWELL_URL=${url} npx tsx app.ts`],
    ["Start a run", `${key("CLIENT")}npx stepwell runs start WORKFLOW --input '{}' --url ${url}`],
  ];
  return (
    <div className="teach">
      <h2>No runs yet.</h2>
      <ol>
        {lines.map(([does, line], at) => (
          <li key={does}>
            <p>
              {at + 1}. {does}
            </p>
            <span className="teach-line">
              <code>{line}</code>
              <Copy text={() => line} what={`the line: ${does}`} />
            </span>
          </li>
        ))}
      </ol>
      {asksForKeys && (
        <KeysNeeded which="a runner shows one of the role worker, and what starts runs one of the role client" />
      )}
      <p className="quiet">The first run appears here by itself.</p>
    </div>
  );
}

/** Says that programs need keys, which ones, and where they are made. */
export function KeysNeeded({ which }: { readonly which: string }): ReactNode {
  const mayMake = useWhyNot()("keys") === null;
  return (
    <p className="keys-needed">
      This server asks for keys: {which}.{" "}
      {mayMake ? (
        <Link href="/access?act=make">Make a key</Link>
      ) : (
        "Who has the role admin makes them."
      )}
    </p>
  );
}

interface NoMatchProps {
  readonly filters: Filters;
  /** How far back the server has searched, where it is not to the end. */
  readonly searchedTo: string | null;
  readonly onFilters: (filters: Filters) => void;
  readonly onSearchOn: (() => void) | null;
}

/** Says that nothing matches, and what each filter keeps away. */
export function NoMatch({ filters, searchedTo, onFilters, onSearchOn }: NoMatchProps): ReactNode {
  const ways = without(filters);
  const counts = useQueries({
    queries: ways.map(({ rest }) => {
      const path = `/runs/counts?${parametersOf({ ...rest, statuses: [] })}`;
      return {
        queryKey: ["live", path],
        queryFn: async ({ signal }: { signal: AbortSignal }) =>
          // What is in an answer of the server's is its word.
          ((await ask(path, signal)) as { counts: Counts }).counts,
      };
    }),
  });
  const n = countOf(filters);
  const back = searchedTo === null ? "" : ` back to ${moment(Date.parse(searchedTo), Date.now())}`;
  return (
    <div className="teach">
      <h2>{`No run${back} matches ${n === 1 ? "this filter" : `these ${n} filters`}.`}</h2>
      <ul className="ways">
        {ways.map(({ what, rest }, at) => {
          const data = counts[at]?.data;
          const statuses = rest.statuses.length === 0 ? RUN_STATUSES : rest.statuses;
          // Observed runs are not counted.
          const total = isObservedOnly(filters) ? undefined : data && totalOf(data, statuses);
          return (
            <li key={withFilters("", rest)}>
              <button type="button" onClick={() => onFilters(rest)}>
                <Icon name="close" size={10} />
                <Foreign>{nameOf(what, filters)}</Foreign>
              </button>
              {total && (
                <span className="quiet">
                  {`${countOrMore(total.runs, total.orMore)} ${total.runs === 1 ? "run" : "runs"} without it`}
                </span>
              )}
            </li>
          );
        })}
      </ul>
      <p>
        {onSearchOn !== null && (
          <button type="button" onClick={onSearchOn}>
            Search further
          </button>
        )}{" "}
        <Link href="/runs">All runs</Link>
      </p>
    </div>
  );
}

function nameOf(what: Without, filters: Filters): string {
  if (what === "text") return `text “${filters.text}”`;
  if (what === "kind") return `${filters.kind} runs only`;
  if (what === "statuses") return listed(filters.statuses.map(statusWord));
  const { name, relation, value } = wordsOf(what, Date.now());
  return [name, relation, value].filter((word) => word !== "").join(" ");
}

/** Says what was asked and why there is no answer. */
export function NoAnswer({
  what,
  error,
  onAgain,
}: {
  /** What could not be read, as the end of "Could not read …". */
  readonly what: string;
  readonly error: AskError;
  readonly onAgain: () => void;
}): ReactNode {
  return (
    <div className="teach" role="alert">
      <h2>{`Could not read ${what}: ${error.message}.`}</h2>
      {error.code !== null && <p className="mono">{error.code}</p>}
      <p>
        <button type="button" onClick={onAgain}>
          Try again
        </button>
      </p>
    </div>
  );
}

/** The lines of a table before its rows are known; nothing for the first moment. */
export function Loading({ rows = 12 }: { readonly rows?: number }): ReactNode {
  return (
    <div className="loading-lines" aria-busy="true" role="status" aria-label="Reading">
      {Array.from({ length: rows }, (_, at) => (
        <div key={`line ${at}`} />
      ))}
    </div>
  );
}
