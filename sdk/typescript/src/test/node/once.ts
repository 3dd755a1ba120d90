/** Functions that start at most once (§4.5). */

import type { Node } from "./node.js";
import type { NodeRun, NodeStep } from "./run.js";
import type { Verified } from "./said.js";
import { endStep, retry } from "./steps.js";

/** Starts of a function in all, after which nothing is tried any more. */
const STARTS_MAX = 4;

/** The start is saved: the function may be called. */
export function beganOnce(node: Node, run: NodeRun, step: NodeStep): void {
  const { holder } = run;
  if (step.open.once === undefined || holder === undefined) return;
  node.say({ begin: { a: holder.a, step: step.id, n: step.attempts + 1 } });
}

/** Nobody knows how the last start ended. */
export function doubtStart(step: NodeStep): void {
  step.inDoubt = true;
  step.isRunning = false;
  step.status = "pending";
}

/** The process that had the start is gone. */
export function loseStart(step: NodeStep): void {
  step.attempts++;
  doubtStart(step);
}

/** What was found out about a start. */
export function onVerified(node: Node, run: NodeRun, told: Verified): void {
  const step = run.byId.get(told.step);
  if (step === undefined || step.hasEnded || run.phase === "ending") return;
  if (told.verdict === "notBegun") {
    if (step.isRunning) undoStart(step);
    return;
  }
  if (!step.inDoubt || told.n !== step.attempts) return;
  if (told.verdict === "done") {
    endStep(node, run, step, { status: "completed", output: told.output });
  } else if (told.verdict === "notDone" && step.attempts < STARTS_MAX) {
    undoStart(step);
    retry(node, run, step, node.now);
  } else stayUnknown(node, run, step);
}

function undoStart(step: NodeStep): void {
  step.inDoubt = false;
  step.isRunning = false;
  step.begun = false;
  step.status = "pending";
}

function stayUnknown(node: Node, run: NodeRun, step: NodeStep): void {
  if (step.open.once?.onUnknown !== "throw") {
    node.block(run, { kind: "outcomeUnknown", step: step.id });
    return;
  }
  const starts = `${step.attempts} start${step.attempts === 1 ? "" : "s"}`;
  const message = `nobody knows how step \`${step.id}\` ended after ${starts}, and it must not run twice`;
  endStep(node, run, step, { status: "unknown", error: { name: "OutcomeUnknownError", message } });
}
