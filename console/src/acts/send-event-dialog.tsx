/** Send an event: from a wait with what it asks for filled in, or from the page of events with nothing. */

import { type ReactNode, useMemo, useState } from "react";
import { type EventRequest, JsonText, type Sent, sendEvent } from "../api/act.ts";
import { TextInput } from "../forms/field.tsx";
import { JsonField, jsonError } from "../forms/json-field.tsx";
import { compactJson, type Flag, sendLine } from "../model/cli.ts";
import { parseJson } from "../model/json-text.ts";
import { nameOf } from "../model/run.ts";
import { effectOn, type Wait } from "../model/waits.ts";
import { counted } from "../model/words.ts";
import { Foreign, Name } from "../ui/text.tsx";
import { ActDialog } from "./act-dialog.tsx";
import { StepNames } from "./words.tsx";

/** What the dialog begins with. */
export interface InitialEvent {
  readonly event?: string;
  /** As JSON. */
  readonly data?: string;
  /** As JSON; empty for none. */
  readonly match?: string;
  readonly app?: string;
  /** The only run that is to have it. */
  readonly run?: string;
  /** The open waits of that run, to tell what the event would do. */
  readonly waits?: readonly Wait[];
}

interface SendEventDialogProps {
  readonly initial?: InitialEvent;
  readonly over?: string | null;
  readonly onClose: () => void;
  readonly onSent?: (sent: Sent) => void;
}

interface Draft {
  readonly event: string;
  readonly data: string;
  readonly match: string;
  readonly app: string;
  readonly run: string;
  readonly id: string;
}

/** Shows the act. */
export function SendEventDialog(props: SendEventDialogProps): ReactNode {
  const { initial = {}, onClose, onSent } = props;
  const { waits = [], ...given } = initial;
  const [draft, setDraft] = useState<Draft>({
    event: "",
    data: "{}",
    match: "",
    app: "",
    run: "",
    id: "",
    ...given,
  });
  const { event, data, match } = draft;
  const set = (change: Partial<Draft>) => setDraft({ ...draft, ...change });
  return (
    <ActDialog
      deed="send"
      title={
        event.trim() === "" ? (
          "Send an event"
        ) : (
          <>
            Send the event <Name>{event}</Name>
          </>
        )
      }
      lead={<Lead run={draft.run} app={draft.app} />}
      verb="Send the event"
      leave="Leave it"
      signature="none"
      over={props.over ?? null}
      wrong={wrongIn(draft)}
      line={() => sendLine(event.trim(), flagsOf(draft))}
      perform={async (_, signal) => {
        const sent = await sendEvent(requestOf(draft), signal);
        onSent?.(sent);
        return nothingDone(sent);
      }}
      onClose={onClose}
    >
      <TextInput name="Event" mono value={event} onValue={(next) => set({ event: next })} />
      <JsonField
        name="Data"
        text={data}
        onText={(next) => set({ data: next })}
        optional
        isFirst={initial.event !== undefined}
        hint="What the waiting code is given."
      />
      <JsonField
        name="Match"
        text={match}
        onText={(next) => set({ match: next })}
        optional
        hint="What waits are held against. Without it, that is the data."
      />
      <Foretold waits={draft.run === initial.run ? waits : []} {...{ event, data, match }} />
      <MoreFields draft={draft} set={set} />
    </ActDialog>
  );
}

function MoreFields(props: {
  readonly draft: Draft;
  readonly set: (change: Partial<Draft>) => void;
}): ReactNode {
  const { draft, set } = props;
  return (
    <details className="form-more">
      <summary>More</summary>
      <TextInput
        name="Only for the waits of the run"
        mono
        value={draft.run}
        onValue={(run) => set({ run })}
        hint="It then starts nothing."
      />
      <TextInput name="Only for the app" mono value={draft.app} onValue={(app) => set({ app })} />
      <TextInput
        name="Id"
        mono
        value={draft.id}
        onValue={(id) => set({ id })}
        hint="Sent again with the same id, it does nothing more."
      />
    </details>
  );
}

function wrongIn({ event, data, match }: Draft): string | null {
  if (event.trim() === "") return "The event needs a name.";
  const isJson = jsonError(data, true) === null && jsonError(match, true) === null;
  return isJson ? null : "What was typed is no JSON yet.";
}

function flagsOf(draft: Draft): readonly Flag[] {
  const { data, match, id, app, run } = draft;
  const given = (text: string) => (text.trim() === "" ? null : text.trim());
  return [
    ["--data", data.trim() === "" ? null : compactJson(data)],
    ["--match", match.trim() === "" ? null : compactJson(match)],
    ["--id", given(id)],
    ["--app", given(app)],
    ["--run", given(run)],
  ];
}

function requestOf({ event, data, match, id, app, run }: Draft): EventRequest {
  return {
    event: event.trim(),
    ...(data.trim() !== "" && { data: new JsonText(data) }),
    ...(match.trim() !== "" && { match: new JsonText(match) }),
    ...(id.trim() !== "" && { id: id.trim() }),
    ...(app.trim() !== "" && { app: app.trim() }),
    ...(run.trim() !== "" && { run: run.trim() }),
  };
}

/** The event is durable, but whoever sent it to a run wanted that run to move. */
function nothingDone(sent: Sent): string | null {
  if (!sent.accepted)
    return `An event with the id ${sent.id} was sent before, so this one does nothing.`;
  if (sent.delivered !== 0) return null;
  return `The event is kept, but woke nothing${sent.reason === undefined ? "" : `: ${sent.reason}`}.`;
}

function Lead(props: { readonly run: string; readonly app: string }): ReactNode {
  const { run, app } = props;
  if (run !== "") {
    return (
      <>
        The waits of run <span className="mono">…{run.slice(-6)}</span> that it fits go on with its
        data. It starts nothing.
      </>
    );
  }
  return (
    <>
      It starts every workflow that triggers on it, and wakes every wait that it fits
      {app !== "" && (
        <>
          , in the app <Foreign>{app}</Foreign> only
        </>
      )}
      .
    </>
  );
}

function Foretold(props: {
  readonly waits: readonly Wait[];
  readonly event: string;
  readonly data: string;
  readonly match: string;
}): ReactNode {
  const { waits, event, data, match } = props;
  const effect = useMemo(() => {
    const parsed = parseJson(match.trim() === "" ? data || "null" : match);
    return parsed.ok ? effectOn(waits, event.trim(), parsed.value) : null;
  }, [waits, event, data, match]);
  if (waits.length === 0 || effect === null) return null;
  const [miss] = effect.misses;
  return (
    <div className="act-note" aria-live="polite">
      {effect.wakes.length > 0 ? (
        <p>
          Will wake {counted(effect.wakes.length, "wait")}:{" "}
          <StepNames ids={effect.wakes.map((wait) => wait.step)} />.
        </p>
      ) : (
        <p>Will wake no wait{miss === undefined ? `: none is open for this name` : ""}.</p>
      )}
      {miss !== undefined && (
        <p>
          <Name>{nameOf(miss.wait.step)}</Name> asks for{" "}
          <code>
            <u>
              <Foreign>{miss.difference.path === "" ? "the whole" : miss.difference.path}</Foreign>
            </u>{" "}
            <Foreign>{short(miss.difference.expected)}</Foreign>
          </code>
          , the event has{" "}
          <code>
            <Foreign>{short(miss.difference.found)}</Foreign>
          </code>
          .
        </p>
      )}
    </div>
  );
}

const SHORT_CHARS = 80;

function short(value: unknown): string {
  if (value === undefined) return "nothing";
  const text = JSON.stringify(value);
  return text.length > SHORT_CHARS ? `${text.slice(0, SHORT_CHARS)}…` : text;
}
