/** One run as the page has it: asked for, asked again for what changed, and told to those who show it. */

import { type AskError, asAskError, ask } from "../api/ask.ts";
import { contentsAfter, type RunContents } from "../model/contents.ts";
import { hasEnded, readRun } from "../model/run.ts";
import { type Change, onChanges } from "./stream.ts";

export interface RunState {
  /** What was last known; null before the first answer. */
  readonly contents: RunContents | null;
  /** When that was asked for, by this browser's clock. */
  readonly asOf: number | null;
  /** Why the last question was not answered; null where it was. */
  readonly error: AskError | null;
}

/** Asking may take this share of the time at most: a large run is not read again and again. */
const SHARE = 4;
/** Where the change was another run's, but may bear on why this one does not move. */
const ELSEWHERE_MS = 2000;
/** How long after a question that was not answered the next one is asked. */
const AGAIN_MS = 3000;

/** Asks for one run and keeps it. */
export class RunStore {
  #state: RunState = { contents: null, asOf: null, error: null };
  readonly #told = new Set<() => void>();
  #stop: (() => void) | null = null;
  #asking: AbortController | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** When it is asked for again, by `performance.now`; null where that is not planned. */
  #askAt: number | null = null;
  #notBefore = 0;

  constructor(readonly id: string) {}

  readonly state = (): RunState => this.#state;

  /** Tells of each change. The run is asked for while somebody listens. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#told.add(listener);
    if (this.#told.size === 1) this.#begin();
    return () => {
      this.#told.delete(listener);
      if (this.#told.size === 0) this.#end();
    };
  };

  /** Asks again. Where a question is on its way, one more follows it: it may have been asked too early. */
  readonly refresh = (): void => this.#plan(0);

  #begin(): void {
    this.refresh();
    this.#stop = onChanges((change) => this.#hear(change));
  }

  #end(): void {
    this.#stop?.();
    this.#stop = null;
    this.#asking?.abort();
    this.#asking = null;
    clearTimeout(this.#timer);
    this.#askAt = null;
  }

  #hear(change: Change): void {
    const run = this.#state.contents?.run;
    const bytes = change.runs.get(this.id);
    if (run === undefined || (bytes !== undefined && bytes > run.journalBytes)) {
      this.#plan(0);
      return;
    }
    if (change.others) {
      this.#plan(0);
      return;
    }
    if (bytes !== undefined || hasEnded(run)) return;
    // Why a run does not move can change without a record of its own.
    const isChild = run.steps.some((step) => change.runs.has(step.child?.run ?? ""));
    const isQueued = run.status === "queued" && change.runs.size > 0;
    if (isChild || isQueued || change.runners) this.#plan(ELSEWHERE_MS);
  }

  /** Asks after so many milliseconds, or earlier where that was planned before. */
  #plan(inMs: number): void {
    const now = performance.now();
    const at = Math.max(now + inMs, this.#notBefore);
    if (this.#askAt !== null && this.#askAt <= at) return;
    this.#askAt = at;
    if (this.#asking !== null) return;
    clearTimeout(this.#timer);
    if (at <= now) void this.#ask();
    else this.#timer = setTimeout(() => void this.#ask(), at - now);
  }

  async #ask(): Promise<void> {
    const asking = new AbortController();
    this.#asking = asking;
    this.#askAt = null;
    const asOf = Date.now();
    const begun = performance.now();
    try {
      const known = this.#state.contents;
      const since = known === null ? "" : `?since=${known.run.journalBytes}`;
      const answer = await ask(`/runs/${encodeURIComponent(this.id)}${since}`, asking.signal);
      const contents = contentsAfter(known, readRun(answer));
      this.#notBefore = performance.now() + (performance.now() - begun) * (SHARE - 1);
      this.#set({ contents, asOf, error: null });
    } catch (error) {
      if (asking.signal.aborted) return;
      const failure = asAskError(error);
      // What the server has refused it refuses again; where it could not answer, it may later.
      if (failure.status === 0 || failure.status >= 500) this.#askAt = begun + AGAIN_MS;
      this.#set({ ...this.#state, error: failure });
    }
    this.#asking = null;
    if (this.#askAt === null) return;
    const again = Math.max(0, this.#askAt - performance.now());
    this.#askAt = null;
    this.#plan(again);
  }

  #set(state: RunState): void {
    this.#state = state;
    for (const tell of this.#told) tell();
  }
}
