/** Tells the node what is in the outbox. */

import * as write from "../protocol/to-node.js";
import { byteLength } from "./bytes.js";
import type { Attached, Core } from "./core.js";
import * as message from "./message.js";
import { isIdle } from "./rest.js";
import type { Line, Out, Step } from "./state.js";

/** Most bytes of payloads that travel in one message beside the message itself. */
const ROOM_BYTES = 32 * 1024;

/** Writes the outbox into the session's frames; keeps it where the run has no connection. */
export function flush(core: Core): void {
  const { attached, outbox } = core;
  // §4.4: a function that ends its process at once counts only if the node knows of it.
  const hasBegun = (core.idleTold || core.idleUnsure) && core.counts.running > 0;
  if (attached === undefined || (outbox.length === 0 && core.lines.length === 0 && !hasBegun)) {
    return;
  }
  const isBusy = core.idleTold && !isIdle(core);
  if (
    hasBegun ||
    (isBusy && outbox.some((out) => out.what === "started" || out.what === "ended"))
  ) {
    core.host.write(attached.generation, write.ofRun("busy", attached.a));
    core.idleTold = false;
    core.idleUnsure = false;
  }
  const now = core.now();
  for (const out of outbox) tell(core, attached, out, now);
  outbox.length = 0;
  if (core.lines.length > 0) tellLines(core, attached, false);
}

function tell(core: Core, attached: Attached, out: Out, now: number): void {
  if (out.what === "ended") {
    tellEnded(core, attached, out.step, now);
    return;
  }
  if (out.what === "search" || out.what === "released" || out.what === "finished") {
    tellSearch(core, attached);
    // What follows is the last that is said of the run.
    if (out.what !== "search") tellLines(core, attached, true);
  }
  const text = textOf(core, attached.a, out, now);
  if (text !== undefined) core.host.write(attached.generation, text);
}

function textOf(core: Core, a: number, out: Out, now: number): string | undefined {
  switch (out.what) {
    case "started":
      return opened(out.step, message.started(out.step, a, now));
    case "opens":
      return opened(out.step, message.opens(out.step, a, now));
    case "dropped":
      return opened(out.step, message.dropped(out.step, a, now));
    case "verified":
      return message.verified(out.step, a);
    case "raced":
      return message.raced(out.step, a, now);
    case "order":
      return write.order(a, out.expected, out.found);
    case "block":
      return core.blockCause && write.block(a, core.blockCause);
    case "idle":
      return write.ofRun("idle", a);
    case "released":
      return write.released(a, out.seen, out.ready);
    case "finished":
      return message.finished(core, a);
    case "ended":
    case "search":
      return undefined;
  }
}

function opened(step: Step, text: string | undefined): string | undefined {
  step.opened = true;
  return text;
}

function tellEnded(core: Core, attached: Attached, step: Step, now: number): void {
  const { a, generation } = attached;
  const { input, metadata } = step.ask ?? {};
  const outcome = step.attempt?.outcome;
  const output = outcome?.kind === "returned" ? outcome.output : undefined;
  if (!step.opened && (input !== undefined || metadata !== undefined)) {
    if (byteLength(input) + byteLength(metadata) + byteLength(output) > ROOM_BYTES) {
      // §12: a frame has room for one payload; the input goes ahead of the result.
      const started = message.started(step, a, now);
      if (started !== undefined) core.host.write(generation, started);
      step.opened = true;
    }
  }
  const ended = message.ended(step, a, now);
  if (ended !== undefined) core.host.write(generation, ended);
  step.opened = true;
}

function tellSearch(core: Core, { a, generation }: Attached): void {
  if (core.searchTelling.size === 0) return;
  core.host.write(generation, write.search(a, Object.fromEntries(core.searchTelling)));
  core.searchTelling.clear();
}

/** Writes lines of the handler and of steps that the node knows, or all of them. */
function tellLines(core: Core, { a, generation }: Attached, all: boolean): void {
  const isReady = (line: Line): boolean => all || line.step === undefined || line.step.opened;
  const ready = core.lines.filter(isReady);
  core.lines = core.lines.filter((line) => !isReady(line));
  const now = core.now();
  let together: Line[] = [];
  let chars = 0;
  const put = (): void => {
    const first = together[0];
    if (first === undefined) return;
    const lines = together.map(({ at, level, message: text }) => {
      return { agoUs: message.agoUs(now, at), level, message: text };
    });
    core.host.write(generation, write.log(a, first.step?.idText, lines));
    together = [];
    chars = 0;
  };
  for (const line of ready) {
    if (together[0]?.step !== line.step || chars >= ROOM_BYTES) put();
    together.push(line);
    chars += line.message.length;
  }
  put();
}
