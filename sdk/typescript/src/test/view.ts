/** What a test sees of runs and steps. */

import { outputOf } from "../client/run-handle.js";
import type { RunStatus, StepStatus } from "../client/views.js";
import { ArgumentError, RunNotEndedError } from "../errors.js";
import { instantText } from "../steps/instant.js";
import { spelled } from "../steps/name.js";
import type { RecordedError } from "../types/workflow.js";
import type { Node } from "./node/node.js";
import type { NodeRun, NodeStep } from "./node/run.js";

/** A step of a {@link TestRun}, as it stands when it was asked for. */
export interface TestStep {
  /** Its id; of steps that the engine makes, such as `compensate charge` and `onFailure`. */
  readonly id: string;
  readonly kind: string;
  readonly status: StepStatus;
  /** How many attempts of its function have ended. */
  readonly attempts: number;
  readonly input: unknown;
  readonly output: unknown;
  /** Why it did not complete; null where it did, or goes on. */
  readonly error: RecordedError | null;
  /** When it ended; null where it has not. */
  readonly completedAt: string | null;
  /** The run that an invoke started. */
  readonly child?: string;
}

/** A line that a handler, or the function of a step, logged. */
export interface TestLine {
  readonly step?: string;
  readonly level: string;
  readonly message: string;
}

/**
 * A run of a {@link Test}.
 *
 * @typeParam Out - what the run gives, as a client reads it
 */
export class TestRun<out Out = unknown> {
  readonly id: string;
  readonly #node: Node;

  /** @internal */
  constructor(node: Node, id: string) {
    this.#node = node;
    this.id = id;
  }

  get #run(): NodeRun {
    const run = this.#node.runs.get(this.id);
    if (run === undefined) throw new ArgumentError(`there is no run ${this.id}`);
    return run;
  }

  /** The run's workflow. */
  get workflow(): string {
    return this.#run.workflow.name;
  }

  /** Where the run stands (§3.2). */
  get status(): RunStatus {
    return this.#run.shownStatus();
  }

  /**
   * Returns what the run gave; of a chain of runs (§2.3) the last one.
   *
   * @throws `RunFailedError`, `RunCancelledError` or `RunTimedOutError` as the run ended, with the error
   * behind it as `cause`; `RunNotEndedError` where it has not: it says what is open.
   */
  output(): Out {
    const { status, error, output, continuedAs, phase } = this.#run;
    if (continuedAs !== undefined) return new TestRun<Out>(this.#node, continuedAs).output();
    if (phase !== "ended" || status === undefined) {
      throw new RunNotEndedError(this.#unended(), { runId: this.id });
    }
    const ended = { id: this.id, status, output, error: error ?? null };
    // The types of a test are those of the app that it runs.
    return outputOf(ended) as Out;
  }

  #unended(): string {
    const open = this.steps().filter((step) => step.completedAt === null && step.error === null);
    const shown = open.map(({ id, status }) => `step \`${id}\` is ${status}`);
    const { blockedBy } = this.#run;
    if (blockedBy !== undefined) shown.push(JSON.stringify(blockedBy));
    const what = shown.length === 0 ? "" : `: ${shown.join(", ")}`;
    return `run ${this.id} has not ended, it is ${this.status}${what}`;
  }

  /** Returns the run's steps by their position (§3.5), those of every run of the handler (§6.5). */
  steps(): TestStep[] {
    return this.#run.steps.map(stepOf);
  }

  /**
   * Returns a step; of one that began anew under a later run of the handler the newest.
   *
   * @throws `ArgumentError` that names the steps there are
   */
  step(id: string): TestStep {
    const steps = this.steps();
    const found = steps.findLast((step) => step.id === id);
    if (found !== undefined) return found;
    const ids = steps.map((step) => `\`${step.id}\``).join(", ");
    throw new ArgumentError(`run ${this.id} has no step \`${id}\`; it has ${ids || "none"}`);
  }

  /** Why the run is blocked (§4.10), as the protocol says it; absent where it is not. */
  get blocked(): { readonly kind: string } | undefined {
    return this.#run.phase === "blocked" ? this.#run.blockedBy : undefined;
  }

  /** Returns the run's search attributes (§9.4). */
  search(): Readonly<Record<string, string | number | boolean>> {
    return Object.fromEntries(this.#run.search);
  }

  /** Returns what was logged, as it is kept with the run. */
  logs(): readonly TestLine[] {
    return this.#run.logs.map(({ step, ...line }) => {
      return step === undefined ? line : { step: spelled(step), ...line };
    });
  }

  /** Returns what `replay` takes; as JSON it can be kept beside a test. */
  history(): History {
    const { id, workflow, start, output, decided, createdAt } = this.#run;
    const error = this.#run.error ?? decided?.error;
    const json = {
      id,
      workflow: workflow.name,
      status: this.status,
      createdAt: instantText(createdAt),
      input: start.input ?? null,
      output: output ?? null,
      error: error ?? null,
      steps: this.#run.ends.concat(this.#open()).map(historyStep),
    };
    return structuredClone(json);
  }

  #open(): NodeStep[] {
    return [...this.#run.byId.values()].filter((step) => !this.#run.ends.includes(step));
  }
}

/**
 * A run as `replay` takes it: what `TestRun.history()` gives, or what a server shows of a run
 * (`run.show()`), which is such a one.
 */
export interface History {
  readonly id: string;
  readonly workflow: string;
  readonly status: RunStatus;
  readonly createdAt: string;
  readonly input: unknown;
  readonly output: unknown;
  readonly error: RecordedError | null;
  readonly steps: readonly HistoryStep[];
}

/** A step of a {@link History}. */
export interface HistoryStep {
  readonly id: string;
  readonly kind: string;
  readonly status: StepStatus;
  readonly completedAt: string | null;
  readonly output: unknown;
  readonly error: RecordedError | null;
  /** What is known of its attempts: one for each. */
  readonly attempts: readonly unknown[];
}

function stepOf(step: NodeStep): TestStep {
  const { kind, status, attempts, output, error, child, endedAt, open } = step;
  return {
    id: spelled(step.id),
    kind,
    status: step.inDoubt ? "unknown" : status,
    attempts,
    input: open.input ?? null,
    output: output ?? null,
    error: error ?? null,
    completedAt: endedAt === 0 ? null : instantText(endedAt),
    ...(child !== undefined && { child }),
  };
}

function historyStep(step: NodeStep): HistoryStep {
  const attempts = Array.from({ length: step.attempts }, (_, at) => ({ n: at + 1 }));
  const { id, kind, status, completedAt, output, error } = stepOf(step);
  return { id, kind, status, completedAt, output, error, attempts };
}
