/** The entrance: the newest runs. */

import { type ReactNode, useCallback, useEffect, useState } from "react";
import { AskError, ask } from "../api/ask.ts";
import { instant } from "../model/instants.ts";
import type { RunRow } from "../model/run.ts";
import { capital, count, duration, moment, statusWord } from "../model/words.ts";
import { runHref } from "../route.ts";
import { Message } from "../ui/frame.tsx";
import { Glyph, hueOf } from "../ui/glyph.tsx";
import { Link } from "../ui/link.tsx";
import { At, Foreign } from "../ui/text.tsx";

const ROWS = 100;

interface Read {
  readonly rows: readonly RunRow[] | null;
  readonly at: number | null;
  readonly error: AskError | null;
}

/** Shows the newest runs. */
export function RunsPage(): ReactNode {
  const [read, setRead] = useState<Read>({ rows: null, at: null, error: null });
  const refresh = useCallback((signal: AbortSignal) => {
    const at = Date.now();
    ask(`/runs?limit=${ROWS}`, signal).then(
      // The list's rows are the server's word.
      (answer) => setRead({ rows: (answer as { runs: RunRow[] }).runs, at, error: null }),
      (error: unknown) => {
        if (signal.aborted) return;
        const told = error instanceof AskError ? error : new AskError(String(error), 0, null);
        setRead((before) => ({ ...before, error: told }));
      },
    );
  }, []);
  useEffect(() => {
    const leaving = new AbortController();
    const again = () => refresh(leaving.signal);
    again();
    addEventListener("focus", again);
    return () => {
      removeEventListener("focus", again);
      leaving.abort();
    };
  }, [refresh]);
  return <Runs read={read} />;
}

function Runs({ read }: { readonly read: Read }): ReactNode {
  const { rows, error } = read;
  if (rows === null) {
    return error === null ? null : <Message title={`Could not read the runs: ${error.message}.`} />;
  }
  if (rows.length === 0) {
    return (
      <Message title="No runs yet.">
        <p>Connect a runner, then start a run:</p>
        <pre className="mono">{`stepwell runs start WORKFLOW --input '{}' --url ${location.origin}`}</pre>
      </Message>
    );
  }
  return (
    <main className="runs">
      <h1>Newest runs</h1>
      <table>
        <thead>
          <tr>
            <th scope="col">Status</th>
            <th scope="col">Workflow</th>
            <th scope="col">App</th>
            <th scope="col">Steps</th>
            <th scope="col">Started</th>
            <th scope="col">Took</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((run) => (
            <RunLine key={run.id} run={run} />
          ))}
        </tbody>
      </table>
    </main>
  );
}

function RunLine({ run }: { readonly run: RunRow }): ReactNode {
  const started = instant(run.startedAt ?? run.createdAt);
  return (
    <tr>
      <td>
        <span className={`status hue-${hueOf(run.status)}`}>
          <Glyph status={run.status} label="word" />
          {capital(statusWord(run.status))}
        </span>
      </td>
      <td>
        <Link href={runHref(run.id)} className="workflow">
          <Foreign>{run.workflow}</Foreign>{" "}
          <span className="mono" title={run.id}>{`…${run.id.slice(-6)}`}</span>
        </Link>
      </td>
      <td>
        <Foreign>{run.app}</Foreign>
      </td>
      <td>
        {count(run.steps)}
        {run.stepsFailed > 0 && (
          <span className="hue-red failed">{` ${count(run.stepsFailed)} failed`}</span>
        )}
      </td>
      <td>
        <At ms={started}>{moment(started, Date.now())}</At>
      </td>
      <td>{run.durationMs === null ? "–" : duration(run.durationMs)}</td>
    </tr>
  );
}
