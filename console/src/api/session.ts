/**
 * Who is signed in. The browser keeps that in a cookie that no script can read; the page knows what the server says
 * of it. A page begins anew when somebody else signs in, so that nothing which the one before could read stays.
 */

import { useCallback, useSyncExternalStore } from "react";
import { haltStream, onConnection } from "../live/stream.ts";
import { type Deed, isSame, type Me, may, readMe, whyNot } from "../model/rights.ts";
import { type AskError, answerTo, asAskError, ask, onUnauthenticated } from "./ask.ts";

export type Session =
  | { readonly state: "asking" }
  | { readonly state: "signedIn"; readonly me: Me }
  /** `ended`: why the session that was ended; null where there was none. */
  | { readonly state: "signedOut"; readonly ended: string | null }
  | { readonly state: "unknown"; readonly error: AskError };

/** What of the browser a session is kept with. */
export interface Parts {
  readonly channel: () => Pick<BroadcastChannel, "postMessage" | "onmessage">;
  /** Begins the page anew at its address. */
  readonly reload: () => void;
}

const BROWSER: Parts = {
  channel: () => new BroadcastChannel("stepwell-session"),
  reload: () => location.reload(),
};

const never = new AbortController().signal;

/** The session as one tab has it. */
export class SessionStore {
  #session: Session = { state: "asking" };
  readonly #told = new Set<() => void>();
  #channel: ReturnType<Parts["channel"]> | null = null;
  #checking = false;
  #due = false;

  constructor(readonly parts: Parts = BROWSER) {}

  readonly session = (): Session => this.#session;

  /** Tells of each change. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#told.add(listener);
    return () => {
      this.#told.delete(listener);
    };
  };

  /** Asks who is signed in, and hears from then on of what ends that. Once for the life of the page. */
  readonly begin = (): void => {
    if (this.#channel !== null) return;
    this.#channel = this.parts.channel();
    // Tabs share the cookie: who signs in or out in one of them does so in all.
    this.#channel.onmessage = () => void this.check();
    onUnauthenticated((error) => this.#lost(error));
    void this.check();
  };

  /** Asks who is signed in. Where that is being asked, it is asked once more: the answer may be of before. */
  readonly check = async (): Promise<void> => {
    this.#due = true;
    if (this.#checking) return;
    this.#checking = true;
    while (this.#due) {
      this.#due = false;
      try {
        this.#known(readMe(await ask("/me", never)));
      } catch (error) {
        this.#unknown(asAskError(error));
      }
    }
    this.#checking = false;
  };

  #known(me: Me): void {
    const before = this.#session;
    if (before.state === "signedIn" && isSame(before.me, me)) return;
    // A page of nobody, or of somebody else, is not gone on with.
    if (before.state === "signedIn" || before.state === "signedOut") {
      this.parts.reload();
      return;
    }
    this.#set({ state: "signedIn", me });
    // The stream ends with the session, but does not say why. Who may not look has none.
    if (!may(me, "read")) return;
    onConnection(({ state }) => {
      if (state === "away" && this.#session.state === "signedIn") void this.check();
    });
  }

  #unknown(error: AskError): void {
    // What was known is true until the server says something else; of 401 it has told already.
    if (error.status === 401 || this.#session.state !== "asking") return;
    this.#set({ state: "unknown", error });
  }

  #lost(error: AskError): void {
    if (this.#session.state === "signedOut") return;
    const ended = this.#session.state === "signedIn" ? error.message : null;
    haltStream();
    this.#set({ state: "signedOut", ended });
  }

  /**
   * Signs in with a key, which is kept nowhere.
   *
   * @throws `AskError` where the server does not take it.
   */
  readonly signIn = async (key: string, signal: AbortSignal): Promise<void> => {
    const headers = { accept: "application/json", authorization: `Bearer ${key}` };
    await answerTo("/session", { method: "POST", headers }, signal);
    this.#channel?.postMessage("changed");
    this.parts.reload();
  };

  /** Signs out: of all tabs of this browser. */
  readonly signOut = async (): Promise<void> => {
    await answerTo("/session", { method: "DELETE" }, never);
    this.#channel?.postMessage("changed");
    this.parts.reload();
  };

  #set(session: Session): void {
    this.#session = session;
    for (const tell of this.#told) tell();
  }

  /** Says who is signed in, without asking: for tests of what is shown to whom. */
  readonly assume = (me: Me): void => this.#set({ state: "signedIn", me });
}

/** The session of this tab. */
export const session = new SessionStore();

/** Returns the session, and changes with it. */
export function useSession(): Session {
  return useSyncExternalStore(session.subscribe, session.session);
}

/** Returns who is signed in; null before that is known. */
export function useMe(): Me | null {
  const now = useSyncExternalStore(session.subscribe, session.session);
  return now.state === "signedIn" ? now.me : null;
}

/** Returns what says why whoever is signed in may not do something; null where they may. */
export function useWhyNot(): (deed: Deed) => string | null {
  const me = useMe();
  return useCallback(
    (deed) => (me === null ? "Who you are is not known yet." : whyNot(me, deed)),
    [me],
  );
}
