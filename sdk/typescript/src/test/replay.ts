/** Code against a history: does it still go where the history says that it went? */

import { setImmediate } from "node:timers";
import { after } from "../clock.js";
import type { Core } from "../machine/core.js";
import type { Kind, ToRunner } from "../protocol/to-runner.js";
import { handlersOf } from "../runtime.js";
import type { Handler } from "../session/handler.js";
import { instantMicros } from "../steps/instant.js";
import { spelled } from "../steps/name.js";
import type { App } from "../types/app.js";
import type { RecordedError } from "../types/workflow.js";
import { unspelled } from "./id.js";
import { WELCOME } from "./node/node.js";
import { ENDED } from "./node/run.js";
import type { Cause, Finished, FromRunner } from "./node/said.js";
import { Process } from "./process.js";
import type { History, HistoryStep } from "./view.js";
import { Watcher } from "./watch.js";
import { identityOf } from "./world.js";

/** How much virtual time the code gets to ask for what it wants, in milliseconds. */
const WAIT_MS = 3_600_000;

/** How long code is waited for that awaits something else than steps, in real milliseconds. */
const PATIENCE_MS = 200;

/** Code followed a history. */
export interface Replayed {
  /** How many steps the history has. */
  readonly steps: number;
  /** The code came to its end. */
  readonly hasEnded: boolean;
}

/** Code does not follow a history, or there is nothing to follow. */
export class DivergenceError extends Error {
  override readonly name: string = "DivergenceError";
  /** The step at which the code goes another way; absent where it is at none. */
  readonly stepId?: string;

  /** @internal */
  constructor(message: string, stepId?: string) {
    super(message);
    if (stepId !== undefined) this.stepId = spelled(stepId);
  }
}

/**
 * Runs the code of a run against its history, and calls no function: looks whether code that was changed can
 * go on with runs that the code before has begun (§4.10, §5.4).
 *
 * The history is what a {@link TestRun} gives, or what a server shows of a run, kept as JSON beside the test:
 *
 * ```ts
 * const history = await client({ url }).run(id).show();
 * await replay(shop, history);
 * ```
 *
 * What the code does after the last step of a history that has not ended is not looked at. Of a run whose
 * handler ran more than once (§6.5) it is the last run that counts. A server shows when steps ended, and not in
 * which order the code was given their ends: of steps side by side that ended within some milliseconds it may be
 * another one.
 *
 * @throws `DivergenceError` that names the first step at which the code goes another way: it asks for a step
 * that the history does not have, does not ask for one that it has, asks for another kind or in another order,
 * or ends otherwise. Also where the history is none, or the app has no such workflow.
 */
export async function replay(app: App, history: History): Promise<Replayed> {
  if (typeof history?.workflow !== "string" || !Array.isArray(history.steps)) {
    throw new DivergenceError(
      "this is no history of a run; accepted: what `TestRun.history()` gives, or `run.show()`",
    );
  }
  if (!app.workflows.some(({ name }) => name === history.workflow)) {
    const text = `app \`${app.name}\` has no workflow \`${history.workflow}\`, whose history this is`;
    throw new DivergenceError(text);
  }
  const told = await new Replay(app, history).play();
  judge(history, told);
  return { steps: history.steps.length, hasEnded: told.end !== undefined };
}

/** What the code told. */
interface Told {
  order: { readonly expected: string; readonly found: string } | undefined;
  block: Cause | undefined;
  end: Finished | undefined;
  /** Steps that the code asked for and that the history does not have as ended, in order. */
  asked: string[];
  /** Ended steps of the history that it did not ask for. */
  unasked: string[];
}

/** A process without a node. */
class Replay {
  readonly #history: History;
  readonly #process: Process;
  readonly #watcher: Watcher;
  #core: Core | undefined = undefined;
  #now = 1_000;
  #ring: () => void = () => undefined;
  readonly #told: Told = {
    order: undefined,
    block: undefined,
    end: undefined,
    asked: [],
    unasked: [],
  };

  constructor(app: App, history: History) {
    this.#history = history;
    this.#watcher = new Watcher(() => [history.id]);
    this.#watcher.isFrozen = true;
    const handlers = new Map<string, Handler>();
    for (const [name, handler] of handlersOf(app, app.name)) {
      const { version, strict, hasOnFailure } = handler;
      const start: Handler["start"] = (core, code) => {
        this.#core = core;
        handler.start(core, code);
      };
      const cleanUp: Handler["cleanUp"] = (...all) => handler.cleanUp(...all);
      handlers.set(name, { version, strict, hasOnFailure, start, cleanUp });
    }
    this.#process = new Process({
      identity: identityOf(app),
      handlers,
      watcher: this.#watcher,
      now: () => this.#now,
      // No function is called.
      date: () => 0,
      onWake: () => this.#ring(),
      show: () => undefined,
    });
  }

  async play(): Promise<Told> {
    const told = this.#told;
    this.#process.takeFrames();
    this.#process.hear([{ welcome: WELCOME }, activationOf(this.#history)]);
    const until = this.#now + WAIT_MS;
    await this.#settle();
    while (told.end === undefined && told.block === undefined && this.#process.wakesAt <= until) {
      this.#now = Math.max(this.#process.wakesAt, this.#now + 0.001);
      this.#process.onTime();
      await this.#settle();
    }
    const unasked = this.#core?.steps.filter((step) => !step.asked && step.end !== undefined);
    told.unasked = (unasked ?? [])
      .filter((step) => step.end?.status !== "cancelled")
      .map((step) => step.id);
    told.asked = this.#watcher.places().map((place) => place.step);
    this.#process.die();
    return told;
  }

  async #settle(): Promise<void> {
    for (;;) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      const hasMoved = this.#process.turn();
      for (const frame of this.#process.takeFrames()) this.#hear(JSON.parse(frame) as FromRunner[]);
      if (hasMoved) continue;
      // Functions are not called: what is waited for can only be the handler's own.
      const awaitsOthers = this.#core?.phase === "forward" && this.#core.inFlight() === 0;
      if (!awaitsOthers || this.#core?.askable !== 0 || !(await this.#rings())) return;
    }
  }

  async #rings(): Promise<boolean> {
    return await new Promise((resolve) => {
      after(PATIENCE_MS, () => resolve(false));
      this.#ring = () => resolve(true);
    });
  }

  #hear(messages: readonly FromRunner[]): void {
    // The handle of the run is known to who watches by its activation.
    this.#watcher.onSent(messages);
    for (const { order, block, finished } of messages) {
      this.#told.order ??= order;
      this.#told.block ??= block?.cause;
      this.#told.end ??= finished;
    }
  }
}

/** Returns the message that gives the run, as far as it came, to a process. */
function activationOf(history: History): ToRunner {
  const micros = (at: string | null): number => (at === null ? 0 : instantMicros(at));
  // Steps of the clean-up are not the handler's.
  const steps = history.steps.filter(({ kind }) => kind !== "compensate" && kind !== "onFailure");
  const ended = steps.filter(
    ({ status, completedAt }) => completedAt !== null && ENDED.has(status),
  );
  const order = new Map(ended.map((step, at) => [step, [micros(step.completedAt), at] as const]));
  const key = (step: HistoryStep): readonly [number, number] => order.get(step) ?? [0, 0];
  ended.sort((one, two) => key(one)[0] - key(two)[0] || key(one)[1] - key(two)[1]);
  const common = (step: HistoryStep): { step: string; kind: Kind; attempts: number } => ({
    step: unspelled(step.kind, step.id),
    // A server says its own kinds.
    kind: step.kind as Kind,
    attempts: step.attempts.length,
  });
  const open = steps.filter((step) => !ended.includes(step) && !ENDED.has(step.status));
  return {
    activate: {
      a: 1,
      run: history.id,
      epoch: 1,
      nonce: "0",
      namespace: "default",
      workflow: history.workflow,
      createdAtUs: micros(history.createdAt),
      ...(history.input !== null && { input: history.input }),
      ended: ended.map((step) => ({
        ...common(step),
        status: step.status as "completed",
        atUs: micros(step.completedAt),
        ...(step.output !== null && { output: step.output }),
        ...(step.error !== null && { error: step.error }),
      })),
      open: open.map((step) => ({ ...common(step), dueInUs: WAIT_MS * 2_000 })),
    },
  };
}

/** Finds the first step at which the code goes another way. */
function judge(history: History, told: Told): void {
  const { block, unasked, asked, order } = told;
  const shown = (id: string): string => `\`${spelled(id)}\``;
  if (block !== undefined) {
    const { expected = "", found = "", step } = block;
    const why =
      step === undefined
        ? `the workflow is strict, and the code asks for ${shown(found)} where the history has ${shown(expected)}`
        : `step ${shown(step)} is recorded as \`${expected}\`, the code asks for \`${found}\``;
    throw new DivergenceError(why, step ?? found);
  }
  const known = new Set(history.steps.map(({ kind, id }) => unspelled(kind, id)));
  const isWhole = ["completed", "failed", "cancelled", "timed_out"].includes(history.status);
  const missing = unasked.map(shown).join(", ");
  const added = asked.find((step) => !known.has(step));
  if (added !== undefined && (isWhole || unasked.length > 0)) {
    const rest = missing === "" ? "" : `; it has not asked for ${missing}, which the history has`;
    const what = `the code asks for step ${shown(added)}, which the history does not have`;
    throw new DivergenceError(what + rest, added);
  }
  if (unasked.length > 0) {
    const what = told.end === undefined ? "waits" : "ends";
    const why = `the code ${what} without asking for ${missing}, which the history has`;
    throw new DivergenceError(why, unasked[0]);
  }
  if (order !== undefined) {
    const { expected, found } = order;
    const why = `the code waits for step ${shown(found)} before ${shown(expected)}, whose end is earlier`;
    throw new DivergenceError(why, found);
  }
  judgeEnd(history, told.end);
}

/** Compares how the handler ended with how the history says that it did. */
function judgeEnd(history: History, end: Finished | undefined): void {
  // Others end a run wherever its code stands.
  if (history.status !== "completed" && history.status !== "failed") return;
  if (end === undefined) {
    throw new DivergenceError("the code waits where the history says that it ended");
  }
  if (end.continueAs !== undefined) return;
  const then = shownEnd(history.output, history.error);
  const now = shownEnd(end.output ?? null, end.error ?? null);
  if (then !== now) throw new DivergenceError(`the code ${now} where the history ${then}`);
}

function shownEnd(output: unknown, error: RecordedError | null): string {
  if (error !== null) return `fails with ${error.name}: ${error.message}`;
  return `gives ${JSON.stringify(output)}`;
}
