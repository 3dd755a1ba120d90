/**
 * A runner's conversation with a node, over one connection after another.
 *
 * Nothing here opens a socket or sets a timer: the worker brings frames in and out, says when time
 * has passed, and calls {@link Session.turns} where the queue of microtasks is empty.
 */

import { onGrant } from "../machine/arrive.js";
import { byteLength } from "../machine/bytes.js";
import type { Core } from "../machine/core.js";
import type { Host, Watch } from "../machine/host.js";
import type { Step } from "../machine/state.js";
import { onTime } from "../machine/time.js";
import { turn } from "../machine/turn.js";
import { parseFrame } from "../protocol/frame.js";
import { credit, drain, hello, type Identity } from "../protocol/to-node.js";
import type { ToRunner, Welcome } from "../protocol/to-runner.js";
import type { LogLine } from "../types/log.js";
import { Fault, refusal } from "./fault.js";
import { Grant } from "./grant.js";
import type { Handlers } from "./handler.js";
import { Link } from "./link.js";
import { Runs } from "./runs.js";
import { Timers } from "./timers.js";

/** Bytes that the node may send before they are handled. */
export const CREDIT_BYTES: number = 16 * 1024 * 1024;

/** What a session needs from its worker. */
export interface Surroundings {
  /** Returns the time of a monotonic clock, in milliseconds. */
  now(): number;
  /** Returns the time in milliseconds since 1970, as code in this process sees it. */
  date(): number;
  /** Calls {@link Session.turns} soon, where the queue of microtasks is empty. */
  wake(): void;
  /** Calls {@link Session.onTime} at this instant, at the latest. */
  wakeAt(at: number): void;
  /** The node has taken the runner on this connection. */
  onWelcome(welcome: Welcome): void;
  /** Shows a line that code logged. */
  print(core: Core, step: Step | undefined, line: Omit<LogLine, "from">): void;
  /** Sees functions begin and end; for tests. */
  readonly watch?: Watch;
}

interface Connection {
  readonly openedAt: number;
  welcome: Welcome | undefined;
  /** The pings that were sent and not answered: when. */
  readonly pings: Map<number, number>;
  /** Bytes handled since the node was last told. */
  handledBytes: number;
}

/** See above. */
export class Session implements Host {
  readonly #identity: Identity;
  readonly #around: Surroundings;
  readonly #runs: Runs;
  readonly #link: Link = new Link();
  readonly #grant: Grant = new Grant();
  readonly #timers: Timers = new Timers();
  #marked: Core[] = [];
  #isAwake = false;
  #connection: Connection | undefined = undefined;
  #isDraining = false;

  constructor(identity: Identity, handlers: Handlers, around: Surroundings) {
    this.#identity = identity;
    this.#around = around;
    this.#runs = new Runs(handlers, this);
  }

  /** How many runs the runner holds. */
  get held(): number {
    return this.#runs.size;
  }

  /** Functions of steps are in progress. */
  get isCalling(): boolean {
    return this.#runs.isCalling;
  }

  /** Tells whether the node has taken the runner on this connection. */
  get isWelcome(): boolean {
    return this.#connection?.welcome !== undefined;
  }

  /** A connection was made: the handshake begins. */
  onConnected(): void {
    const openedAt = this.now();
    this.#connection = { openedAt, welcome: undefined, pings: new Map(), handledBytes: 0 };
    this.#link.open(hello(this.#identity, this.#runs.resume()));
  }

  /** The connection is gone. */
  onDisconnected(): void {
    this.#connection = undefined;
    this.#link.close();
    this.#runs.onDisconnected();
  }

  /** A ping was sent, at an instant of this clock. */
  onPing(k: number, at: number, bytes: number): void {
    this.#connection?.pings.set(k, at);
    this.#link.pay(bytes);
  }

  /**
   * Takes a frame from the node.
   *
   * @throws Fault where the connection cannot go on
   */
  onFrame(frame: string): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    for (const message of parse(frame)) this.#onMessage(connection, message);
    connection.handledBytes += byteLength(frame);
    if (connection.handledBytes >= CREDIT_BYTES / 4) {
      this.#link.writeControl(credit(connection.handledBytes));
      connection.handledBytes = 0;
    }
  }

  #onMessage(connection: Connection, message: ToRunner): void {
    const { welcome, refused, pong, credit: more } = message;
    if (refused !== undefined) {
      throw refusal(refused.code, refused.message, connection.welcome !== undefined);
    }
    if (welcome !== undefined) this.#onWelcome(connection, welcome);
    else if (pong !== undefined) this.#onPong(connection, pong.k);
    else if (more !== undefined) this.#link.addCredit(more.bytes);
    else if (message.draining === undefined) {
      if (connection.welcome === undefined) {
        throw new Fault("the node speaks of a run before `welcome`");
      }
      this.#runs.onMessage(message, this.#link.generation);
    }
    // A node that is `draining` closes the connection by itself; the runs are kept for the next one.
  }

  #onWelcome(connection: Connection, welcome: Welcome): void {
    connection.welcome = welcome;
    this.#link.setCredit(welcome.creditBytes);
    this.#runs.setTerms(welcome);
    // The node counts from when the handshake came in, which was after it was sent.
    this.#extend(connection.openedAt + welcome.ttlMs);
    if (this.#isDraining) this.#link.writeControl(drain());
    this.#around.onWelcome(welcome);
  }

  #onPong(connection: Connection, k: number): void {
    const at = connection.pings.get(k);
    const { welcome, pings } = connection;
    if (at === undefined || welcome === undefined) return;
    for (const sent of pings.keys()) if (sent <= k) pings.delete(sent);
    // §4.7: counted from when the ping was sent, by the runner's own clock.
    this.#extend(at + welcome.ttlMs);
  }

  #extend(until: number): void {
    for (const core of this.#grant.extend(until)) onGrant(core);
  }

  /** Takes the frames that are to be sent now. */
  takeFrames(): string[] {
    return this.#link.take();
  }

  /** Looks at the runs to which something happened. The queue of microtasks has to be empty. */
  turns(): void {
    this.#isAwake = false;
    const marked = this.#marked;
    this.#marked = [];
    for (const core of marked) turn(core);
  }

  /** Does what is due. */
  onTime(): void {
    const now = this.now();
    for (let due = this.#timers.takeDue(now); due; due = this.#timers.takeDue(now)) {
      onTime(due.core, due.step);
    }
    if (this.#timers.next() < Number.POSITIVE_INFINITY) this.#around.wakeAt(this.#timers.next());
  }

  /**
   * Stops: takes no more runs, and gives back those that it has, each as soon as none of its
   * functions is in progress.
   */
  drain(): void {
    if (this.#isDraining) return;
    this.#isDraining = true;
    if (this.isWelcome) this.#link.writeControl(drain());
    this.#runs.drain();
  }

  /** Drops every run, for a process that does not serve any more. */
  close(): void {
    this.onDisconnected();
    this.#runs.close();
  }

  get watch(): Watch | undefined {
    return this.#around.watch;
  }

  now(): number {
    return this.#around.now();
  }

  date(): number {
    return this.#around.date();
  }

  mayStart(core: Core, now: number): boolean {
    return this.#grant.holds(core, now);
  }

  write(generation: number, message: string): void {
    this.#link.write(generation, message);
  }

  setTimer(at: number, core: Core, step: Step | undefined): void {
    const isFirst = at < this.#timers.next();
    this.#timers.push({ at, core, step });
    if (isFirst) this.#around.wakeAt(at);
  }

  mark(core: Core): void {
    this.#marked.push(core);
    if (!this.#isAwake) {
      this.#isAwake = true;
      this.#around.wake();
    }
  }

  forget(core: Core): void {
    this.#runs.forget(core);
  }

  print(core: Core, step: Step | undefined, line: Omit<LogLine, "from">): void {
    this.#around.print(core, step, line);
  }
}

function parse(frame: string): readonly ToRunner[] {
  try {
    return parseFrame(frame);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Fault(`the server is not understood: ${why}`);
  }
}
