/** What a process is given with a run (docs/protocol.md §5). */

import type { Activate, EndedStep, OpenStep } from "../../protocol/to-runner.js";
import { errorOf } from "./ends.js";
import type { NodeRun, NodeStep } from "./run.js";

/** Makes the message that gives a run to its process under a handle. */
export function activation(run: NodeRun, a: number, now: number): Activate {
  const { input, key, metadata, parent, event } = run.start;
  const { version } = run.workflow;
  return {
    a,
    run: run.id,
    epoch: run.epoch,
    nonce: "0",
    namespace: "default",
    workflow: run.workflow.name,
    ...(input !== undefined && { input }),
    ...(key !== undefined && { key }),
    ...(metadata !== undefined && { metadata }),
    ...(parent !== undefined && { parent }),
    ...(event !== undefined && { event }),
    ...(version !== undefined && { startedVersion: version }),
    search: Object.fromEntries(run.search),
    createdAtUs: run.createdAt,
    ended: run.ends.map((step) => endedStep(run, step)),
    open: [...run.byId.values()].filter((step) => !step.hasEnded).map((one) => openStep(one, now)),
    ...cleanUp(run),
  };
}

function endedStep(run: NodeRun, step: NodeStep): EndedStep {
  const { id, kind, status, endedAt, attempts, output, error, generation } = step;
  return {
    step: id,
    kind,
    // It has ended: its status is one of those.
    status: status as EndedStep["status"],
    atUs: endedAt,
    attempts,
    ...(output !== undefined && { output }),
    ...(error !== undefined && { error }),
    ...(generation < run.generation && { kept: true }),
  };
}

function openStep(step: NodeStep, now: number): OpenStep {
  const { id, kind, attempts, wakeAt, firstStarted } = step;
  return {
    step: id,
    kind,
    attempts,
    ...(step.open.once !== undefined && { once: true }),
    ...(step.inDoubt && { unknown: true }),
    ...(wakeAt !== undefined && { dueInUs: Math.max(0, wakeAt - now) }),
    ...(firstStarted !== undefined && { firstStartedAgoUs: now - firstStarted }),
  };
}

function cleanUp(run: NodeRun): Pick<Activate, "cleanUp"> {
  const { plan, decided } = run;
  if (plan === undefined || decided === undefined) return {};
  return {
    cleanUp: {
      status: decided.status,
      error: errorOf(run),
      compensate: plan.compensate.slice(plan.done),
      onFailure: plan.onFailure && !plan.isTold,
      uncertain: plan.uncertain,
    },
  };
}
