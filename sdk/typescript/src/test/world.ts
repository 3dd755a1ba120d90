/** The node, a process, and the time between them. */

import { setImmediate } from "node:timers";
import { after, cancel } from "../clock.js";
import type { Identity } from "../protocol/to-node.js";
import { registration } from "../registration.js";
import { handlersOf } from "../runtime.js";
import type { Handlers } from "../session/handler.js";
import { CREDIT_BYTES } from "../session/session.js";
import type { App } from "../types/app.js";
import type { LogBridge } from "../types/log.js";
import { VERSION } from "../version.js";
import { Node } from "./node/node.js";
import type { FromRunner } from "./node/said.js";
import { Process } from "./process.js";
import { Watcher } from "./watch.js";

/** Engine time begins at 2026-01-01, in microseconds since 1970. */
const BEGIN_US = 1_767_225_600_000_000;

/** The process's clock then, in milliseconds: instants before it are needed. */
const ORIGIN_MS = 3_600_000;

/** How often something may happen at one instant before it is taken for endless. */
const ROUNDS_MAX = 1_000_000;

/** What a world is made with. */
export interface WorldOptions {
  /** How long code that awaits something else than steps is waited for, in real milliseconds. */
  readonly patienceMs: number;
  readonly show: LogBridge;
}

/** Returns what a process says of itself. */
export function identityOf(app: App): Identity {
  return {
    sdk: `typescript/${VERSION}`,
    app: app.name,
    runner: app.name,
    instance: "process",
    slots: 100_000,
    creditBytes: CREDIT_BYTES,
    workflows: app.workflows.map(registration),
  };
}

/** See above. */
export class World {
  readonly node: Node;
  readonly watcher: Watcher;
  readonly #options: WorldOptions;
  readonly #identity: Identity;
  readonly #handlers: Handlers;
  #process: Process;
  #ring: () => void = () => undefined;
  /** Code in progress is still waited for. */
  #isPatient = true;

  constructor(app: App, options: WorldOptions) {
    this.#options = options;
    this.#identity = identityOf(app);
    this.#handlers = handlersOf(app, app.name);
    this.node = new Node(app.name, this.#identity.workflows, BEGIN_US);
    this.watcher = new Watcher(() => [...this.node.runs.keys()]);
    this.#process = this.#newProcess();
  }

  #newProcess(): Process {
    return new Process({
      identity: this.#identity,
      handlers: this.#handlers,
      watcher: this.watcher,
      now: () => ORIGIN_MS + (this.node.now - BEGIN_US) / 1_000,
      date: () => this.node.now / 1_000,
      onWake: () => this.#ring(),
      show: this.#options.show,
    });
  }

  /** The process dies, and another one takes its place at once. */
  kill(): void {
    this.#process.die();
    this.watcher.bury();
    this.node.disconnect();
    this.#process = this.#newProcess();
  }

  /** Ends the last process. */
  close(): void {
    this.#process.die();
    this.node.disconnect();
  }

  /** Lets everything happen that needs no time. */
  async settle(): Promise<void> {
    for (let round = 0; round < ROUNDS_MAX; round++) {
      // Between two looks the queue of microtasks runs empty.
      await new Promise<void>((resolve) => setImmediate(resolve));
      if (this.#moves()) {
        this.#isPatient = true;
        continue;
      }
      if (!this.#isPatient || !this.node.isBusy()) return;
      // What hangs is waited for once, not again before something of it moves.
      this.#isPatient = await this.#rings();
    }
    throw new Error(
      `what happens at ${new Date(this.node.now / 1_000).toISOString()} does not end`,
    );
  }

  /** Resolves with true once the process has something to do, with false when patience is at an end. */
  async #rings(): Promise<boolean> {
    return await new Promise((resolve) => {
      const timer = after(this.#options.patienceMs, () => resolve(false));
      this.#ring = () => {
        cancel(timer);
        resolve(true);
      };
    });
  }

  /** Does one thing; tells whether there was one to do. */
  #moves(): boolean {
    if (this.#dies()) return true;
    if (this.#process.turn()) {
      if (!this.#dies()) this.#exchange();
      return true;
    }
    if (this.#exchange()) return true;
    if (this.node.nextDue() > this.node.now) return false;
    this.node.onTime();
    return true;
  }

  #dies(): boolean {
    if (!this.watcher.isStruck) return false;
    this.kill();
    return true;
  }

  /** Carries what the process and the node have said; tells whether there was something. */
  #exchange(): boolean {
    let moved = false;
    for (const frame of this.#process.takeFrames()) {
      moved = true;
      // What the session writes is what the protocol says.
      const messages = JSON.parse(frame) as FromRunner[];
      const isLast = this.watcher.onSent(messages);
      for (const message of messages) this.#tell(message);
      this.watcher.onSaid(this.node.said());
      if (isLast) {
        this.kill();
        return true;
      }
    }
    const said = this.node.take();
    if (said.length === 0) return moved;
    this.watcher.onSaid(said);
    this.#process.hear(said);
    if (this.watcher.onCame(said)) this.kill();
    return true;
  }

  #tell(message: FromRunner): void {
    if (message.hello !== undefined) this.node.connect(message.hello.runner);
    else this.node.onMessage(message);
  }

  /** Lets time pass; everything that is due meanwhile happens in order. */
  async advance(micros: number): Promise<void> {
    await this.settle();
    const target = this.node.now + micros;
    while (this.node.now < target) {
      const process = BEGIN_US + Math.ceil((this.#process.wakesAt - ORIGIN_MS) * 1_000);
      const next = Math.min(target, process, this.node.nextDue());
      // All that was due has happened: at least the smallest time passes.
      this.node.now = Math.max(next, this.node.now + 1);
      this.node.onTime();
      this.#process.onTime();
      await this.settle();
    }
  }
}
