/** A process that serves the app: the session of a real runner, without a connection of its own. */

import type { Core } from "../machine/core.js";
import type { Watch } from "../machine/host.js";
import type { Step } from "../machine/state.js";
import type { Identity } from "../protocol/to-node.js";
import type { ToRunner } from "../protocol/to-runner.js";
import type { Handlers } from "../session/handler.js";
import { Session, type Surroundings } from "../session/session.js";
import type { LogBridge, LogLine } from "../types/log.js";
import type { Watcher } from "./watch.js";

/** What a process is made with. */
export interface ProcessOptions {
  readonly identity: Identity;
  readonly handlers: Handlers;
  readonly watcher: Watcher;
  /** Returns the time of the process's clock, in milliseconds. */
  readonly now: () => number;
  /** Returns the time in milliseconds since 1970. */
  readonly date: () => number;
  /** Something is to be done. */
  readonly onWake: () => void;
  readonly show: LogBridge;
}

/** See above. */
export class Process implements Surroundings {
  readonly watch: Watch;
  readonly #options: ProcessOptions;
  readonly #session: Session;
  #isAwake = false;
  #isDead = false;
  /** When it wants to be told that time has passed. */
  #wakeAt: number = Number.POSITIVE_INFINITY;

  constructor(options: ProcessOptions) {
    this.#options = options;
    this.watch = options.watcher.ofProcess(() => this.#isDead);
    this.#session = new Session(options.identity, options.handlers, this);
    this.#session.onConnected();
  }

  get wakesAt(): number {
    return this.#wakeAt;
  }

  /** Looks at the runs to which something happened. Tells whether there were some. */
  turn(): boolean {
    if (!this.#isAwake) return false;
    this.#isAwake = false;
    this.#session.turns();
    return true;
  }

  onTime(): void {
    if (this.#wakeAt > this.now()) return;
    this.#wakeAt = Number.POSITIVE_INFINITY;
    this.#session.onTime();
  }

  takeFrames(): string[] {
    return this.#session.takeFrames();
  }

  hear(messages: readonly ToRunner[]): void {
    this.#session.onFrame(JSON.stringify(messages));
  }

  /**
   * The process is no more. Functions in progress cannot be stopped: they get their signal, and what they
   * give is given to nobody.
   */
  die(): void {
    this.#isDead = true;
    this.#session.close();
  }

  now(): number {
    return this.#options.now();
  }

  date(): number {
    return this.#options.date();
  }

  wake(): void {
    this.#isAwake = true;
    this.#options.onWake();
  }

  wakeAt(at: number): void {
    this.#wakeAt = Math.min(this.#wakeAt, at);
  }

  onWelcome(): void {
    // Nobody is silent here, so nobody sends pings.
  }

  print({ info }: Core, step: Step | undefined, line: Omit<LogLine, "from">): void {
    const { run, workflow } = info;
    const of = step === undefined ? {} : { step: step.id };
    if (!this.#isDead) this.#options.show({ ...line, from: { workflow, run, ...of } });
  }
}
