/** Children: runs that a run invokes (§9.2). */

import { nameProblem } from "../../name.js";
import type { Registration } from "../../registration.js";
import type { Node } from "./node.js";
import type { NodeRun } from "./run.js";
import type { OfStep } from "./said.js";
import { endStep, structuralOf } from "./steps.js";

/** How deep children may be nested (§12). */
const NESTING_MAX = 32;

/** What code wants to run as a child: the recorded input of its step (§3.4). */
interface Wanted {
  readonly workflow: string;
  readonly app?: string;
  readonly runner?: string;
  readonly input?: unknown;
  readonly timeoutMs?: number;
}

export function onInvoke(node: Node, run: NodeRun, told: OfStep): void {
  const step = structuralOf(node, run, told);
  if (step === undefined) return;
  // What an `invoke` records is what the SDK writes.
  const wanted = told.open?.input as Wanted;
  const found = find(node, run, wanted);
  if ("name" in found && "message" in found) {
    endStep(node, run, step, { status: "failed", error: found });
    return;
  }
  const { input, runner } = wanted;
  const own = [found.timeoutMs, wanted.timeoutMs].filter((one) => one !== undefined);
  const deadlines = own.map((millis) => node.now + millis * 1_000);
  // §7.7: a child ends with its parent at the latest.
  if (run.start.deadline !== undefined) deadlines.push(run.start.deadline);
  const child = node.startRun(found, {
    input,
    ...(runner !== undefined && { runner }),
    parent: { run: run.id, step: step.id },
    depth: run.start.depth + 1,
    deadline: deadlines.length === 0 ? undefined : Math.min(...deadlines),
  });
  step.child = child.id;
  step.status = "waiting";
}

type Refused = { readonly name: string; readonly message: string };

function find(node: Node, run: NodeRun, wanted: Wanted): Registration | Refused {
  const { workflow, app = node.app, runner } = wanted;
  const failed = (message: string): Refused => ({ name: "ChildFailedError", message });
  const why =
    nameProblem("a workflow", workflow) ??
    nameProblem("an app", app) ??
    (runner === undefined ? undefined : nameProblem("a runner", runner));
  if (why !== undefined) return failed(why);
  const depth = run.start.depth + 1;
  if (depth > NESTING_MAX) {
    const message = `a child at depth ${depth}; the limit is ${NESTING_MAX}`;
    return { name: "LimitError", message };
  }
  const found = app === node.app ? node.workflows.get(workflow) : undefined;
  if (found !== undefined) return found;
  if (wanted.app === undefined) {
    return failed(`no runner has ever registered a workflow \`${workflow}\``);
  }
  return failed(`no runner has ever registered workflow \`${workflow}\` of app \`${app}\``);
}
