/**
 * The server's stream of changes, one for all tabs of a browser.
 *
 * A browser opens six connections to a server at most, so tabs share: the one that holds the lock reads the
 * stream and passes on what it hears; where it closes, the next one gets the lock. A tab that hears nothing
 * of the reader for a while knows no more than one that is away.
 */

import { useSyncExternalStore } from "react";

/** What changed since the last time. */
export interface Change {
  /** Runs with new records, and how long their journals are now, in bytes. */
  readonly runs: ReadonlyMap<string, number>;
  /** More runs changed than are named. */
  readonly others: boolean;
  /** Events were accepted, or did something. */
  readonly events: boolean;
  /** Runners came or went. */
  readonly runners: boolean;
  /** Something was observed, or a flow was declared. */
  readonly flows: boolean;
}

/** How the page stands with the server. */
export interface Connection {
  /** `connecting` before the first word, `away` once the server is not heard any more. */
  readonly state: "connecting" | "live" | "away";
  /** Until when all is known, by this browser's clock; null before the first word. */
  readonly asOf: number | null;
  /** When the server is asked again, by this browser's clock; null where it is heard. */
  readonly retryAt: number | null;
}

/** What the reader tells the other tabs. */
type Word =
  | { readonly type: "change"; readonly change: Change; readonly id: string }
  | { readonly type: "state"; readonly connection: Connection }
  /** A tab that has just come asks how things stand. */
  | { readonly type: "who" };

const PATH = "/api/v1/stream";
const NAME = "stepwell-stream";
/** The server says something at least each 10 s, and the reader to the tabs as often. */
const SILENCE_MS_MAX = 25_000;
const RETRY_MS_MIN = 1000;
const RETRY_MS_MAX = 10_000;

/** Everything may have changed: after a time away, and for who begins. */
export const EVERYTHING: Change = {
  runs: new Map(),
  others: true,
  events: true,
  runners: true,
  flows: true,
};

/** Reads the data of a message `changes`. */
export function readChange(data: string): Change {
  const said = JSON.parse(data) as {
    readonly runs: readonly { readonly id: string; readonly journalBytes: number }[];
    readonly others: boolean;
    readonly events: boolean;
    readonly runners: boolean;
    readonly flows?: boolean;
  };
  const runs = new Map(said.runs.map(({ id, journalBytes }) => [id, journalBytes]));
  const { others, events, runners, flows = false } = said;
  return { runs, others, events, runners, flows };
}

/** What of the browser the stream is read with. */
export interface Parts {
  readonly source: (url: string) => EventSource;
  readonly channel: () => BroadcastChannel;
  /** Calls `lead` once no other tab leads; it leads until the returned promise is settled. */
  readonly lock: (signal: AbortSignal, lead: () => Promise<void>) => Promise<void>;
}

const BROWSER: Parts = {
  source: (url) => new EventSource(url),
  channel: () => new BroadcastChannel(NAME),
  lock: (signal, lead) => navigator.locks.request(NAME, { signal }, lead),
};

/** The stream as one tab has it. */
export class Live {
  connection: Connection = { state: "connecting", asOf: null, retryAt: null };
  readonly #onChange = new Set<(change: Change) => void>();
  readonly #onState = new Set<() => void>();
  #channel: BroadcastChannel | null = null;
  #leaving: AbortController | null = null;
  #source: EventSource | null = null;
  #lastId: string | null = null;
  #failures = 0;
  #heardAt = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #leads = false;
  #isHalted = false;

  constructor(readonly parts: Parts) {}

  /** Calls `listener` at each change, until the returned function is called. */
  readonly onChange = (listener: (change: Change) => void): (() => void) => {
    this.#onChange.add(listener);
    this.#begin();
    return () => {
      this.#onChange.delete(listener);
    };
  };

  /** Calls `listener` whenever `connection` is another, until the returned function is called. */
  readonly onState = (listener: () => void): (() => void) => {
    this.#onState.add(listener);
    this.#begin();
    return () => {
      this.#onState.delete(listener);
    };
  };

  /** Joins the other tabs, once for the life of the page. */
  #begin(): void {
    if (this.#channel !== null || this.#isHalted) return;
    this.#channel = this.parts.channel();
    this.#channel.onmessage = (event: MessageEvent<Word>) => this.#heard(event.data);
    this.#channel.postMessage({ type: "who" } satisfies Word);
    this.#watchSilence();
    this.#compete();
    // A page in the back-forward cache keeps no connection and no lock.
    addEventListener("pagehide", (event) => {
      if (event.persisted) this.#resign();
    });
    addEventListener("pageshow", (event) => {
      if (!event.persisted || this.#isHalted) return;
      this.#tell(EVERYTHING);
      this.#compete();
    });
  }

  /** Asks for the lock; who gets it reads the stream until the page goes. */
  #compete(): void {
    const leaving = new AbortController();
    this.#leaving = leaving;
    const lead = async (): Promise<void> => {
      if (leaving.signal.aborted) return;
      this.#leads = true;
      this.#connect();
      await new Promise<void>((resolve) => {
        leaving.signal.addEventListener("abort", () => resolve(), { once: true });
      });
    };
    this.parts.lock(leaving.signal, lead).catch(() => undefined);
  }

  /** Ends the stream for good: who is not signed in any more hears nothing, and need not ask. */
  readonly halt = (): void => {
    this.#isHalted = true;
    this.#resign();
  };

  #resign(): void {
    this.#leads = false;
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = null;
    this.#leaving?.abort();
  }

  #connect(): void {
    this.#source?.close();
    const after = this.#lastId === null ? "" : `?after=${encodeURIComponent(this.#lastId)}`;
    const source = this.parts.source(`${PATH}${after}`);
    this.#source = source;
    source.addEventListener("hello", (event) => {
      this.#failures = 0;
      // Where no place was known, what changed before the first word was missed.
      if (this.#lastId === null) this.#change(EVERYTHING, event.lastEventId);
      else this.#stand({ state: "live", asOf: Date.now(), retryAt: null });
    });
    source.addEventListener("changes", (event: MessageEvent<string>) => {
      this.#change(readChange(event.data), event.lastEventId);
    });
    source.addEventListener("reset", (event) => this.#change(EVERYTHING, event.lastEventId));
    // The browser's own tries say nothing about when; these can be shown.
    source.onerror = () => {
      if (this.#source === source) this.#lose();
    };
  }

  #lose(): void {
    this.#source?.close();
    this.#source = null;
    this.#failures += 1;
    const wait = Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** Math.min(this.#failures - 1, 4));
    const asOf = this.connection.asOf;
    this.#stand({ state: "away", asOf, retryAt: Date.now() + wait });
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#connect(), wait);
  }

  #change(change: Change, id: string): void {
    this.#lastId = id;
    this.#channel?.postMessage({ type: "change", change, id } satisfies Word);
    this.#stand({ state: "live", asOf: Date.now(), retryAt: null });
    this.#tell(change);
  }

  #heard(word: Word): void {
    switch (word.type) {
      case "who":
        if (this.#leads) this.#say();
        return;
      case "state":
        this.#heardAt = Date.now();
        // Who was away from the reader may have missed what it said.
        if (word.connection.state === "live" && this.connection.state === "away") {
          this.#tell(EVERYTHING);
        }
        this.#set(word.connection);
        return;
      case "change":
        this.#heardAt = Date.now();
        this.#lastId = word.id;
        this.#set({ state: "live", asOf: Date.now(), retryAt: null });
        this.#tell(word.change);
    }
  }

  #stand(connection: Connection): void {
    this.#set(connection);
    this.#say();
  }

  #say(): void {
    this.#channel?.postMessage({ type: "state", connection: this.connection } satisfies Word);
  }

  /** Tells the tabs now and then that the reader is there, and notices where it is not. */
  #watchSilence(): void {
    setInterval(() => {
      if (this.#leads) {
        const open = this.#source?.readyState === 1;
        if (open) this.#stand({ ...this.connection, asOf: Date.now() });
        return;
      }
      const silent = Date.now() - this.#heardAt > SILENCE_MS_MAX;
      if (silent && this.connection.state === "live") {
        this.#set({ state: "away", asOf: this.connection.asOf, retryAt: null });
      }
    }, SILENCE_MS_MAX / 5);
  }

  #set(connection: Connection): void {
    const { state, retryAt } = this.connection;
    const { asOf } = this.connection;
    this.connection = connection;
    const same =
      state === connection.state && retryAt === connection.retryAt && asOf === connection.asOf;
    if (!same) for (const listener of this.#onState) listener();
  }

  #tell(change: Change): void {
    for (const listener of this.#onChange) listener(change);
  }
}

const live = new Live(BROWSER);

/** Calls `listener` at each change, at most ten times a second, until the returned function is called. */
export const onChanges = live.onChange;

/** Calls `listener` with how the page stands with the server whenever that changes. */
export function onConnection(listener: (connection: Connection) => void): () => void {
  return live.onState(() => listener(live.connection));
}

/** Ends the stream until the page begins anew. */
export const haltStream = live.halt;

/** Returns how the page stands with the server. */
export function useConnection(): Connection {
  return useSyncExternalStore(live.onState, () => live.connection);
}
