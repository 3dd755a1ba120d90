/** The runs that a runner holds, and what the node says of them. */

import {
  onDisconnected,
  onDrain,
  onEnd,
  onHistory,
  onLoaded,
  onOpen,
  onOver,
  onPause,
  onResumed,
  onRetry,
  onSettled,
  onUnpause,
  resumeOf,
} from "../machine/arrive.js";
import { CleanUp } from "../machine/clean.js";
import { Code } from "../machine/code.js";
import { Core, type Info } from "../machine/core.js";
import type { Host, Terms } from "../machine/host.js";
import { onBegin } from "../machine/once.js";
import { isIdle } from "../machine/rest.js";
import { type Resume, released } from "../protocol/to-node.js";
import type { Activate, History, ToRunner } from "../protocol/to-runner.js";
import { Fault } from "./fault.js";
import type { Handlers } from "./handler.js";

/** Most runs that are taken along to another connection: the handshake is one frame. */
const RESUMED_MAX = 20_000;

/** The runs that a runner holds. */
export class Runs {
  readonly #handlers: Handlers;
  readonly #host: Host;
  readonly #byHandle: Map<number, Core> = new Map();
  readonly #byId: Map<string, Core> = new Map();
  #terms: Terms | undefined = undefined;
  #isDraining = false;

  constructor(handlers: Handlers, host: Host) {
    this.#handlers = handlers;
    this.#host = host;
  }

  get size(): number {
    return this.#byId.size;
  }

  /** Functions of steps are in progress. */
  get isCalling(): boolean {
    return [...this.#byId.values()].some((core) => core.isCalling());
  }

  setTerms(terms: Terms): void {
    this.#terms = terms;
  }

  drain(): void {
    this.#isDraining = true;
    for (const core of this.#byId.values()) onDrain(core);
  }

  /** Drops every run, for a process that does not serve any more. */
  close(): void {
    for (const core of this.#byId.values()) onOver(core);
    this.#byHandle.clear();
    this.#byId.clear();
  }

  /** The process gave a run back. */
  forget(core: Core): void {
    // The node may have given the run out again meanwhile, to this very runner.
    if (this.#byId.get(core.info.run) === core) this.#byId.delete(core.info.run);
    for (const a of this.#handlesOf(core)) this.#byHandle.delete(a);
  }

  #handlesOf(core: Core): number[] {
    const a = core.attached?.a;
    return a !== undefined && this.#byHandle.get(a) === core ? [a] : [];
  }

  onDisconnected(): void {
    this.#byHandle.clear();
    for (const core of this.#byId.values()) onDisconnected(core);
  }

  /** Returns what the handshake says of runs from a connection before. */
  resume(): Resume[] {
    const held: Resume[] = [];
    for (const [id, core] of this.#byId) {
      const one = resumeOf(core, isIdle(core));
      if (one === undefined) this.#drop(id, core);
      else held.push(one);
    }
    if (held.length <= RESUMED_MAX) return held;
    // Runs that rest replay elsewhere for little.
    held.sort((one, other) => Number(one.idle) - Number(other.idle));
    for (const { run } of held.splice(RESUMED_MAX)) {
      const core = this.#byId.get(run);
      if (core !== undefined) this.#drop(run, core);
    }
    return held;
  }

  #drop(id: string, core: Core): void {
    this.#byId.delete(id);
    onOver(core);
  }

  /** Takes a message about a run. */
  onMessage(message: ToRunner, generation: number): void {
    if (message.settled !== undefined) {
      const core = this.#byHandle.get(message.settled.a);
      if (core !== undefined) onSettled(core, message.settled);
    } else if (message.activate !== undefined) this.#onActivate(message.activate, generation);
    else if (message.history !== undefined) this.#onHistory(message.history);
    else if (message.done !== undefined) this.#onDone(message.done.a);
    else if (message.retry !== undefined) {
      const core = this.#byHandle.get(message.retry.a);
      if (core !== undefined) onRetry(core, message.retry);
    } else if (message.begin !== undefined) {
      const core = this.#byHandle.get(message.begin.a);
      if (core !== undefined) onBegin(core, message.begin);
    } else this.#onRare(message, generation);
  }

  #onRare(message: ToRunner, generation: number): void {
    const { resumed, gone, end, pause, unpause, evict } = message;
    if (resumed !== undefined) {
      const core = this.#byId.get(resumed.run);
      if (core === undefined) return;
      this.#byHandle.set(resumed.a, core);
      onResumed(core, resumed.a, generation, resumed.paused === true);
    } else if (gone !== undefined) {
      const core = this.#byId.get(gone.run);
      if (core?.info.epoch !== gone.epoch) return;
      this.forget(core);
      onOver(core);
    } else if (evict !== undefined) {
      this.#onDone(evict.a);
      // Another runner may get the run from here on.
      this.#host.write(generation, released(evict.a, 0, false));
    } else {
      const [told, apply] = [end ?? pause ?? unpause, end ? onEnd : pause ? onPause : onUnpause];
      const core = told === undefined ? undefined : this.#byHandle.get(told.a);
      if (core !== undefined) apply(core);
    }
  }

  #onDone(a: number): void {
    const core = this.#byHandle.get(a);
    if (core === undefined) return;
    this.forget(core);
    this.#byHandle.delete(a);
    onOver(core);
  }

  #onActivate(activate: Activate, generation: number): void {
    const terms = this.#terms;
    if (terms === undefined) return;
    const handler = this.#handlers.get(activate.workflow);
    if (handler === undefined) {
      const text = `the node gave a run of workflow \`${activate.workflow}\`, which is not registered`;
      throw new Fault(text);
    }
    const { a, ended, open, more, cleanUp, ...rest } = activate;
    const info: Info = { ...rest, version: handler.version, strict: handler.strict };
    const core = new Core(info, this.#host, terms, { a, generation });
    const code = new Code();
    core.start = () => handler.start(core, code);
    if (cleanUp !== undefined) {
      core.cleanUp = new CleanUp(cleanUp, !handler.hasOnFailure, (work) =>
        handler.cleanUp(core, new Code(), work),
      );
      core.cleanUp.code = code;
    }
    onHistory(core, ended ?? []);
    onOpen(core, open ?? []);
    if (this.#isDraining) onDrain(core);
    // A run that the node gives again is held under its newest epoch only.
    const old = this.#byId.get(info.run);
    if (old !== undefined) {
      this.forget(old);
      onOver(old);
    }
    this.#byHandle.set(a, core);
    this.#byId.set(info.run, core);
    if (more !== true) onLoaded(core);
  }

  #onHistory(history: History): void {
    const core = this.#byHandle.get(history.a);
    if (core === undefined) return;
    onHistory(core, history.ended);
    if (history.more !== true) onLoaded(core);
  }
}
