/** The frame of every act: what will happen, its form, why, the line that does the same, and the button. */

import { type ReactNode, useEffect, useRef, useState } from "react";
import type { Signed } from "../api/act.ts";
import { type AskError, asAskError, type Place } from "../api/ask.ts";
import { TextInput } from "../forms/field.tsx";
import type { SignedWords } from "../model/cli.ts";
import { Copy } from "../ui/copy.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { Foreign } from "../ui/text.tsx";
import { useActsOff } from "./off.ts";
import {
  keepReason,
  person,
  REASON_CHARS_MIN,
  reasons,
  refusedText,
  setPerson,
} from "./signature.ts";

interface ActDialogProps {
  readonly title: ReactNode;
  /** What will happen, in a sentence. */
  readonly lead: ReactNode;
  readonly verb: string;
  readonly leave: string;
  /** The line of the command that does the same. */
  readonly line: (signed: SignedWords) => string;
  /** Why the form cannot be sent as it stands. */
  readonly wrong?: string | null;
  /** Why the act is not possible any more. */
  readonly over?: string | null;
  /** What must be typed first, for acts that cannot be taken back. */
  readonly typed?: string | null;
  /** Whether the act has a reason that is kept. Events and starts have none. */
  readonly unsigned?: boolean;
  readonly reasonHint?: string;
  readonly wide?: boolean;
  readonly perform: (signed: Signed, signal: AbortSignal) => Promise<void>;
  readonly onClose: () => void;
  readonly children?: ReactNode | ((places: readonly Place[]) => ReactNode);
}

/** Shows an act. It stays until the server has said that the act is durable. */
export function ActDialog(props: ActDialogProps): ReactNode {
  const { typed = null, unsigned = false, children } = props;
  const [reason, setReason] = useState("");
  const [by, setBy] = useState(person);
  const [naming, setNaming] = useState(by === "");
  const [name, setName] = useState("");
  const [tried, setTried] = useState(false);
  const { busy, error, run } = usePerform();
  const away = useActsOff();
  const off = props.over ?? away;
  const faults = {
    form: props.wrong ?? null,
    by: unsigned ? null : refusedText("Your name", by, 1),
    reason: unsigned ? null : refusedText("The reason", reason, REASON_CHARS_MIN),
    typed: typed === null || name === typed ? null : "This is not its name",
  };
  const act = () => {
    setTried(true);
    if (busy || off !== null || Object.values(faults).some((fault) => fault !== null)) return;
    const signed = { by: by.trim(), reason: reason.trim() };
    run(async (signal) => {
      await props.perform(signed, signal);
      if (unsigned) return;
      setPerson(signed.by);
      keepReason(signed.reason);
    }, props.onClose);
  };
  const shown = (fault: string | null) => (tried ? fault : null);
  return (
    <Dialog
      title={props.title}
      onClose={props.onClose}
      busy={busy}
      onAct={act}
      wide={props.wide ?? false}
      foot={
        <Foot
          {...props}
          busy={busy}
          off={off}
          by={unsigned || naming ? null : by}
          onAct={act}
          onName={() => setNaming(true)}
        />
      }
    >
      <p className="act-lead">{props.lead}</p>
      <fieldset className="act-form" disabled={busy}>
        {typeof children === "function" ? children(error?.places ?? []) : children}
        {!unsigned && naming && (
          <TextInput
            name="Your name"
            value={by}
            onValue={setBy}
            error={shown(faults.by)}
            hint="Asked for once, and kept in this browser."
          />
        )}
        {!unsigned && (
          <Reason
            value={reason}
            onValue={setReason}
            error={shown(faults.reason)}
            hint={props.reasonHint ?? "Stays in the history of the run, with your name."}
          />
        )}
        {typed !== null && (
          <TextInput
            name={
              <>
                Type <Foreign>{typed}</Foreign> to go on
              </>
            }
            mono
            value={name}
            onValue={setName}
            error={shown(faults.typed)}
          />
        )}
      </fieldset>
      <CommandLine text={props.line({ by, reason })} />
      <Said error={error} off={off} fault={shown(faults.form)} />
    </Dialog>
  );
}

interface Performing {
  readonly busy: boolean;
  readonly error: AskError | null;
  readonly run: (task: (signal: AbortSignal) => Promise<void>, onDone: () => void) => void;
}

/** Runs one act at a time. What the server refuses is kept until the next try. */
function usePerform(): Performing {
  const [state, setState] = useState<{ busy: boolean; error: AskError | null }>({
    busy: false,
    error: null,
  });
  const acting = useRef<AbortController | null>(null);
  useEffect(() => () => acting.current?.abort(), []);
  const run: Performing["run"] = (task, onDone) => {
    const controller = new AbortController();
    acting.current = controller;
    setState({ busy: true, error: null });
    task(controller.signal).then(onDone, (error: unknown) => {
      if (!controller.signal.aborted) setState({ busy: false, error: asAskError(error) });
    });
  };
  return { ...state, run };
}

function Reason(props: {
  readonly value: string;
  readonly onValue: (value: string) => void;
  readonly error: string | null;
  readonly hint: string;
}): ReactNode {
  const [last] = useState(reasons);
  return (
    <div>
      <TextInput name="Reason" {...props} />
      {last.length > 0 && (
        <ul className="reasons" aria-label="Reasons that you gave before">
          {last.map((reason) => (
            <li key={reason}>
              <button type="button" title={reason} onClick={() => props.onValue(reason)}>
                <Foreign>{reason}</Foreign>
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

/** Shows the line that does the same, whole. */
export function CommandLine({ text }: { readonly text: string }): ReactNode {
  return (
    <div className="command">
      <code>
        <Foreign>{text}</Foreign>
      </code>
      <Copy text={() => text} what="the line for a terminal" />
    </div>
  );
}

function Said(props: {
  readonly error: AskError | null;
  readonly off: string | null;
  readonly fault: string | null;
}): ReactNode {
  const { error, off, fault } = props;
  const told = off ?? fault;
  return (
    <div role="alert" className="act-said">
      {error !== null && (
        <p className="act-refused">
          <Foreign>{refusalWords(error)}</Foreign>
          {error.code !== null && <span className="mono"> {error.code}</span>}
        </p>
      )}
      {told !== null && <p className="act-note">{told}</p>}
    </div>
  );
}

function refusalWords(error: AskError): string {
  // Without an answer it may have been done: who tries again should look first.
  if (error.status === 0) {
    return `No answer: ${error.message}. Whether it was done is not known; look at the run before you try again.`;
  }
  return `Not done: ${error.message}.`;
}

function Foot(props: {
  readonly verb: string;
  readonly leave: string;
  readonly busy: boolean;
  readonly off: string | null;
  readonly by: string | null;
  readonly onName: () => void;
  readonly onAct: () => void;
  readonly onClose: () => void;
}): ReactNode {
  const { busy, off, by } = props;
  return (
    <>
      <span className="act-by">
        {by !== null && (
          <>
            As <Foreign>{by}</Foreign>{" "}
            <button type="button" className="plain" disabled={busy} onClick={props.onName}>
              Change
            </button>
          </>
        )}
      </span>
      <button type="button" disabled={busy} onClick={props.onClose}>
        {props.leave}
      </button>
      <button
        type="button"
        className="filled"
        aria-keyshortcuts="Control+Enter"
        disabled={busy || off !== null}
        title={off ?? undefined}
        onClick={props.onAct}
      >
        {busy ? "Waiting for the server" : props.verb}
        <kbd>{isApple() ? "⌘↵" : "Ctrl ↵"}</kbd>
      </button>
    </>
  );
}

function isApple(): boolean {
  return /Mac|iPhone|iPad/.test(navigator.userAgent);
}
