/**
 * The event log of one run as the page has it. Records are only added, so that what was read is never asked for again:
 * each question is for what is behind the last record.
 */

import { type AskError, asAskError, ask } from "../api/ask.ts";
import { type Change, onChanges } from "../live/stream.ts";
import { type LogRecord, readLog } from "../model/log.ts";

const PAGE = 500;
/** After a change the next question waits this long: changes come in swarms. */
const CALM_MS = 500;

/** What is behind the last record: more, a question on its way, a question that failed, or nothing yet. */
export type Behind = "more" | "asking" | "failed" | "end";

export interface LogState {
  readonly records: readonly LogRecord[];
  readonly behind: Behind;
  /** Why the last question was not answered; null where it was. */
  readonly error: AskError | null;
}

/** Reads the log of a run. */
export class LogStore {
  #state: LogState = { records: [], behind: "more", error: null };
  readonly #told = new Set<() => void>();
  #stop: (() => void) | null = null;
  #asking: AbortController | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** The run changed while a question was on its way. */
  #due = false;

  constructor(readonly run: string) {}

  readonly state = (): LogState => this.#state;

  /** Tells of each change. The log is asked for while somebody listens. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#told.add(listener);
    if (this.#told.size === 1) this.#begin();
    return () => {
      this.#told.delete(listener);
      if (this.#told.size === 0) this.#end();
    };
  };

  /** Asks for the next page, where there is one. */
  readonly more = (): void => {
    if (this.#state.behind === "more") void this.#ask();
  };

  /** Asks again after a question that failed. */
  readonly again = (): void => {
    if (this.#state.behind === "failed") void this.#ask();
  };

  #begin(): void {
    this.#stop = onChanges((change) => this.#hear(change));
    void this.#ask();
  }

  #end(): void {
    this.#stop?.();
    this.#stop = null;
    this.#asking?.abort();
    this.#asking = null;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #hear({ runs, others }: Change): void {
    if (!others && !runs.has(this.run)) return;
    if (this.#asking !== null) this.#due = true;
    // What is not read yet is read with what came.
    else if (this.#state.behind === "end") this.#plan();
  }

  #plan(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.#ask();
    }, CALM_MS);
  }

  async #ask(): Promise<void> {
    if (this.#asking !== null) return;
    const asking = new AbortController();
    this.#asking = asking;
    this.#due = false;
    this.#set({ behind: "asking" });
    const { records } = this.#state;
    const last = records.at(-1);
    const after = last === undefined ? "" : `&cursor=${last.n}`;
    const path = `/runs/${encodeURIComponent(this.run)}/history?limit=${PAGE}${after}`;
    try {
      const page = readLog(await ask(path, asking.signal));
      if (asking.signal.aborted) return;
      this.#asking = null;
      const behind = page.next === null ? "end" : "more";
      this.#set({ records: [...records, ...page.records], behind, error: null });
      if (this.#due && behind === "end") this.#plan();
    } catch (error) {
      if (asking.signal.aborted) return;
      this.#asking = null;
      this.#set({ behind: "failed", error: asAskError(error) });
    }
  }

  #set(change: Partial<LogState>): void {
    this.#state = { ...this.#state, ...change };
    for (const tell of this.#told) tell();
  }
}
