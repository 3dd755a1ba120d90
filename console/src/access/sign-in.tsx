/** The page that asks for a key, in place of the one that the address names. */

import { type FormEvent, type ReactNode, useEffect, useRef, useState } from "react";
import { type AskError, asAskError } from "../api/ask.ts";
import { session } from "../api/session.ts";
import { Field } from "../forms/field.tsx";
import { duration } from "../model/words.ts";
import { Mark } from "../ui/icon.tsx";
import { useNow } from "../ui/now.ts";
import { Foreign } from "../ui/text.tsx";

/** What every key begins with, and what it is made of. What is not like it is no key, and is not sent anywhere. */
const MARK = "sw_";
const KEY = /^sw_[\w-]*$/;

/** Shows the page. `ended` says why the session that was has ended. */
export function SignIn({ ended }: { readonly ended: string | null }): ReactNode {
  useEffect(() => {
    document.title = "Sign in, Stepwell";
  }, []);
  return (
    <main className="sign-in">
      <h1>
        <Mark />
        Stepwell
      </h1>
      <p className="sign-in-where">
        Sign in to <Foreign>{location.host}</Foreign>
      </p>
      {ended !== null && (
        <p className="act-note" role="alert">
          <strong>Your session has ended.</strong> <Foreign>{sentence(ended)}</Foreign>
        </p>
      )}
      <KeyForm />
      <details className="sign-in-help">
        <summary>Where is a key?</summary>
        <p>
          The server printed the first one when it was started for the first time: once, in its
          terminal, or into the file that <code>--admin-key-file</code> named. Whoever has it makes
          others with <code>stepwell keys create</code>.
        </p>
        <p>
          When all are lost, stop the server and make one beside its data:{" "}
          <code>stepwell keys create --data DIR</code>.
        </p>
      </details>
    </main>
  );
}

function KeyForm(): ReactNode {
  const [key, setKey] = useState("");
  const [isShown, setShown] = useState(false);
  const { busy, error, wait, send } = useSending();
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), []);
  const now = useNow(wait === null ? null : 1000);
  // The clock goes by seconds and may be behind: never more than the server said.
  const waits = wait === null ? 0 : Math.min(wait.ms, Math.max(0, wait.until - now));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    field.current?.focus();
    if (!busy && waits === 0) send(key.trim());
  };
  return (
    <form onSubmit={submit}>
      <Field
        name="Key"
        error={error}
        hint="Sent once, and not kept: a cookie that no script can read stands for it, for 12 hours."
        aside={
          <button
            type="button"
            className="link"
            aria-pressed={isShown}
            onClick={() => setShown(!isShown)}
          >
            {isShown ? "Hide" : "Show"}
          </button>
        }
      >
        {({ id, about }) => (
          <input
            ref={field}
            id={id}
            className="input mono"
            type={isShown ? "text" : "password"}
            value={key}
            placeholder={`${MARK}…`}
            autoComplete="off"
            autoCapitalize="off"
            spellCheck={false}
            aria-describedby={about}
            aria-invalid={error !== null}
            onChange={(event) => setKey(event.target.value)}
          />
        )}
      </Field>
      <button type="submit" className="filled" disabled={busy || waits > 0}>
        {waits > 0 ? `Wait ${seconds(waits)}` : busy ? "Waiting for the server" : "Sign in"}
        <kbd>↵</kbd>
      </button>
    </form>
  );
}

interface Sending {
  readonly busy: boolean;
  readonly error: string | null;
  /** How long the server takes no key from here, and until when; null where it does. */
  readonly wait: { readonly ms: number; readonly until: number } | null;
  readonly send: (key: string) => void;
}

function useSending(): Sending {
  const [state, setState] = useState<Omit<Sending, "send">>({
    busy: false,
    error: null,
    wait: null,
  });
  const sending = useRef<AbortController | null>(null);
  useEffect(() => () => sending.current?.abort(), []);
  const send = (key: string) => {
    if (!KEY.test(key)) {
      const error = key === "" ? "A key is needed" : `This is no key: keys begin with ${MARK}`;
      setState({ busy: false, error, wait: null });
      return;
    }
    const controller = new AbortController();
    const { signal } = controller;
    sending.current = controller;
    setState({ busy: true, error: null, wait: null });
    session.signIn(key, signal).catch((thrown: unknown) => {
      if (signal.aborted) return;
      const refused = asAskError(thrown);
      const ms = refused.retryMs;
      const wait = ms === null ? null : { ms, until: Date.now() + ms };
      setState({ busy: false, error: refusalWords(refused), wait });
    });
  };
  return { ...state, send };
}

function refusalWords(error: AskError): string {
  if (error.status === 429) return `There were too many tries. ${sentence(error.message)}`;
  return sentence(error.message);
}

/** Makes a sentence of what the server says. */
function sentence(words: string): string {
  return `${words.charAt(0).toUpperCase()}${words.slice(1).replace(/\.$/, "")}.`;
}

function seconds(ms: number): string {
  return duration(Math.ceil(ms / 1000) * 1000).replace(/\.00/, "");
}
