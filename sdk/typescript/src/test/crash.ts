/** Every crash point of a scenario, and the report. */

import type { App } from "../types/app.js";
import { Test, type TestOptions } from "./kit.js";
import type { TestRun } from "./view.js";
import { type CrashAt, MOMENTS, type Place, placeText } from "./watch.js";

/** Time that runs get after a crash to come as far as they came without one, and how it passes. */
const RESTS = 12;
const REST = "5s";

const TEXTS: Readonly<Record<CrashAt, string>> = {
  beforeFunction: "before its function",
  beforeSend: "after its function, before the result was sent",
  beforeAcknowledgement: "after the result was sent, before the acknowledgement",
  afterAcknowledgement: "after the acknowledgement",
};

/** What {@link crashEverywhere} did; as text it is a line. */
export class CrashReport {
  /** The moments at which a process was killed, as text. */
  readonly points: readonly string[];

  /** @internal */
  constructor(points: readonly string[]) {
    this.points = points;
  }

  toString(): string {
    return `${this.points.length} crash points, the same outcome at each`;
  }
}

/** A scenario does not come out the same wherever its process dies: it says where that was, and what differs. */
export class CrashError extends Error {
  override readonly name: string = "CrashError";
  /** Where the process was killed; absent where the scenario fails without that. */
  readonly point?: string;

  /** @internal */
  constructor(point: string | undefined, passed: number, why: readonly string[], cause?: unknown) {
    const head =
      point === undefined
        ? "the scenario fails without any crash:"
        : `not the same outcome where the process is killed at ${point}\n` +
          `(${passed} crash points before this one were good):`;
    super(`${head}\n  ${why.join("\n  ")}`, cause === undefined ? undefined : { cause });
    if (point !== undefined) this.point = point;
  }
}

/**
 * Runs a scenario once to learn its steps, then again for each attempt of each step and each moment
 * ({@link CrashAt}): the process is killed there, another one takes over, and the outcome has to be the same.
 *
 * The outcome is the status and output of every run that the scenario starts, and the status and result of
 * each of their steps. No function may be called again whose result was saved. `app` makes the app for each
 * time that the scenario runs, with the world outside as it is at the beginning; `scenario` starts runs and
 * lets time pass. It may look at them; what it throws counts as a failure.
 *
 * Runs that have not come as far as without the crash get another minute of virtual time. Outcomes that hold
 * the time of day differ by themselves.
 *
 * ```ts
 * const report = await crashEverywhere(() => shop(), async (test) => {
 *   const run = await test.start("order", { cents: 500 });
 *   await test.advance("1 day");
 *   expect(run.output()).toBe("shipped");
 * });
 * expect(report.points).toHaveLength(10);
 * ```
 *
 * @throws `CrashError` at the first crash point where the outcome differs.
 */
export async function crashEverywhere<A extends App>(
  app: () => A,
  scenario: (test: Test<A>) => Promise<void>,
  options: TestOptions = {},
): Promise<CrashReport> {
  const play = new Play(app, scenario, options);
  const { outcomes, places, isOpenEnded, why, cause } = await play.once(undefined, []);
  if (why.length > 0) throw new CrashError(undefined, 0, why, cause);
  const known = new Map(places.map((place) => [placeText(place), place]));
  const openEnded = new Set(places.filter(isOpenEnded).map(placeText));
  const points: string[] = [];
  // A crash may lead to steps that are not met without one: they are crash points as well.
  for (const [name, place] of known) {
    for (const at of MOMENTS) {
      if (place.attempt === 0 && (at === "beforeFunction" || at === "beforeSend")) continue;
      // Nobody is told the end of what goes on.
      if (at === "afterAcknowledgement" && openEnded.has(name)) continue;
      const point = `${name}: ${TEXTS[at]}`;
      const met = await play.once({ ...place, at }, outcomes);
      if (met.why.length > 0) throw new CrashError(point, points.length, met.why, met.cause);
      points.push(point);
      for (const one of met.places) {
        if (known.has(placeText(one))) continue;
        known.set(placeText(one), one);
        if (met.isOpenEnded(one)) openEnded.add(placeText(one));
      }
    }
  }
  return new CrashReport(points);
}

/** What becomes of a run. */
interface Outcome {
  readonly hasEnded: boolean;
  /** Status and output, or the error. */
  readonly end: string;
  readonly steps: ReadonlyMap<string, string>;
}

interface Played {
  readonly outcomes: readonly Outcome[];
  readonly places: readonly Place[];
  readonly isOpenEnded: (place: Place) => boolean;
  /** What is wrong. */
  readonly why: readonly string[];
  readonly cause: unknown;
}

class Play<A extends App> {
  readonly #app: () => A;
  readonly #scenario: (test: Test<A>) => Promise<void>;
  readonly #options: TestOptions;

  constructor(app: () => A, scenario: (test: Test<A>) => Promise<void>, options: TestOptions) {
    this.#app = app;
    this.#scenario = scenario;
    this.#options = options;
  }

  /** Runs the scenario, with a crash where one is asked for, and compares the outcomes. */
  async once(
    trap: (Place & { readonly at: CrashAt }) | undefined,
    wanted: readonly Outcome[],
  ): Promise<Played> {
    const test = await Test.of(this.#app(), this.#options);
    const { watcher } = test.world;
    if (trap !== undefined) watcher.trap(trap);
    let cause: unknown;
    try {
      await this.#scenario(test);
      await rest(test, wanted);
    } catch (error) {
      cause = error;
    }
    const runs = test.runs();
    const outcomes = runs.map((run) => outcomeOf(run, runs));
    const why = cause === undefined ? [] : [cause instanceof Error ? cause.message : String(cause)];
    why.push(...watcher.repeated);
    if (trap !== undefined) why.push(...differences(wanted, outcomes));
    // What was not met is mostly a consequence of what was found already.
    const missed = watcher.missed();
    if (why.length === 0 && missed !== undefined) why.push(missed);
    watcher.forget();
    await test.end();
    return {
      outcomes,
      places: watcher.places(),
      isOpenEnded: (place) => watcher.isOpenEnded(place),
      why,
      cause,
    };
  }
}

/** Gives runs the time to come as far as they came without a crash. */
async function rest<A extends App>(test: Test<A>, wanted: readonly Outcome[]): Promise<void> {
  const isBehind = (run: TestRun, at: number): boolean =>
    wanted[at]?.hasEnded === true && !hasEnded(run);
  for (let n = 0; n < RESTS && test.runs().some(isBehind); n++) await test.advance(REST);
}

function hasEnded({ status }: TestRun): boolean {
  return ["completed", "failed", "cancelled", "timed_out"].includes(status);
}

/** Runs are named by their number: which id a run gets depends on what came before it. */
function outcomeOf(run: TestRun, runs: readonly TestRun[]): Outcome {
  const plain = (text: string): string =>
    runs.reduce((all, { id }, at) => all.replaceAll(id, `run ${at + 1}`), text);
  const { status, output, error } = run.history();
  const end = error === null ? JSON.stringify(output) : `${error.name}: ${error.message}`;
  const steps = run.steps().map((step): [string, string] => {
    const given = step.error?.message ?? JSON.stringify(withoutEvent(step.kind, step.output));
    return [step.id, plain(`${step.status} ${given}`)];
  });
  return { hasEnded: hasEnded(run), end: plain(`${status} ${end}`), steps: new Map(steps) };
}

/** Ids of events depend on what came before, too. */
function withoutEvent(kind: string, output: unknown): unknown {
  return kind === "emit" && output !== null ? "an event" : output;
}

function differences(wanted: readonly Outcome[], found: readonly Outcome[]): string[] {
  const why: string[] = [];
  if (wanted.length !== found.length) {
    why.push(`${wanted.length} runs without the crash, ${found.length} with it`);
  }
  const differ = (what: string, one = "no such step", two = "no such step"): void => {
    if (one !== two) why.push(`${what}: ${one} without the crash, ${two} with it`);
  };
  for (const [at, one] of wanted.entries()) {
    const two = found[at];
    if (two === undefined) continue;
    differ(`run ${at + 1}`, one.end, two.end);
    for (const id of new Set([...one.steps.keys(), ...two.steps.keys()])) {
      differ(`run ${at + 1}, step \`${id}\``, one.steps.get(id), two.steps.get(id));
    }
  }
  return why;
}
