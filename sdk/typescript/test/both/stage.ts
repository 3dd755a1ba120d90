/** A place on which behaviours are played: the stand-in, or a real server. */

import { execFileSync } from "node:child_process";
import {
  type App,
  client,
  type EventRef,
  type RecordedError,
  type Runner,
  type StartOptions,
} from "stepwell";
import { serverBinary, Test, TestServer } from "stepwell/test";

/** A step, as far as both places show the same of it. */
export interface ShownStep {
  readonly id: string;
  readonly kind: string;
  readonly status: string;
  readonly input: unknown;
  readonly output: unknown;
  readonly error: string | null;
  /** Of those that were tried to the end. */
  readonly attempts: number | null;
}

/** A run, as far as both places show the same of it. */
export interface Shown {
  readonly workflow: string;
  readonly status: string;
  readonly output: unknown;
  readonly error: string | null;
  readonly steps: readonly ShownStep[];
  readonly logs: readonly string[];
  readonly search: unknown;
}

/** What behaviours are played on. Runs are known by their ids. */
export interface Stage extends AsyncDisposable {
  start(workflow: string, input?: unknown, options?: StartOptions): Promise<string>;
  send(
    event: EventRef,
    data?: unknown,
    options?: { readonly id?: string; readonly match?: never; readonly run?: string },
  ): Promise<string>;
  cancel(run: string): Promise<void>;
  /** Cancels before anything else happens: what code has begun and not told comes after it. */
  cancelNow(run: string): void;
  /** Lets so much time pass that everything has happened that is to happen by then. */
  pass(millis: number): Promise<void>;
  show(run: string): Promise<Shown>;
  /** Returns the ids of all runs but this stage's others', in the order of their starts. */
  runs(): Promise<string[]>;
}

/** Lets time pass until a run is as it is wanted. */
export async function until(
  stage: Stage,
  run: string,
  isDone: (shown: Shown) => boolean,
): Promise<Shown> {
  for (let n = 0; n < 3_000; n++) {
    const shown = await stage.show(run);
    if (isDone(shown)) return shown;
    await stage.pass(20);
  }
  throw new Error(`it did not come so far: ${JSON.stringify(await stage.show(run))}`);
}

/** Lets time pass until a run has ended, or is blocked. */
export async function ended(stage: Stage, run: string): Promise<Shown> {
  const ends = ["completed", "failed", "cancelled", "timed_out", "blocked"];
  return await until(stage, run, ({ status }) => ends.includes(status));
}

/** Lets time pass until a step of a run stands so. */
export async function comes(stage: Stage, run: string, id: string, status: string): Promise<Shown> {
  return await until(stage, run, ({ steps }) =>
    steps.some((step) => step.id === id && step.status === status),
  );
}

interface AnyStep {
  readonly id: string;
  readonly kind: string;
  readonly status: string;
  readonly input: unknown;
  readonly output: unknown;
  readonly error: RecordedError | null;
}

function errorText(error: RecordedError | null | undefined): string | null {
  if (error === null || error === undefined) return null;
  const behind = errorText(error.cause);
  return `${error.name}: ${error.message}${behind === null ? "" : ` (${behind})`}`;
}

/** A server shows ids that the engine made as they are kept. */
function spelled(id: string): string {
  const [space = "", name] = id.split("\u001f");
  return name === undefined || name === space ? space : `${space} ${name}`;
}

function stepText(step: AnyStep, attempts: number): ShownStep {
  const { kind, status, input, output, error } = step;
  const id = spelled(step.id);
  const isTried = kind === "run" && status !== "cancelled";
  return {
    id,
    kind,
    status,
    input,
    // Each place makes ids of its own.
    output: kind === "emit" && output !== null ? "an event" : output,
    error: errorText(error),
    attempts: isTried ? attempts : null,
  };
}

/** Names runs by their order: each place makes ids of its own. */
function named<T>(value: T, runs: readonly string[]): T {
  const text = runs.reduce(
    (all, id, at) => all.replaceAll(id, `run ${at + 1}`),
    JSON.stringify(value),
  );
  return JSON.parse(text) as T;
}

/** The stand-in in this process. */
export class StandIn implements Stage {
  readonly #test: Test;

  private constructor(test: Test) {
    this.#test = test;
  }

  static async of(app: App): Promise<StandIn> {
    return new StandIn(await Test.of(app, { patience: "30ms" }));
  }

  async start(workflow: string, input?: unknown, options?: StartOptions): Promise<string> {
    return (await this.#test.start(workflow, input, options)).id;
  }

  async send(event: EventRef, data?: unknown, options = {}): Promise<string> {
    return await this.#test.send(event, data, options);
  }

  async cancel(id: string): Promise<void> {
    await this.#test.cancel(this.#run(id));
  }

  cancelNow(id: string): void {
    const { node } = this.#test.world;
    const run = node.runs.get(id);
    if (run !== undefined) node.cancel(run);
  }

  async pass(millis: number): Promise<void> {
    await this.#test.advance(millis);
  }

  async show(id: string): Promise<Shown> {
    const run = this.#run(id);
    const { workflow, status, output, error } = run.history();
    const steps = run.steps().map((step) => stepText(step, step.attempts));
    const logs = run.logs().map(({ step, level, message }) => `${step ?? ""} ${level} ${message}`);
    const shown = { workflow, status, output, error: errorText(error), steps, logs };
    return named({ ...shown, search: run.search() }, await this.runs());
  }

  async runs(): Promise<string[]> {
    return this.#test.runs().map(({ id }) => id);
  }

  #run(id: string): ReturnType<Test["runs"]>[number] {
    const run = this.#test.runs().find((one) => one.id === id);
    if (run === undefined) throw new Error(`there is no run ${id}`);
    return run;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#test.end();
  }
}

/** A real server, and a real runner. */
export class Real implements Stage {
  readonly #server: TestServer;
  readonly #runner: Runner;

  private constructor(server: TestServer, runner: Runner) {
    this.#server = server;
    this.#runner = runner;
  }

  static async of(app: App): Promise<Real> {
    const server = await TestServer.start({ args: ["--grace", "200ms", "--linger", "50ms"] });
    return new Real(server, await app.serve({ url: server.url, log: false }));
  }

  get #client(): ReturnType<typeof client> {
    return client({ url: this.#server.url });
  }

  async start(workflow: string, input?: unknown, options?: StartOptions): Promise<string> {
    return (await this.#client.start(workflow, input, options)).id;
  }

  async send(event: EventRef, data?: unknown, options = {}): Promise<string> {
    return (await this.#client.send(event, data, options)).id;
  }

  async cancel(id: string): Promise<void> {
    await this.#client.run(id).cancel();
  }

  cancelNow(id: string): void {
    execFileSync(serverBinary(), ["runs", "cancel", id, "--url", this.#server.url]);
  }

  async pass(millis: number): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, millis));
  }

  async show(id: string): Promise<Shown> {
    const run = await this.#client.run(id).show();
    const { workflow, status, output, error } = run;
    const steps = run.steps
      .toSorted((one, two) => one.position - two.position)
      .map((step) => {
        const tried = step.attempts.filter((one) => one.endedAt !== null);
        return stepText(step, tried.length);
      });
    const logs = [
      ...run.logs.map((line) => ({ ...line, step: "" })),
      ...run.steps.flatMap(({ id: step, logs: lines }) => lines.map((line) => ({ ...line, step }))),
    ].map(({ step, level, message }) => `${spelled(step)} ${level} ${message}`);
    const shown = { workflow, status, output, error: errorText(error), steps, logs };
    return named({ ...shown, search: run.search ?? {} }, await this.runs());
  }

  async runs(): Promise<string[]> {
    return (await this.#client.list({ limit: 500 })).runs.map(({ id }) => id).reverse();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#runner.stop();
    await this.#server.stop();
  }
}
