/** The frame of every act: what will happen, its form, why, the line that does the same, and the button. */

import { type ReactNode, useEffect, useRef, useState } from "react";
import type { Signed } from "../api/act.ts";
import { type AskError, asAskError, type Place } from "../api/ask.ts";
import { TextInput } from "../forms/field.tsx";
import type { SignedWords } from "../model/cli.ts";
import type { Deed } from "../model/rights.ts";
import { Copy } from "../ui/copy.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { platformKey } from "../ui/platform.ts";
import { Foreign } from "../ui/text.tsx";
import { useActsOff } from "./off.ts";
import {
  keepReason,
  REASON_CHARS_MIN,
  reasons,
  refusedText,
  setPerson,
  signer,
} from "./signature.ts";

/**
 * What is kept of an act: nothing of events and starts, why of what the audit log has under the name of the key, and
 * who and why of what stands in the history of a run.
 */
export type Signature = "none" | "why" | "whoAndWhy";

interface ActDialogProps {
  /** What it does, for what whoever is signed in may do. */
  readonly deed: Deed;
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
  /** What is kept of who acts and why; both where this is not given. */
  readonly signature?: Signature;
  readonly reasonHint?: string;
  readonly wide?: boolean;
  /** Does it. Returns what is to be told before the dialog goes; null for nothing. */
  readonly perform: (signed: Signed, signal: AbortSignal) => Promise<string | null>;
  readonly onClose: () => void;
  readonly children?: ReactNode | ((places: readonly Place[]) => ReactNode);
}

/** Shows an act. It stays until the server has said that the act is durable. */
export function ActDialog(props: ActDialogProps): ReactNode {
  const { children } = props;
  const signing = useSigning(props.signature ?? "whoAndWhy", props.typed ?? null);
  const [tried, setTried] = useState(false);
  const { busy, error, told, run } = usePerform();
  const whyOff = useActsOff();
  const off = props.over ?? whyOff(props.deed);
  const fault = props.wrong ?? null;
  const act = () => {
    setTried(true);
    if (busy || off !== null || fault !== null || signing.isWrong) return;
    run(async (signal) => {
      const said = await props.perform(signing.signed, signal);
      signing.keep();
      return said;
    }, props.onClose);
  };
  return (
    <Dialog
      title={props.title}
      onClose={props.onClose}
      busy={busy}
      onAct={act}
      wide={props.wide ?? false}
      under={
        <>
          <fieldset className="act-form" disabled={busy}>
            <SigningFields {...props} signing={signing} tried={tried} />
          </fieldset>
          <CommandLine text={props.line(signing.signed)} />
          <Said error={error} told={told} off={off} fault={tried ? fault : null} />
        </>
      }
      foot={
        <Foot
          {...props}
          busy={busy}
          off={off}
          by={signing.by}
          onAct={act}
          onName={signing.startNaming}
        />
      }
    >
      <p className="act-lead">{props.lead}</p>
      {children !== undefined && (
        <fieldset className="act-form" disabled={busy}>
          {typeof children === "function" ? children(error?.places ?? []) : children}
        </fieldset>
      )}
    </Dialog>
  );
}

/** Who acts and why, while it is typed. */
interface Signing {
  readonly signed: Signed;
  readonly faults: {
    readonly by: string | null;
    readonly reason: string | null;
    readonly typed: string | null;
  };
  readonly isWrong: boolean;
  /** Whether the name is asked for, and whether the reason is. */
  readonly asksWho: boolean;
  readonly asksWhy: boolean;
  /** The name that is taken where it is not asked for; null where there is none. */
  readonly by: string | null;
  readonly startNaming: () => void;
  readonly set: (change: Partial<Typed>) => void;
  readonly now: Typed;
  /** Remembers both for the next act. */
  readonly keep: () => void;
}

interface Typed {
  readonly by: string;
  readonly reason: string;
  readonly name: string;
}

function useSigning(signature: Signature, typed: string | null): Signing {
  const [now, setNow] = useState<Typed>(() => ({ by: signer(), reason: "", name: "" }));
  const [isNaming, setNaming] = useState(now.by === "");
  const hasWho = signature === "whoAndWhy";
  const asksWhy = signature !== "none";
  const signed = { by: now.by.trim(), reason: now.reason.trim() };
  const faults = {
    by: hasWho ? refusedText("Your name", now.by, 1) : null,
    reason: asksWhy ? refusedText("The reason", now.reason, REASON_CHARS_MIN) : null,
    typed: typed === null || now.name === typed ? null : "This is not its name",
  };
  return {
    signed,
    faults,
    isWrong: Object.values(faults).some((fault) => fault !== null),
    asksWho: hasWho && isNaming,
    asksWhy,
    by: hasWho && !isNaming ? signed.by : null,
    startNaming: () => setNaming(true),
    set: (change) => setNow({ ...now, ...change }),
    now,
    keep: () => {
      if (hasWho) setPerson(signed.by);
      if (asksWhy) keepReason(signed.reason);
    },
  };
}

function SigningFields(props: {
  readonly signing: Signing;
  readonly tried: boolean;
  readonly typed?: string | null;
  readonly reasonHint?: string;
}): ReactNode {
  const { signing, tried, typed = null } = props;
  const { now, set, faults } = signing;
  const shown = (fault: string | null) => (tried ? fault : null);
  return (
    <>
      {signing.asksWho && (
        <TextInput
          name="Your name"
          value={now.by}
          onValue={(by) => set({ by })}
          error={shown(faults.by)}
          hint="Asked for once, and kept in this browser."
        />
      )}
      {signing.asksWhy && (
        <Reason
          value={now.reason}
          onValue={(reason) => set({ reason })}
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
          value={now.name}
          onValue={(name) => set({ name })}
          error={shown(faults.typed)}
        />
      )}
    </>
  );
}

interface Performing {
  readonly busy: boolean;
  readonly error: AskError | null;
  /** What was done, but not all that was wanted. */
  readonly told: string | null;
  readonly run: (task: (signal: AbortSignal) => Promise<string | null>, onDone: () => void) => void;
}

const IDLE = { busy: false, error: null, told: null };

/** Runs one act at a time. What the server refuses is kept until the next try. */
function usePerform(): Performing {
  const [state, setState] = useState<Omit<Performing, "run">>(IDLE);
  const acting = useRef<AbortController | null>(null);
  useEffect(() => () => acting.current?.abort(), []);
  const run: Performing["run"] = (task, onDone) => {
    const controller = new AbortController();
    acting.current = controller;
    setState({ ...IDLE, busy: true });
    task(controller.signal).then(
      (told) => {
        if (told === null) onDone();
        else setState({ ...IDLE, told });
      },
      (error: unknown) => {
        if (!controller.signal.aborted) setState({ ...IDLE, error: asAskError(error) });
      },
    );
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
  readonly told: string | null;
  readonly off: string | null;
  readonly fault: string | null;
}): ReactNode {
  const { error, off, fault } = props;
  const told = off ?? fault ?? props.told;
  return (
    <div role="alert" className="act-said">
      {error !== null && (
        <p className="act-refused">
          <Foreign>{refusalWords(error)}</Foreign>
          {error.code !== null && <span className="mono"> {error.code}</span>}
        </p>
      )}
      {told !== null && (
        <p className="act-note">
          <Foreign>{told}</Foreign>
        </p>
      )}
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
        <kbd>{platformKey("⌘↵")}</kbd>
      </button>
    </>
  );
}
