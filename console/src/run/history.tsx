/** The history of a run beside its steps: who did what to it, when and why, and what the engine did by itself. */

import type { ReactNode } from "react";
import { initialsOf, isByPerson, noteWords } from "../model/history.ts";
import { instant } from "../model/instants.ts";
import type { Note, Run } from "../model/run.ts";
import { capital, moment } from "../model/words.ts";
import { At, Foreign } from "../ui/text.tsx";

/** Shows the history, oldest first. */
export function History({ run }: { readonly run: Run }): ReactNode {
  if (run.history.length === 0) {
    return <p className="quiet">Nobody has acted on this run.</p>;
  }
  return (
    <ol className="history">
      {run.history.map((note, at) => (
        // Notes have no names of their own, and never move.
        <Line key={`${at} ${note.at}`} note={note} />
      ))}
    </ol>
  );
}

function Line({ note }: { readonly note: Note }): ReactNode {
  const at = instant(note.at);
  const words = noteWords(note);
  const own = isByPerson(note);
  return (
    <li>
      <span className={own ? "person" : "person engine"} aria-hidden="true">
        {own ? initialsOf(note.by) : ""}
      </span>
      <span>
        {own ? (
          <>
            <strong>
              <Foreign>{note.by ?? "Somebody"}</Foreign>
            </strong>{" "}
            {words}
          </>
        ) : (
          capital(words)
        )}
      </span>
      <At ms={at}>{moment(at, Date.now())}</At>
      {note.detail !== null && (
        <span className="reason">
          <Foreign>{note.detail}</Foreign>
        </span>
      )}
    </li>
  );
}
