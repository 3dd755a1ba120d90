/** Begins an act on all runs that match: first which ones these are, then why. */

import { useQuery as useAnswer } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { ActDialog } from "../acts/act-dialog.tsx";
import { useActsOff } from "../acts/off.ts";
import { type AskError, asAskError } from "../api/ask.ts";
import { beginBulk, tryBulk } from "../api/bulk.ts";
import {
  BULK_WORDS,
  type BulkAct,
  bulkFilterOf,
  type DryRun,
  type Job,
  leftWords,
  matchedWords,
  NO_FILTER,
  typedOf,
} from "../model/bulk.ts";
import { bulkLine } from "../model/cli.ts";
import { countOf, type Filters } from "../model/filters.ts";
import type { RunRow } from "../model/run.ts";
import { countOrMore } from "../model/words.ts";
import { runHref } from "../route.ts";
import { Glyph } from "../ui/glyph.tsx";
import { Link } from "../ui/link.tsx";
import { Foreign, Name } from "../ui/text.tsx";
import { FilterRows } from "./filter-rows.tsx";

const SAMPLE = 5;

interface BeginDialogProps {
  readonly act: BulkAct;
  readonly filters: Filters;
  readonly onBegun: (job: Job) => void;
  readonly onClose: () => void;
}

/** Shows the act. */
export function BeginDialog({ act, filters, onBegun, onClose }: BeginDialogProps): ReactNode {
  const filter = bulkFilterOf(filters);
  // Sent again after an answer that was lost, it does not begin twice.
  const [key] = useState(newKey);
  const off = useActsOff()("bulk") ?? (countOf(filters) === 0 ? NO_FILTER : null);
  const { data, error } = useAnswer({
    queryKey: ["bulk", "dry", act, filter],
    queryFn: ({ signal }) => tryBulk({ act, filter }, signal),
    enabled: off === null,
    gcTime: 0,
  });
  const { verb, lead } = BULK_WORDS[act];
  const left = data === undefined ? null : leftWords(act, data);
  return (
    <ActDialog
      deed="bulk"
      title={`${verb} all runs that match`}
      lead={leadOf(lead, data)}
      verb={`${verb} them`}
      leave="Leave them"
      over={off ?? uncounted(data, error === null ? null : asAskError(error))}
      typed={data === undefined ? null : typedOf(act, data.matched)}
      reasonHint={
        act === "delete"
          ? "Stays in the audit log: of the runs nothing is left."
          : "Stays in the history of each run, with your name."
      }
      line={(signed) => bulkLine(act, filter, signed)}
      perform={async (signed, signal) => {
        onBegun(await beginBulk({ act, filter }, signed, key, signal));
        return null;
      }}
      onClose={onClose}
    >
      {countOf(filters) > 0 && (
        <dl className="evidence" aria-label="Which runs">
          <FilterRows filter={filter} />
        </dl>
      )}
      {left !== null && <p className="act-note">{left}</p>}
      {data !== undefined && data.sample.length > 0 && <Sample {...data} />}
      <p className="form-hint">
        Runs that begin from now on are not among them. How many refuse it, and why, is told at the
        end.
      </p>
    </ActDialog>
  );
}

/** What the act does, and to which runs; that none matches is said by what is in its way. */
function leadOf(lead: string, data: DryRun | undefined): string {
  return data === undefined || data.matched.runs === 0 ? lead : `${matchedWords(data)} ${lead}`;
}

/** Why nothing is begun before it is known which runs these are. */
function uncounted(data: DryRun | undefined, error: AskError | null): string | null {
  if (data !== undefined) return data.matched.runs === 0 ? "No run matches." : null;
  if (error !== null) return `Could not count the runs: ${error.message}.`;
  return "The runs are being counted.";
}

function Sample({ sample, matched }: DryRun): ReactNode {
  const shown = sample.slice(0, SAMPLE);
  const others = matched.runs - shown.length;
  return (
    <ul className="bulk-sample" aria-label="Some of them">
      {shown.map((run) => (
        <li key={run.id}>
          <Glyph status={run.status} size={14} />
          <RunEnd run={run} />
          <span className="quiet-2 one-line">
            <Foreign>{run.key ?? run.app}</Foreign>
          </span>
        </li>
      ))}
      {others > 0 && (
        <li className="quiet">
          {`and ${countOrMore(others, matched.orMore)} ${others === 1 ? "other" : "others"}`}
        </li>
      )}
    </ul>
  );
}

function RunEnd({ run }: { readonly run: RunRow }): ReactNode {
  return (
    <Link href={runHref(run.id)} className="one-line">
      <Name>{run.workflow}</Name> <span className="run-end mono">…{run.id.slice(-6)}</span>
    </Link>
  );
}

function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return `console-${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}
