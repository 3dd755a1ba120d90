/** Events: waits for them, what runs send, what they start (§8). */

import { ArgumentError } from "../../errors.js";
import type { Registration } from "../../registration.js";
import { matchProblem } from "../match-limits.js";
import { textMatches } from "../matching.js";
import type { Node } from "./node.js";
import type { NodeRun, NodeStep, Parked } from "./run.js";
import type { Emits, Waits } from "./said.js";
import { endStep, structuralOf } from "./steps.js";

/** How long events are kept, in microseconds (§8.4). */
const KEPT_US = 24 * 3_600 * 1_000_000;

/** An event that was accepted. */
export interface NodeEvent {
  readonly id: string;
  readonly name: string;
  readonly data: unknown;
  /** What matches are held against, as JSON text. */
  readonly offered: string;
  readonly app: string | undefined;
  readonly run: string | undefined;
  readonly acceptedAt: number;
  /** Its place among all events. */
  readonly seq: number;
}

/** What somebody sends. */
export interface Sends {
  readonly id?: string | undefined;
  readonly event: string;
  readonly data?: unknown;
  readonly match?: unknown;
  readonly app?: string | undefined;
  readonly run?: string | undefined;
}

/** Accepts an event: wakes waits and starts runs. Returns its id. */
export function accept(node: Node, sent: Sends): string {
  const id = sent.id ?? `evt_${node.nextHex()}`;
  // §8.7: an event whose id was seen before does nothing more.
  if (node.events.some((event) => event.id === id)) return id;
  const event: NodeEvent = {
    id,
    name: sent.event,
    data: sent.data,
    offered: JSON.stringify(sent.match ?? sent.data ?? null),
    app: sent.app,
    run: sent.run,
    acceptedAt: node.now,
    seq: ++node.seq,
  };
  node.events.push(event);
  for (const run of node.runs.values()) {
    if (!isFor(event, run, node.app)) continue;
    for (const step of [...run.byId.values()]) {
      if (step.parked !== undefined && isAskedFor(event, step.parked)) give(node, run, step, event);
    }
  }
  startRuns(node, event);
  return id;
}

/** Throws `ArgumentError` for a trigger that no server takes (§12). */
export function checkTriggers({ name, triggers }: Registration): void {
  for (const { event, match } of triggers ?? []) {
    const problem = match === undefined ? undefined : matchProblem(JSON.stringify(match));
    if (problem === undefined) continue;
    throw new ArgumentError(`workflow \`${name}\`: a trigger on \`${event}\`: ${problem}`);
  }
}

/** Tells whether a run is one of those that an event is for (§8.1). */
function isFor(event: NodeEvent, run: NodeRun, app: string): boolean {
  const goesOn = run.phase === "forward" || run.phase === "blocked";
  return goesOn && (event.app ?? app) === app && (event.run ?? run.id) === run.id;
}

/** Tells whether an event has what a wait asks for (§8.2). */
function isAskedFor(event: NodeEvent, { event: name, match }: Parked): boolean {
  return event.name === name && (match === undefined || textMatches(match, event.offered));
}

function give(node: Node, run: NodeRun, step: NodeStep, event: NodeEvent): void {
  run.taken.add(event.id);
  endStep(node, run, step, { status: "completed", output: event.data });
}

/** §8.1, §8.3: an event starts each workflow that triggers on it, once. */
function startRuns(node: Node, event: NodeEvent): void {
  if (event.run !== undefined || (event.app ?? node.app) !== node.app) return;
  for (const workflow of node.workflows.values()) {
    const isTriggered = workflow.triggers?.some(
      ({ event: name, match }) =>
        name === event.name &&
        (match === undefined || textMatches(JSON.stringify(match), event.offered)),
    );
    if (isTriggered !== true) continue;
    const { id, name } = event;
    node.startRun(workflow, {
      input: event.data,
      event: { id, name },
      depth: 0,
      deadline: undefined,
    });
  }
}

export function onWait(node: Node, run: NodeRun, told: Waits): void {
  const step = structuralOf(node, run, told);
  if (step === undefined) return;
  const { event, onTimeout = "null", match, since = "runStart", forUs } = told;
  const problem = match === undefined ? undefined : matchProblem(JSON.stringify(match));
  if (problem !== undefined) {
    const error = { name: "LimitError", message: `step \`${step.id}\`: ${problem}` };
    endStep(node, run, step, { status: "failed", error });
    return;
  }
  step.status = "waiting";
  step.wakeAt = forUs === undefined ? undefined : step.askedAt + forUs;
  const parked: Parked = {
    event,
    match: match === undefined ? undefined : JSON.stringify(match),
    seq: node.seq,
    onTimeout,
  };
  step.parked = parked;
  // §8.4: the oldest that counts and that no earlier wait of the run took.
  const from = since === "runStart" ? run.since : since === "parked" ? node.seq : -1;
  const back = typeof since === "object" ? node.now - since.backUs : Number.NEGATIVE_INFINITY;
  const oldest = Math.max(back, node.now - KEPT_US);
  const found = node.events.find(
    (one) =>
      one.seq > from &&
      one.acceptedAt >= oldest &&
      !run.taken.has(one.id) &&
      isFor(one, run, node.app) &&
      isAskedFor(one, parked),
  );
  if (found !== undefined) give(node, run, step, found);
  else if (step.wakeAt !== undefined && step.wakeAt <= node.now) timeOutWait(node, run, step);
}

/** §8.6: its time is over. What was sent meanwhile it was given as it was sent. */
export function timeOutWait(node: Node, run: NodeRun, step: NodeStep): void {
  const { event, onTimeout } = step.parked ?? { event: "", onTimeout: "null" };
  if (onTimeout === "fail") {
    const error = { name: "WaitTimeoutError", message: `no event \`${event}\` came in time` };
    endStep(node, run, step, { status: "failed", error });
  } else {
    const output = onTimeout === "null" ? undefined : onTimeout.value;
    endStep(node, run, step, { status: "timed_out", output });
  }
}

/** §4.6: the event is accepted with the record of the step that sends it. */
export function onEmit(node: Node, run: NodeRun, told: Emits): void {
  const step = structuralOf(node, run, told);
  if (step === undefined) return;
  const { event, data, match, app, run: to } = told;
  const id = `evt_${node.nextHex()}`;
  endStep(node, run, step, { status: "completed", output: id });
  accept(node, { id, event, data, match, app, run: to });
}
