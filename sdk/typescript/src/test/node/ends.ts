/** How runs end: by their handler, by a cancel, by their deadline; and what is done then (§7). */

import type { Node } from "./node.js";
import { nextPause } from "./pause.js";
import type { BadStatus, NodeRun, NodeStep, Plan } from "./run.js";
import type { Failure, Finished } from "./said.js";
import { cancelOpen, endStep } from "./steps.js";

/** How long functions in flight get, and how long a clean-up, in microseconds (§7.2, §7.6). */
const GRACE_US = 30_000_000;
const CLEANUP_US = 24 * 3_600 * 1_000_000;

/** Errors after which the handler does not run again (§6.5). */
const FINAL: readonly string[] = [
  "NonRetryableError",
  "InputError",
  "SerializationError",
  "LimitError",
  "DuplicateStepIdError",
  "NestedStepError",
];

/** What becomes of the process's copy: it waits to hear that the end is saved, or it is told to drop it. */
type Leave = "forget" | "evict";

/** A handler ended. */
export function onFinished(node: Node, run: NodeRun, told: Finished): void {
  if (run.phase === "ending") endAsDecided(node, run, "forget");
  else if (run.phase === "cleaning") finishCleanUp(node, run);
  else if (run.phase === "forward") finish(node, run, told);
}

function finish(node: Node, run: NodeRun, { output, error, continueAs }: Finished): void {
  cancelChildren(node, run);
  if (continueAs !== undefined) {
    continueRun(node, run, continueAs.input);
  } else if (error === undefined) {
    endRun(node, run, { status: "completed", output });
    forget(node, run);
  } else if (!retryHandler(node, run, error)) {
    run.decided = { status: "failed", error, until: node.now };
    if (leftToDo(node, run, "failed") === undefined) {
      endRun(node, run, { status: "failed", error });
      forget(node, run);
    } else {
      run.phase = "ending";
      endAsDecided(node, run, "forget");
    }
  }
}

/** §2.3: the run completes, and another one goes on. */
function continueRun(node: Node, run: NodeRun, input: unknown): void {
  const { key, runner, parent, depth, deadline } = run.start;
  const next = node.startRun(run.workflow, {
    input,
    ...(key !== undefined && { key }),
    ...(runner !== undefined && { runner }),
    ...(parent !== undefined && { parent }),
    search: Object.fromEntries(run.search),
    depth,
    deadline,
    before: run,
  });
  run.continuedAs = next.id;
  run.status = "completed";
  run.phase = "ended";
  run.endedAt = node.now;
  cancelOpen(run, () => false);
  forget(node, run);
}

/** The process hears that what it said of the run's end is saved. */
function forget(node: Node, run: NodeRun): void {
  const { holder } = run;
  if (holder !== undefined) node.say({ done: { a: holder.a } });
  node.let(run);
}

/** §6.5: the handler runs again, where the workflow says so. */
function retryHandler(node: Node, run: NodeRun, error: Failure): boolean {
  const policy = FINAL.includes(error.name) ? undefined : run.retry;
  const pause = policy && nextPause(policy, run.generation);
  const at = node.now + (pause ?? 0) * 1_000;
  if (pause === undefined || at >= (run.start.deadline ?? Number.POSITIVE_INFINITY)) return false;
  run.generation++;
  cancelOpen(run, () => false);
  for (const [id, step] of run.byId) if (!step.isKept) run.byId.delete(id);
  run.ends = run.ends.filter((step) => step.isKept);
  forget(node, run);
  run.isReady = false;
  run.delayedUntil = at;
  return true;
}

/** §7.1, §9.5: a cancel. One after the decision changes nothing. */
export function cancelRun(node: Node, run: NodeRun): void {
  if (run.phase !== "ended" && run.decided === undefined) decideEnd(node, run, "cancelled");
}

/** Decides the final status; the run goes on to its end when functions in flight have ended (§7.2). */
export function decideEnd(node: Node, run: NodeRun, status: BadStatus): void {
  run.decided = { status, error: undefined, until: node.now + GRACE_US };
  run.phase = "ending";
  run.isReady = false;
  const { holder } = run;
  const isEngines = (step: NodeStep): boolean =>
    step.status === "sleeping" || step.status === "waiting";
  cancelOpen(run, (step) => step.kind === "invoke" || (holder !== undefined && !isEngines(step)));
  cancelChildren(node, run);
  if (holder === undefined) endAsDecided(node, run, "evict");
  else node.say({ end: { a: holder.a, status } });
}

/** What was in flight has ended, or gets no more time: the clean-up begins, or the run ends. */
export function endAsDecided(node: Node, run: NodeRun, leave: Leave): void {
  const { decided } = run;
  if (run.phase !== "ending" || decided === undefined) return;
  if (run.children().length > 0) {
    // §7.2: their ends are awaited.
    if (leave === "forget") forget(node, run);
    return;
  }
  const plan = leftToDo(node, run, decided.status);
  if (plan === undefined) endRun(node, run, { status: decided.status, error: errorOf(run) });
  else {
    cancelOpen(run, () => false);
    run.plan = plan;
    run.phase = "cleaning";
    run.delayedUntil = undefined;
    run.isReady = true;
  }
  if (leave === "forget") forget(node, run);
  else node.evict(run);
}

/** §7.3: what is taken back, the last to complete first; and what is told. */
function leftToDo(node: Node, run: NodeRun, status: BadStatus): Plan | undefined {
  if (status === "cancelled" && run.workflow.compensateOnCancel !== true) return undefined;
  const isLost = (step: NodeStep): boolean =>
    step.open.compensable !== undefined &&
    step.begun &&
    (!step.hasEnded || step.status === "cancelled");
  const newest = new Map(run.steps.map((step) => [step.id, step]));
  const uncertain = [...newest.values()].filter(isLost).sort((a, b) => a.position - b.position);
  const unknown = uncertain.filter((step) => step.open.compensable === "unknown").reverse();
  const completed = run.ends.filter(
    (step) => step.open.compensable !== undefined && step.status === "completed",
  );
  const compensate = [
    ...unknown.map((step) => ({ step: step.id, unknown: true })),
    ...completed.reverse().map((step) => ({ step: step.id, unknown: false })),
  ];
  const onFailure = run.workflow.onFailure === true;
  if (!onFailure && compensate.length === 0) return undefined;
  const told = uncertain.filter((step) => step.open.compensable === "completed");
  return {
    until: node.now + CLEANUP_US,
    compensate,
    onFailure,
    uncertain: told.map((step) => step.id),
    done: 0,
    isTold: false,
  };
}

/** Returns why a run does not complete (§7.1). */
export function errorOf({ decided }: NodeRun): Failure {
  const isLate = decided?.status === "timed_out";
  const message = isLate ? "the run's deadline passed" : "the run was cancelled";
  return decided?.error ?? { name: "CancelledError", message };
}

/** The process says that the clean-up is done. What it left out, its code did not reach (§7.5). */
function finishCleanUp(node: Node, run: NodeRun): void {
  const { plan, decided } = run;
  if (plan === undefined || decided === undefined) return;
  const steps = plan.compensate.slice(plan.done).map((one) => one.step);
  if (plan.onFailure && !plan.isTold) steps.push("onFailure");
  if (steps.length > 0) {
    node.block(run, { kind: "cleanUpLost", steps });
    return;
  }
  endRun(node, run, { status: decided.status, error: errorOf(run) });
  forget(node, run);
}

/** §7.6: the clean-up has had its time. */
export function stopCleanUp(node: Node, run: NodeRun): void {
  if (run.decided === undefined) return;
  endRun(node, run, { status: run.decided.status, error: errorOf(run) });
  node.evict(run);
}

interface RunEnd {
  readonly status: "completed" | BadStatus;
  readonly output?: unknown;
  readonly error?: Failure;
}

function endRun(node: Node, run: NodeRun, { status, output, error }: RunEnd): void {
  run.phase = "ended";
  run.status = status;
  run.output = output;
  run.error = error;
  run.endedAt = node.now;
  run.isReady = false;
  cancelOpen(run, () => false);
  const { parent } = run.start;
  const above = parent && node.runs.get(parent.run);
  if (above !== undefined) node.later(() => childEnded(node, above, run));
}

/** §5.6, §7.7: what nobody waits for any more is not wanted any more. */
function cancelChildren(node: Node, run: NodeRun): void {
  for (const { child } of run.children()) if (child !== undefined) node.cancelChild(child);
}

/** A child's end reaches the step that waits for it (§9.3). */
function childEnded(node: Node, run: NodeRun, child: NodeRun): void {
  const step = run.byId.get(child.start.parent?.step ?? "");
  if (step === undefined || step.hasEnded || step.child !== child.first) return;
  if (run.phase === "ended") return;
  const { status, output } = child;
  if (status === "completed") endStep(node, run, step, { status, output });
  else if (status === "cancelled" && run.phase === "ending") endStep(node, run, step, { status });
  else {
    const error = thrown(child);
    const end = status === "timed_out" ? "timed_out" : "failed";
    endStep(node, run, step, { status: end, error });
  }
  const isLate = run.holder === undefined || (run.decided?.until ?? 0) <= node.now;
  if (run.phase === "ending" && isLate) endAsDecided(node, run, "evict");
}

function thrown({ id, status, error }: NodeRun): Failure {
  const [name, what] =
    status === "cancelled"
      ? ["ChildCancelledError", "was cancelled"]
      : status === "timed_out"
        ? ["ChildTimeoutError", "ran out of time"]
        : ["ChildFailedError", "failed"];
  const why = status === "failed" && error ? `: ${error.message}` : "";
  const message = `child ${id} ${what}${why}`;
  return { name, message, ...(error && { cause: error }), run: id };
}
