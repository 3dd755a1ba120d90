/** What functions and messages tell: calls, what is saved, and whether a crash point has come. */

import type { Core } from "../machine/core.js";
import type { Call, Watch } from "../machine/host.js";
import type { Attempt, Step } from "../machine/state.js";
import type { ToRunner } from "../protocol/to-runner.js";
import { spelled } from "../steps/name.js";
import type { Mock } from "./mock.js";
import type { FromRunner } from "./node/said.js";

/**
 * A moment in the life of a step at which a process can die:
 *
 * - `beforeFunction`: the step is about to begin; its function is not called
 * - `beforeSend`: the function has ended; nobody was told
 * - `beforeAcknowledgement`: the result is saved; the process does not know
 * - `afterAcknowledgement`: the process was told that the result is saved
 */
export type CrashAt =
  | "beforeFunction"
  | "beforeSend"
  | "beforeAcknowledgement"
  | "afterAcknowledgement";

/** Every moment, in order. */
export const MOMENTS: readonly CrashAt[] = [
  "beforeFunction",
  "beforeSend",
  "beforeAcknowledgement",
  "afterAcknowledgement",
];

/** An attempt of a step, or a step without a function (attempt 0), of the n-th run that was started. */
export interface Place {
  readonly run: number;
  readonly step: string;
  readonly attempt: number;
}

/** Returns a place as people read it. */
export function placeText({ run, step, attempt }: Place): string {
  const which = attempt > 1 ? `, attempt ${attempt}` : "";
  return `step \`${spelled(step)}\`${which}${run > 0 ? `, of run ${run + 1}` : ""}`;
}

/** Where the process is to die. What is absent fits all. */
export interface Trap {
  readonly at: CrashAt;
  readonly step: string;
  readonly run?: number;
  readonly attempt?: number;
}

/** What came to a crash point: an attempt, or the word that it failed and another one follows. */
interface Came {
  readonly attempt: number;
  readonly isFailure: boolean;
}

/** Sees what functions and messages tell, over all processes of a test. */
export class Watcher {
  /** The ids of runs, in the order in which they were started. */
  readonly #runs: () => string[];
  readonly #mocks: Map<string, Mock> = new Map();
  readonly #traps: Trap[] = [];
  readonly #places: Map<string, Place> = new Map();
  readonly #told: Set<string> = new Set();
  readonly #handles: Map<number, string> = new Map();
  /** The attempt from which on functions may be called, by run and step. */
  readonly #saved: Map<string, number> = new Map();
  readonly #once: Set<string> = new Set();
  readonly #startedOnce: Set<string> = new Set();
  /** Calls of functions whose result was saved before. */
  readonly repeated: string[] = [];
  /** The process is dead, and not yet taken away. */
  isStruck = false;
  /** No function is called, for replays. */
  isFrozen = false;

  constructor(runs: () => string[]) {
    this.#runs = runs;
  }

  /** Returns what sees the functions of one process, as long as it lives. */
  ofProcess(isDead: () => boolean): Watch {
    return {
      begins: (core, step, attempt) =>
        isDead() ? "never" : attempt.verifies ? undefined : this.#begins(core, step, attempt),
      ended: (core, step, { n, verifies }) => {
        if (!isDead() && !verifies)
          this.#spring("beforeSend", core.info.run, step.id, this.#came(core.info.run, step.id, n));
      },
    };
  }

  mock(id: string, mock: Mock): void {
    this.#mocks.set(id, mock);
  }

  trap(trap: Trap): void {
    this.#traps.push(trap);
  }

  /** The process that was struck is gone. */
  bury(): void {
    this.isStruck = false;
    this.#handles.clear();
  }

  /** Forgets what was to come. */
  forget(): void {
    this.#mocks.clear();
    this.#traps.length = 0;
  }

  /** Returns every attempt and step without a function that was met, in order. */
  places(): Place[] {
    return [...this.#places.values()];
  }

  /** Tells whether a process was told the end of a place; of waits that go on none is. */
  isOpenEnded({ run, step, attempt }: Place): boolean {
    return attempt === 0 && !this.#told.has(`${run} ${step}`);
  }

  /** Says which mocks and crash points were never met. */
  missed(): string | undefined {
    const mocks = [...this.#mocks].filter(([, mock]) => mock.isMissed);
    const missed = [
      ...mocks.map(([id]) => `step \`${id}\` was mocked and never came`),
      ...this.#traps.map(({ step }) => `no crash: step \`${spelled(step)}\` never came to it`),
    ];
    if (missed.length === 0) return undefined;
    const came = new Set(this.places().map(({ step }) => `\`${spelled(step)}\``));
    const steps = came.size === 0 ? "none" : [...came].join(", ");
    return `${missed.join("; ")}; the steps that came: ${steps}`;
  }

  #begins(core: Core, step: Step, { n }: Attempt): Call | "never" | undefined {
    const { run } = core.info;
    const key = `${run} ${step.id}`;
    const isOnce = step.once !== undefined;
    if (isOnce) this.#once.add(key);
    const came = this.#came(run, step.id, n);
    this.#meet(run, step.id, came.attempt);
    if (this.isStruck || this.isFrozen || this.#spring("beforeFunction", run, step.id, came)) {
      return "never";
    }
    const place = placeText({ run: this.#number(run), step: step.id, attempt: n });
    // §4.5: it may have done what must not be done twice.
    if (isOnce && this.#startedOnce.has(key)) {
      this.repeated.push(`${place}: it may start at most once, and started again`);
    }
    if (isOnce) this.#startedOnce.add(key);
    // §4.1: its function never starts again.
    if (n < (this.#saved.get(key) ?? 0)) {
      this.repeated.push(`${place}: its function was called again`);
    }
    return this.#mocks.get(spelled(step.id))?.call;
  }

  /** Lost starts of a function that starts at most once are counted: how many there are is chance. */
  #came(run: string, step: string, n: number): Came {
    const attempt = this.#once.has(`${run} ${step}`) ? Math.min(n, 1) : n;
    return { attempt, isFailure: false };
  }

  #number(run: string): number {
    const at = this.#runs().indexOf(run);
    return at < 0 ? this.#runs().length : at;
  }

  #meet(run: string, step: string, attempt: number): void {
    const place = { run: this.#number(run), step, attempt };
    const key = `${place.run} ${attempt} ${step}`;
    if (!this.#places.has(key)) this.#places.set(key, place);
  }

  /** Springs a trap, if there is one here. */
  #spring(at: CrashAt, run: string, step: string, came: Came): boolean {
    if (this.isStruck) return false;
    const number = this.#number(run);
    const found = this.#traps.findIndex(
      (trap) =>
        trap.at === at &&
        spelled(trap.step) === spelled(step) &&
        (trap.run ?? number) === number &&
        // What was asked for without an attempt is the step's result.
        (trap.attempt === undefined ? !came.isFailure : trap.attempt === came.attempt),
    );
    if (found < 0) return false;
    this.#traps.splice(found, 1);
    this.isStruck = true;
    return true;
  }

  /** Messages are on their way to the node. Tells whether the process dies once they are there. */
  onSent(messages: readonly FromRunner[]): boolean {
    for (const message of messages) {
      const { ended, verified } = message;
      const plain =
        message.sleep ??
        message.skip ??
        message.raced ??
        message.wait ??
        message.emit ??
        message.invoke;
      const about = ended ?? plain ?? verified;
      const run = about && this.#handles.get(about.a);
      if (about === undefined || run === undefined) continue;
      if (verified !== undefined) {
        if (verified.verdict === "notDone") this.#startedOnce.delete(`${run} ${verified.step}`);
        continue;
      }
      const came = this.#came(run, about.step, ended?.n ?? 0);
      this.#meet(run, about.step, came.attempt);
      if (this.#spring("beforeAcknowledgement", run, about.step, came)) return true;
    }
    return false;
  }

  /** The node says something, which may not arrive: what it says is saved. */
  onSaid(messages: readonly ToRunner[]): void {
    for (const { activate, settled, retry } of messages) {
      if (activate !== undefined) {
        const { a, run, ended = [] } = activate;
        this.#handles.set(a, run);
        // §6.5: steps that began anew are no longer saved.
        for (const key of this.#saved.keys()) if (key.startsWith(run)) this.#saved.delete(key);
        for (const { step } of ended) this.#save(run, step, Number.POSITIVE_INFINITY);
        for (const { step, attempts } of activate.open ?? []) this.#save(run, step, attempts + 1);
      }
      const about = settled ?? retry;
      const run = about && this.#handles.get(about.a);
      if (about === undefined || run === undefined) continue;
      this.#save(run, about.step, retry?.n ?? Number.POSITIVE_INFINITY);
    }
  }

  #save(run: string, step: string, next: number): void {
    const key = `${run} ${step}`;
    this.#saved.set(key, Math.max(next, this.#saved.get(key) ?? 0));
  }

  /** Messages of the node have arrived. Tells whether the process dies of it. */
  onCame(messages: readonly ToRunner[]): boolean {
    return messages.some(({ settled, retry, activate }) => {
      if (settled !== undefined) return this.#end(settled.a, settled.step);
      // A pause whose run was held by nobody ends with the next activation.
      if (activate !== undefined) {
        return (activate.ended ?? []).some(({ step }) => this.#end(activate.a, step));
      }
      const run = retry && this.#handles.get(retry.a);
      if (run === undefined || retry === undefined) return false;
      const came = { attempt: Math.max(0, retry.n - 1), isFailure: true };
      return this.#spring("afterAcknowledgement", run, retry.step, came);
    });
  }

  #end(a: number, step: string): boolean {
    const run = this.#handles.get(a);
    if (run === undefined) return false;
    const number = this.#number(run);
    this.#told.add(`${number} ${step}`);
    // An end says no attempt: it is the last one that was met.
    const met = this.places().filter((place) => place.run === number && place.step === step);
    const attempt = Math.max(0, ...met.map((place) => place.attempt));
    return this.#spring("afterAcknowledgement", run, step, { attempt, isFailure: false });
  }
}
