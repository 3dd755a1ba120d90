/** An observed run as the views of runs take it: its steps in their order, with what they come after. */

import type { RunContents } from "./contents.ts";
import { contentsInOrder } from "./contents.ts";
import { afterOf } from "./flow-edges.ts";
import { instantOr } from "./instants.ts";
import type { FlowEdge, ObservedAttempt, ObservedRun, ObservedStep } from "./observed.ts";
import type { Attempt, Failure, Run, Step, StepStatus } from "./run.ts";

/** Steps of before that did not change: they stay the same objects, and are not drawn again. */
export type KnownSteps = WeakMap<ObservedStep, { readonly made: string; readonly step: Step }>;

const ATTEMPT_STATUSES: Readonly<Record<ObservedAttempt["status"], string>> = {
  running: "running",
  success: "completed",
  error: "failed",
};

/** Derives the contents of an observed run. */
export function observedContents(run: ObservedRun, known: KnownSteps = new WeakMap()): RunContents {
  const contents = contentsInOrder(runOf(run, stepsOfObserved(run, known)));
  return { ...contents, isOutside: true };
}

/** Says which steps the flow's declaration does not have; where nothing is declared none stands out. */
export function undeclaredOf(run: ObservedRun): ReadonlySet<string> {
  if (!run.declared) return new Set();
  return new Set(run.steps.flatMap((step) => (step.declared ? [] : [step.key])));
}

/** Says whether a step was called: what leads from one called step to another went that way. */
export function wasCalled(status: StepStatus): boolean {
  return status !== "skipped" && status !== "missing" && status !== "not_reached";
}

/**
 * Makes steps of those that were observed: declared ones first, in the order of the declaration, then the others as they
 * began. `space` goes before their ids where they stand beside steps of another run.
 */
export function stepsOfObserved(
  run: ObservedRun,
  known: KnownSteps = new WeakMap(),
  space = "",
): readonly Step[] {
  const undeclared = undeclaredOf(run);
  const [main, beside] = [
    run.steps.filter((step) => !undeclared.has(step.key)),
    run.steps.filter((step) => undeclared.has(step.key)),
  ];
  const keys = main.map((step) => step.key);
  const after = afterOf(keys, run.edges.length === 0 && !run.declared ? shown(main) : run.edges);
  const byKey = new Map(run.steps.map((step) => [step.key, step]));
  return [...main, ...beside].map((step, position) => {
    const before = after.get(step.key) ?? [];
    const behind = step.status === "not_reached" ? behindOf(before, after, byKey) : null;
    const made = [position, space, run.startedAt, behind, ...before].join("\u001d");
    const old = known.get(step);
    if (old?.made === made) return old.step;
    const next = stepOf(step, { run, position, space, before, behind });
    known.set(step, { made, step: next });
    return next;
  });
}

interface Place {
  readonly run: ObservedRun;
  readonly position: number;
  readonly space: string;
  readonly before: readonly string[];
  readonly behind: string | null;
}

function stepOf(step: ObservedStep, { run, position, space, before, behind }: Place): Step {
  const attempts = step.attempts.map(attemptOf);
  const failed = step.attempts.at(-1)?.error ?? null;
  const isOpen = step.status === "running" || step.status === "stuck";
  const told = step.attempts.findLast((attempt) => attempt.metadata !== null);
  return {
    id: space + step.key,
    kind: "observed",
    status: step.status,
    position,
    input: null,
    output: told?.metadata ?? null,
    error: step.status === "failed" ? (failed ?? NAMELESS) : null,
    attempts,
    logs: [],
    metadata: null,
    scheduledAt: step.startedAt ?? step.skippedAt ?? run.startedAt,
    startedAt: step.startedAt ?? step.skippedAt,
    completedAt: isOpen ? null : (step.endedAt ?? step.skippedAt ?? run.startedAt),
    nextAt: null,
    after: before.map((key) => space + key),
    generation: 1,
    observed: step,
    behind,
  };
}

/** An error of which nothing but that it was thrown was told. */
const NAMELESS: Failure = { name: "Error", message: "", stack: null };

function attemptOf(attempt: ObservedAttempt): Attempt {
  const { n, startedAt, endedAt, error, process } = attempt;
  return {
    n,
    status: ATTEMPT_STATUSES[attempt.status],
    // What was told without a begin is an instant.
    startedAt: startedAt ?? endedAt ?? "",
    endedAt,
    error,
    runner: process ?? "",
    overlapped: false,
  };
}

/** The nearest step before that was called and is not done, or was not done well: it keeps others from being reached. */
function behindOf(
  before: readonly string[],
  after: ReadonlyMap<string, readonly string[]>,
  byKey: ReadonlyMap<string, ObservedStep>,
): string | null {
  const seen = new Set(before);
  const left = [...before];
  for (let key = left.shift(); key !== undefined; key = left.shift()) {
    const status = byKey.get(key)?.status;
    if (status === "failed" || status === "stuck" || status === "running") return key;
    for (const one of after.get(key) ?? []) {
      if (seen.has(one)) continue;
      seen.add(one);
      left.push(one);
    }
  }
  return null;
}

/** What followed what in a run of which nothing is declared: steps that overlap stand side by side. */
function shown(steps: readonly ObservedStep[]): readonly FlowEdge[] {
  const edges: FlowEdge[] = [];
  let [before, now, until]: [ObservedStep[], ObservedStep[], number] = [[], [], -Infinity];
  for (const step of steps) {
    const from = instantOr(step.startedAt ?? step.skippedAt, until);
    if (from >= until && now.length > 0) [before, now] = [now, []];
    now.push(step);
    until = Math.max(until, instantOr(step.endedAt, from));
    for (const one of before) edges.push([one.key, step.key]);
  }
  return edges;
}

/** The run itself. What only durable runs have is nothing. */
function runOf(run: ObservedRun, steps: readonly Step[]): Run {
  return {
    id: run.run,
    namespace: "",
    app: "",
    workflow: run.name,
    status: run.status,
    key: null,
    runner: null,
    version: null,
    createdAt: run.startedAt,
    startedAt: run.startedAt,
    // That it ended is known a while after its last event.
    endedAt: run.endedAt === null ? null : run.lastAt,
    deadline: null,
    durationMs: run.durationMs,
    input: null,
    output: null,
    error: null,
    metadata: run.metadata,
    cleanUp: null,
    steps,
    logs: [],
    activations: [],
    history: [],
    parent: null,
    continuedFrom: null,
    continuedAs: null,
    why: run.why,
    cause: null,
    journalBytes: 0,
    observed: run,
  };
}

/** The space before ids of observed steps where they stand beside those of a durable run. */
function spaceOf(run: ObservedRun): string {
  return `observed ${run.flow} ${run.run}\u001f`;
}

/** Returns the observed run that a step is of: the page's, or one beside it. */
export function observedRunOf(contents: RunContents, step: Step): ObservedRun | null {
  if (contents.run.observed !== undefined) return contents.run.observed;
  const group = contents.beside?.find((one) => one.steps.some(({ id }) => id === step.id));
  return group?.run ?? null;
}

const BESIDE: KnownSteps = new WeakMap();

/** Puts observed runs beside the steps of a durable one. */
export function withBeside(contents: RunContents, runs: readonly ObservedRun[]): RunContents {
  if (runs.length === 0) return contents;
  const beside = runs.map((run) => ({ run, steps: stepsOfObserved(run, BESIDE, spaceOf(run)) }));
  const observed = beside.flatMap((group) => group.steps.map((step) => [step.id, step] as const));
  return { ...contents, beside, byId: new Map([...contents.byId, ...observed]) };
}
