/** What a test does. */

import type { StartArgs, Startable, Started } from "../client/client.js";
import type { Received } from "../client/run-handle.js";
import { durationMicros, durationMillis } from "../duration.js";
import { roundTrip } from "../json.js";
import { checkMembers } from "../name.js";
import { check } from "../schema.js";
import type { App } from "../types/app.js";
import type { Duration } from "../types/duration.js";
import type { EventInput, EventRef } from "../types/event.js";
import type { Json } from "../types/json.js";
import type { LogBridge } from "../types/log.js";
import type { WorkflowOutput } from "../types/reference.js";
import { Mock, type MockFunction } from "./mock.js";
import { event as eventName, startOf } from "./names.js";
import { TestRun } from "./view.js";
import type { CrashAt } from "./watch.js";
import { World } from "./world.js";

/** Options of {@link Test.of}. */
export interface TestOptions {
  /**
   * How long code is waited for, in real time, that awaits something else than steps (a function's request,
   * a timer of Node) before it is taken to hang, and the test goes on. Default 1 s.
   */
  readonly patience?: Duration;
  /** Where lines of handlers and functions are shown. Default: nowhere; they are kept with the run. */
  readonly log?: LogBridge;
}

/** Options of {@link Test.send}. */
export interface TestSendOptions {
  /** An event whose id was seen before does nothing more. */
  readonly id?: string;
  /** What waits are held against in place of the data (§8.2). */
  readonly match?: Json;
  /** Only for the waits of this run; it starts nothing. */
  readonly run?: string;
}

/** The arguments of an event behind its name: data is needed where its type wants some. */
export type TestSendArgs<E extends EventRef> =
  undefined extends EventInput<E>
    ? [data?: EventInput<E>, options?: TestSendOptions]
    : [data: EventInput<E>, options?: TestSendOptions];

/**
 * An app under test: it is served in this process, by the runner's own code; a stand-in takes the server's
 * place; and time passes when the test says so.
 *
 * ```ts
 * const test = await Test.of(shop);
 * const charge = test.mockStep("charge", ({ attempt }) => `receipt ${attempt}`);
 * test.crashAfter("charge");
 * const run = await test.start("order", { cents: 500 });
 * await test.advance("1 day");
 * expect(run.output()).toBe("shipped, receipt 1");
 * expect(charge.calls).toBe(1);
 * await test.end();
 * ```
 *
 * `deps` of the app are the world outside: the processes that come one after another share them. Time of
 * Node (`setTimeout`, `Date.now()`) is real time: the virtual clock moves sleeps, backoffs, time limits and
 * deadlines. Its methods are called one after another, and not inside of handlers and functions.
 */
export class Test<A extends App = App> implements AsyncDisposable {
  readonly #app: A;
  readonly #world: World;

  private constructor(app: A, world: World) {
    this.#app = app;
    this.#world = world;
  }

  /**
   * Begins a test of an app, on a clock that begins at 2026-01-01.
   *
   * @throws `ArgumentError` for options that are not accepted, and for a trigger that no server takes.
   */
  static async of<A extends App>(app: A, options: TestOptions = {}): Promise<Test<A>> {
    checkMembers("Test.of", options, ["patience", "log"]);
    const patienceMs = durationMillis(options.patience ?? "1s");
    const test = new Test(app, new World(app, { patienceMs, show: options.log ?? silent }));
    await test.#world.settle();
    return test;
  }

  /**
   * Starts a run, and lets it go as far as it can without time passing.
   *
   * @throws `InputError` where the input does not fit the workflow's schema; `RefusedError` with the code
   * that a server would answer with: SW2002 for an unknown workflow, SW2004 for a key that started a run
   * with another input.
   */
  async start<const W extends Startable<A>>(
    workflow: W,
    ...[input, options]: StartArgs<Started<A, W>>
  ): Promise<TestRun<Received<WorkflowOutput<Started<A, W>>>>> {
    const { node } = this.#world;
    const { name, start, timeoutMs } = await startOf(this.#app, workflow, input, options, node.now);
    const run = node.start(name, start, timeoutMs);
    await this.#world.settle();
    return new TestRun(node, run.id);
  }

  /**
   * Sends an event (§8), and lets what it wakes and starts go as far as it can without time passing.
   * Gives the event's id.
   *
   * @throws `InputError` where the data does not fit the event's schema.
   */
  async send<const E extends EventRef>(
    event: E,
    ...[data, options = {}]: TestSendArgs<E>
  ): Promise<string> {
    const { name, schema } = eventName(event);
    const what = `the data of event \`${name}\``;
    checkMembers(`event \`${name}\``, options, ["id", "match", "run"]);
    const saved = roundTrip(what, data);
    if (schema !== undefined) await check(what, schema, saved);
    const { id, match, run } = options;
    const sent = { id, event: name, data: saved, match: roundTrip("the match", match), run };
    const given = this.#world.node.send(sent);
    await this.#world.settle();
    return given;
  }

  /**
   * Lets time pass on the virtual clock. Everything that is due meanwhile happens, in order: sleeps end,
   * attempts are tried again or run out of time, deadlines come.
   */
  async advance(time: Duration): Promise<void> {
    await this.#world.advance(durationMicros(time));
  }

  /** The time of the virtual clock. */
  get now(): Date {
    return new Date(Math.floor(this.#world.node.now / 1_000));
  }

  /** Cancels a run (§7.1). */
  async cancel(run: { readonly id: string }): Promise<void> {
    const { node } = this.#world;
    const found = node.runs.get(run.id);
    if (found !== undefined) node.cancel(found);
    await this.#world.settle();
  }

  /** Returns every run that was started, in order: by the test, by events, and by other runs. */
  runs(): TestRun[] {
    return [...this.#world.node.runs.keys()].map((id) => new TestRun(this.#world.node, id));
  }

  /**
   * Has a value, or what a function gives, be the result of a step in place of its own function: in every
   * run, once for each attempt. What the function throws is what the attempt fails with (§6). A step that
   * takes another one back is called `compensate charge`. It replaces a mock of the same step.
   */
  mockStep(step: string, result: Json | MockFunction | undefined): Mock {
    const mock = new Mock(result);
    this.#world.watcher.mock(step, mock);
    return mock;
  }

  /** Kills the process once it was told that the result of this step is saved, the next time. */
  crashAfter(step: string): void {
    this.crashAt("afterAcknowledgement", step);
  }

  /** Kills the process when this step comes to this moment, the next time in any run. */
  crashAt(at: CrashAt, step: string): void {
    this.#world.watcher.trap({ at, step });
  }

  /** Kills the process now; another one takes over at once. */
  async crash(): Promise<void> {
    this.#world.kill();
    await this.#world.settle();
  }

  /**
   * Ends the test.
   *
   * @throws `Error` where a step was mocked, or a crash asked for, and the step never came; see
   * `Mock.optional`.
   */
  async end(): Promise<void> {
    const missed = this.#world.watcher.missed();
    this.#world.watcher.forget();
    this.#world.close();
    if (missed !== undefined) throw new Error(missed);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
  }

  /** @internal */
  get world(): World {
    return this.#world;
  }
}

function silent(): void {
  // Lines are kept with the run.
}
