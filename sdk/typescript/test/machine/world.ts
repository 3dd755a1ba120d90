/** A runner's session with a node that the test plays, on a clock that the test moves. */

import type { LogLine, NamedWaits, Workflow } from "../../src/index.js";
import { app } from "../../src/index.js";
import type { Identity } from "../../src/protocol/to-node.js";
import type { Welcome } from "../../src/protocol/to-runner.js";
import { registration } from "../../src/registration.js";
import { handlersOf } from "../../src/runtime.js";
import { Session, type Surroundings } from "../../src/session/session.js";

/** A message of the runner, parsed: one member that says what it is. */
export type Told = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** The run that {@link World.activate} gives, unless told otherwise. */
export const RUN = "run_019a0000000070008000000000000001";

const WELCOME: Welcome = {
  server: "test",
  pingMs: 1_000,
  ttlMs: 10_000,
  lingerMs: 1_000,
  graceMs: 30_000,
  payloadBytesMax: 4_194_304,
  stepsMax: 10_000,
  branchesMax: 1_000,
  creditBytes: 8_388_608,
};

/** Lets everything run that does not wait for the test. */
export async function idle(): Promise<void> {
  for (let turns = 0; turns < 3; turns++) await new Promise((resolve) => setImmediate(resolve));
}

/** See above. */
export class World implements Surroundings {
  readonly session: Session;
  /** Lines that were shown. */
  readonly lines: Omit<LogLine, "from">[] = [];
  #now = 1_000;
  #isAwake = false;
  #told: Told[] = [];
  #ping = 0;
  #nextHandle = 1;

  constructor(workflows: readonly Workflow[], waits: NamedWaits = {}) {
    const made = app("shop", { workflows, waits, deps: undefined });
    const identity: Identity = {
      sdk: "test/0",
      app: "shop",
      runner: "r",
      instance: "i",
      slots: 10,
      creditBytes: 1_000_000,
      workflows: workflows.map(registration),
    };
    this.session = new Session(identity, handlersOf(made, "r"), this);
  }

  /** Makes a world whose node has taken the runner. */
  static async of(workflows: readonly Workflow[], terms: Partial<Welcome> = {}): Promise<World> {
    const world = new World(workflows);
    await world.connect(terms);
    return world;
  }

  /** Makes a connection; returns what the handshake said. */
  async connect(terms: Partial<Welcome> = {}): Promise<Told> {
    this.session.onConnected();
    const [hello] = this.session.takeFrames().flatMap((frame): Told[] => JSON.parse(frame));
    await this.say({ welcome: { ...WELCOME, ...terms } });
    return hello ?? {};
  }

  /** Gives a run to the runner; returns its handle. */
  async activate(given: Readonly<Record<string, unknown>> = {}): Promise<number> {
    const a = this.#nextHandle++;
    const fixed = { a, run: RUN, epoch: 1, nonce: 7, namespace: "default", workflow: "w" };
    await this.say({ activate: { ...fixed, createdAtUs: 5_000_000, ...given } });
    return a;
  }

  /** Says messages as one frame of the node. */
  async say(...messages: readonly object[]): Promise<void> {
    this.session.onFrame(JSON.stringify(messages));
    await this.settle();
  }

  /** Lets time pass, with the pings that keep the grant unless told otherwise. */
  async advance(millis: number, keepsGrant = true): Promise<void> {
    this.#now += millis;
    if (keepsGrant && this.session.isWelcome) {
      this.#ping++;
      this.session.onPing(this.#ping, this.#now, 20);
      this.session.onFrame(JSON.stringify([{ pong: { k: this.#ping } }]));
    }
    this.session.onTime();
    await this.settle();
  }

  /** Lets the runner do what it has to do. */
  async settle(): Promise<void> {
    await idle();
    while (this.#isAwake) {
      this.#isAwake = false;
      this.session.turns();
      await idle();
    }
    for (const frame of this.session.takeFrames()) this.#told.push(...JSON.parse(frame));
  }

  /** Takes what the runner has said. */
  take(): Told[] {
    const told = this.#told;
    this.#told = [];
    return told;
  }

  /** Takes what the runner has said of one sort. */
  takeOf(name: string): Readonly<Record<string, unknown>>[] {
    const found = this.take().map((one) => one[name]);
    return found.filter((one) => one !== undefined);
  }

  now(): number {
    return this.#now;
  }

  date(): number {
    return Date.now();
  }

  wake(): void {
    this.#isAwake = true;
  }

  wakeAt(): void {
    // The test says when time has passed.
  }

  onWelcome(): void {
    // Nothing sends pings here but the test.
  }

  print(_core: unknown, _step: unknown, line: Omit<LogLine, "from">): void {
    this.lines.push(line);
  }
}
