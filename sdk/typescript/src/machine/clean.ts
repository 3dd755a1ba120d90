/**
 * A run that is given out for its clean-up (§7.5): its handler only replays, until it has said how
 * each step is taken back that is to be; then the steps of the clean-up run in its place.
 */

import type { BlockCause, JsonText } from "../protocol/to-node.js";
import type {
  CleanUpOrder,
  Compensation,
  EndedStep,
  Failure,
  Kind,
} from "../protocol/to-runner.js";
import type { StepContext } from "../types/context.js";
import type { BadEnd } from "../types/workflow.js";
import type { Code } from "./code.js";
import type { Core } from "./core.js";

/** Takes a step back; it is called with the context of an attempt of its own. */
export type Undo = (result: unknown, step: StepContext<undefined>) => unknown;

/** How a step is taken back. */
export interface Undoes {
  /** By its result. */
  readonly completed: Undo | undefined;
  /** Where nobody knows whether it was done. */
  readonly unknown: Undo | undefined;
}

/** A step of the handler that completed. */
export interface Completed {
  readonly id: string;
  readonly kind: Kind;
  /** Kept as text: the handler may change what it was given. */
  readonly output: JsonText | undefined;
  readonly atUs: number;
}

/** What the clean-up of a run does. */
export class CleanUp {
  readonly status: BadEnd;
  readonly error: Failure;
  readonly compensate: readonly Compensation[];
  readonly onFailure: boolean;
  readonly uncertain: readonly string[];
  readonly completed: Completed[] = [];
  /** How steps are taken back, as far as the handler has said. */
  readonly found: Map<string, Undoes> = new Map();
  /** The handler has ended, or is given up. */
  isOver = false;
  /** The handler that replays. */
  code: Code | undefined = undefined;
  readonly #isDeaf: boolean;
  readonly #run: (cleanUp: CleanUp) => void;

  /**
   * @param isDeaf the workflow has no function to be told by
   * @param run runs the steps of the clean-up, once the handler has said how
   */
  constructor(told: CleanUpOrder, isDeaf: boolean, run: (cleanUp: CleanUp) => void) {
    this.status = told.status;
    this.error = told.error;
    this.compensate = told.compensate ?? [];
    this.onFailure = told.onFailure === true;
    this.uncertain = told.uncertain ?? [];
    this.#isDeaf = isDeaf;
    this.#run = run;
  }

  /** Keeps what the clean-up needs of a step that ended. */
  keep(one: EndedStep): void {
    if (one.status !== "completed" || one.kind === "compensate" || one.kind === "onFailure") return;
    const { step: id, kind, output, atUs } = one;
    this.completed.push({ id, kind, output: JSON.stringify(output), atUs });
  }

  /** Returns what the code has not said how to do. */
  missing(): string[] {
    const isSaid = (one: Compensation): boolean => {
      const undoes = this.found.get(one.step);
      return (one.unknown === true ? undoes?.unknown : undoes?.completed) !== undefined;
    };
    const missing = this.compensate.filter((one) => !isSaid(one)).map((one) => one.step);
    if (this.onFailure && this.#isDeaf) missing.push("onFailure");
    return missing;
  }

  /** Runs the steps of the clean-up in place of the handler. */
  run(): void {
    this.#run(this);
  }
}

/** The code says how a step is taken back. */
export function found(core: Core, id: string, undoes: Undoes): void {
  const { cleanUp } = core;
  if (core.phase !== "gathering" || cleanUp === undefined || cleanUp.found.has(id)) return;
  if (cleanUp.compensate.some((one) => one.step === id)) {
    cleanUp.found.set(id, undoes);
    core.mark();
  }
}

/** The handler of a run in its clean-up has ended. */
export function gatheredAll(core: Core): void {
  if (core.cleanUp !== undefined) core.cleanUp.isOver = true;
}

/**
 * Goes over to the steps of the clean-up where the handler is over; at once where it has nothing to say. Before that
 * `restGathering` does, as soon as all is said.
 */
export function gathered(core: Core): void {
  const { cleanUp } = core;
  if (core.phase !== "gathering" || core.isDraining || cleanUp === undefined) return;
  if (!cleanUp.isOver && cleanUp.compensate.length > 0) return;
  const missing = cleanUp.missing();
  if (missing.length === 0) goOver(core, cleanUp);
  else if (cleanUp.isOver) core.block({ kind: "cleanUpLost", steps: missing });
}

function goOver(core: Core, cleanUp: CleanUp): void {
  if (cleanUp.code !== undefined) cleanUp.code.isOver = true;
  core.cleanUp = undefined;
  core.phase = "forward";
  passAll(core);
  core.start = () => cleanUp.run();
}

/**
 * What takes a step back may use what the code was given of it: the code has been given that, or never is. A look at
 * the run later it has gone on with it.
 */
function hasResults(core: Core, cleanUp: CleanUp): boolean {
  return cleanUp.compensate.every((one) => {
    const step = one.unknown === true ? undefined : core.find(one.step);
    return step === undefined || step.state === "taken";
  });
}

/** A handler that only replays is given nothing more for now: it has said all, or is left after a while. */
export function restGathering(core: Core): void {
  const { cleanUp } = core;
  if (cleanUp !== undefined && cleanUp.missing().length === 0 && hasResults(core, cleanUp)) {
    gatheredAll(core);
    core.mark();
    return;
  }
  const now = core.now();
  if (core.quietSince === undefined) {
    core.quietSince = now;
    core.host.setTimer(now + core.terms.lingerMs, core, undefined);
  } else if (now >= core.quietSince + core.terms.lingerMs) {
    gatheredAll(core);
    core.mark();
  }
}

/** Code and journal go two ways. Where the handler has said all that it is replayed for, it is left. */
export function goesAnotherWay(core: Core, cause: BlockCause): void {
  const { cleanUp } = core;
  if (core.phase === "gathering" && cleanUp?.missing().length === 0) {
    gatheredAll(core);
    core.mark();
  } else core.block(cause);
}

/** What the handler was not given, it is not given any more: the clean-up has its own steps. */
function passAll(core: Core): void {
  for (const step of [...core.queue.takeAll(), ...core.kept.takeAll()]) {
    if (step.isWanted()) core.askable--;
    core.passed++;
    core.nowUs = Math.max(core.nowUs, step.end?.atUs ?? 0);
    step.end = undefined;
    core.set(step, "taken");
  }
  for (const step of core.steps) if (step.state === "racing") core.set(step, "taken");
  core.stalledSince = undefined;
}
