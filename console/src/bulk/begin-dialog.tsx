/** Begins an act on all runs that match: first which ones these are, then why. */

import { useQuery as useAnswer } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { ActDialog } from "../acts/act-dialog.tsx";
import { asAskError } from "../api/ask.ts";
import { beginBulk, tryBulk } from "../api/bulk.ts";
import {
  BULK_WORDS,
  type BulkAct,
  bulkFilterOf,
  type Job,
  matchedWords,
  typedOf,
} from "../model/bulk.ts";
import { bulkLine } from "../model/cli.ts";
import type { Filters } from "../model/filters.ts";
import type { RunRow } from "../model/run.ts";
import { counted } from "../model/words.ts";
import { runHref } from "../route.ts";
import { Glyph } from "../ui/glyph.tsx";
import { Link } from "../ui/link.tsx";
import { Foreign, Name } from "../ui/text.tsx";

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
  const { data, error } = useAnswer({
    queryKey: ["bulk", "dry", act, filter],
    queryFn: ({ signal }) => tryBulk({ act, filter }, signal),
    gcTime: 0,
  });
  const { verb, lead } = BULK_WORDS[act];
  const over =
    data === undefined
      ? error === null
        ? "The runs are being counted."
        : `Could not count the runs: ${asAskError(error).message}.`
      : data.matched.runs === 0
        ? "No run matches."
        : null;
  return (
    <ActDialog
      deed="bulk"
      title={`${verb} all runs that match`}
      lead={data === undefined ? lead : `${matchedWords(data)} ${lead}`}
      verb={`${verb} them`}
      leave="Leave them"
      over={over}
      typed={data === undefined ? null : typedOf(act, data.matched)}
      reasonHint="Stays in the history of each run, with your name."
      line={(signed) => bulkLine(act, filter, signed)}
      perform={async (signed, signal) => {
        onBegun(await beginBulk({ act, filter }, signed, key, signal));
        return null;
      }}
      onClose={onClose}
    >
      <dl className="evidence">
        {Object.entries(filter).map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>
              <Foreign>{value}</Foreign>
            </dd>
          </div>
        ))}
      </dl>
      {data !== undefined && data.sample.length > 0 && (
        <Sample runs={data.sample} all={data.matched.runs} />
      )}
      <p className="form-hint">
        Runs that begin from now on are not meant. What a run does not allow is refused for it, and
        told at the end.
      </p>
    </ActDialog>
  );
}

function Sample({ runs, all }: { readonly runs: readonly RunRow[]; readonly all: number }) {
  const shown = runs.slice(0, SAMPLE);
  return (
    <ul className="bulk-sample" aria-label="Some of them">
      {shown.map((run) => (
        <li key={run.id}>
          <Glyph status={run.status} size={14} />
          <Link href={runHref(run.id)}>
            <Name>{run.workflow}</Name> <span className="mono">…{run.id.slice(-6)}</span>
          </Link>
          <span className="quiet-2 one-line">
            <Foreign>{run.key ?? run.app}</Foreign>
          </span>
        </li>
      ))}
      {all > shown.length && (
        <li className="quiet">{`and ${counted(all - shown.length, "other")}`}</li>
      )}
    </ul>
  );
}

function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return `console-${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}
