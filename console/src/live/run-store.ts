/** One run as the page has it: asked for, asked for again at each hint, and told to those who show it. */

import { AskError, ask } from "../api/ask.ts";
import { contentsOf, keepSteps, type RunContents } from "../model/contents.ts";
import { hasEnded, readRun } from "../model/run.ts";
import { hints } from "./hints.ts";

export interface RunState {
  /** What was last known; null before the first answer. */
  readonly contents: RunContents | null;
  /** When that was asked for, by this browser's clock. */
  readonly asOf: number | null;
  /** Why the last question was not answered; null where it was. */
  readonly error: AskError | null;
  /** How long the last answer took to come and be read. */
  readonly tookMs: number;
}

const EVERY_MS_MIN = 3000;
const EVERY_ENDED_MS = 60_000;
/** Asking for a run may take this share of the time at most. */
const SHARE = 20;

/** Asks for one run and keeps it. */
export class RunStore {
  #state: RunState = { contents: null, asOf: null, error: null, tookMs: 0 };
  readonly #told = new Set<() => void>();
  #stop: (() => void) | null = null;
  #asking: AbortController | null = null;
  #againAfter = false;

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
  readonly refresh = (): void => {
    if (this.#asking !== null) {
      this.#againAfter = true;
      return;
    }
    void this.#ask();
  };

  #begin(): void {
    this.refresh();
    this.#stop = hints(this.id, { everyMs: () => this.#everyMs() }, this.refresh);
  }

  #end(): void {
    this.#stop?.();
    this.#stop = null;
    this.#asking?.abort();
    this.#asking = null;
  }

  #everyMs(): number {
    const { contents, tookMs } = this.#state;
    if (contents !== null && hasEnded(contents.run)) return EVERY_ENDED_MS;
    return Math.max(EVERY_MS_MIN, tookMs * SHARE);
  }

  async #ask(): Promise<void> {
    const asking = new AbortController();
    this.#asking = asking;
    this.#againAfter = false;
    const asOf = Date.now();
    const begun = performance.now();
    try {
      const answer = await ask(`/runs/${encodeURIComponent(this.id)}`, asking.signal);
      const run = keepSteps(this.#state.contents?.run ?? null, readRun(answer));
      const tookMs = performance.now() - begun;
      this.#set({ contents: contentsOf(run), asOf, error: null, tookMs });
    } catch (error) {
      if (asking.signal.aborted) return;
      this.#set({ ...this.#state, error: asAskError(error) });
    }
    this.#asking = null;
    if (this.#againAfter) this.refresh();
  }

  #set(state: RunState): void {
    this.#state = state;
    for (const tell of this.#told) tell();
  }
}

function asAskError(error: unknown): AskError {
  if (error instanceof AskError) return error;
  return new AskError(error instanceof Error ? error.message : String(error), 0, null);
}
