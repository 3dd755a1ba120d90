/** Messages about steps, put together from their state. */

import type { JsonText, Opening } from "../protocol/to-node.js";
import * as write from "../protocol/to-node.js";
import type { Core } from "./core.js";
import type { EmitAsk, Outcome, Step, WaitAsk } from "./state.js";

/** Returns how long ago an instant was, in whole microseconds. */
export function agoUs(now: number, then: number): number {
  return Math.max(0, Math.round((now - then) * 1_000));
}

/** Writes a step's opening. */
export function opening(step: Step, now: number): JsonText {
  const { ask, lane } = step;
  const open: Opening = {
    kind: step.kind,
    after: step.after,
    agoUs: agoUs(now, step.askedAt),
    input: ask?.input,
    metadata: ask?.metadata,
    compensable: ask?.compensable ?? "no",
    once: ask?.options?.once?.onUnknown,
    branch: lane === undefined ? undefined : { race: lane.race.id, name: lane.name },
  };
  return write.opening(open);
}

/** Writes a message that opens a step of a kind without a function. */
export function opens(step: Step, a: number, now: number): string | undefined {
  const open = opening(step, now);
  const request = step.ask?.request;
  switch (request?.kind) {
    case "sleep": {
      const forUs = String(Math.round(request.forMs * 1_000));
      return write.ofStep("sleep", a, step.idText, { forUs, open });
    }
    case "sleepUntil":
      return write.ofStep("sleep", a, step.idText, { untilUs: String(request.untilUs), open });
    case "wait":
      return wait(step, a, request.wait, open);
    case "emit":
      return emit(step, a, request.emit, open);
    default:
      break;
  }
  if (step.kind === "skip" || step.kind === "invoke" || step.kind === "race") {
    return write.ofStep(step.kind, a, step.idText, { open });
  }
  return undefined;
}

function wait(step: Step, a: number, asked: WaitAsk, open: JsonText): string {
  const { event, match, timeoutMs, onTimeout, since } = asked;
  let late: JsonText | undefined;
  if (onTimeout === "fail") late = '"fail"';
  else if (onTimeout !== "null") late = `{"value":${onTimeout.value}}`;
  let from: JsonText | undefined;
  if (since === "parked") from = '"parked"';
  else if (since !== "runStart") from = `{"backUs":${Math.round(since.backMs * 1_000)}}`;
  return write.ofStep("wait", a, step.idText, {
    event: JSON.stringify(event),
    match,
    forUs: timeoutMs === undefined ? undefined : String(Math.round(timeoutMs * 1_000)),
    onTimeout: late,
    since: from,
    open,
  });
}

function emit(step: Step, a: number, asked: EmitAsk, open: JsonText): string {
  const { event, data, match, app, run } = asked;
  return write.ofStep("emit", a, step.idText, {
    event: JSON.stringify(event),
    data,
    match,
    app: app === undefined ? undefined : JSON.stringify(app),
    run: run === undefined ? undefined : JSON.stringify(run),
    open,
  });
}

/** Writes that the code dropped a step. */
export function dropped(step: Step, a: number, now: number): string {
  const open = step.opened ? undefined : opening(step, now);
  return write.ofStep("dropped", a, step.idText, { open });
}

/** Writes that a function still runs, or that its start is to be recorded. */
export function started(step: Step, a: number, now: number): string | undefined {
  const { attempt } = step;
  if (attempt === undefined) return undefined;
  return write.started(a, step.idText, {
    n: attempt.n,
    agoUs: agoUs(now, attempt.startedAt),
    overlapped: attempt.overlapped,
    open: step.opened ? undefined : opening(step, now),
  });
}

/** Writes that an attempt ended. */
export function ended(step: Step, a: number, now: number): string | undefined {
  const { attempt } = step;
  const outcome = attempt?.outcome;
  if (attempt === undefined || outcome === undefined) return undefined;
  return write.ended(a, step.idText, {
    n: attempt.n,
    startedAgoUs: agoUs(now, attempt.startedAt),
    endedAgoUs: agoUs(now, attempt.endedAt),
    overlapped: attempt.overlapped,
    output: outcome.kind === "returned" ? outcome.output : undefined,
    error: attemptError(step, outcome),
    open: step.opened ? undefined : opening(step, now),
  });
}

function attemptError(step: Step, outcome: Outcome): write.AttemptError | undefined {
  if (outcome.kind !== "failed") return undefined;
  const { retry, totalTimeoutMs } = step.ask?.options ?? {};
  return {
    failure: outcome.failure,
    terminal: outcome.terminal,
    timedOut: outcome.timedOut === true,
    retryInMs: outcome.retryInMs,
    retry,
    totalTimeoutMs: totalTimeoutMs === undefined ? undefined : Math.round(totalTimeoutMs),
  };
}

/** Writes what was found out about a start. */
export function verified(step: Step, a: number): string | undefined {
  const verdict = step.once?.verdict;
  if (verdict === undefined) return undefined;
  const outcome = step.attempt?.outcome;
  return write.verified(a, step.idText, {
    // What was never begun is the start that comes next.
    n: step.attempts + (verdict === "notBegun" ? 1 : 0),
    verdict,
    output: verdict === "done" && outcome?.kind === "returned" ? outcome.output : undefined,
  });
}

/** Writes which branch of a race settled first. */
export function raced(step: Step, a: number, now: number): string | undefined {
  const { attempt } = step;
  const outcome = attempt?.outcome;
  if (attempt === undefined || outcome === undefined) return undefined;
  return write.raced(a, step.idText, {
    agoUs: agoUs(now, attempt.endedAt),
    output: outcome.kind === "returned" ? outcome.output : undefined,
    error: outcome.kind === "failed" ? outcome.failure : undefined,
  });
}

/** Writes how the handler ended. */
export function finished(core: Core, a: number): string {
  const { finish } = core;
  if (finish?.kind === "failed") return write.finished(a, { error: finish.failure });
  if (finish?.kind === "continued") {
    return write.finished(a, { continueAs: { input: finish.input } });
  }
  if (finish?.kind === "returned" && finish.output !== undefined) {
    return write.finished(a, { output: finish.output });
  }
  return write.finished(a, {});
}
