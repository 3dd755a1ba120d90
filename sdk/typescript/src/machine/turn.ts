/** A look at a run whose code waits: what is to be done with it next. */

import { START_TOLD_AFTER_MS } from "./attempt.js";
import { gathered } from "./clean.js";
import type { Core } from "./core.js";
import { deliverNext } from "./deliver.js";
import { flush } from "./flush.js";
import { goOnEnding, rest } from "./rest.js";

/**
 * Does one thing for a run: calls its code, or gives it the next end, or lets it rest; and tells the
 * node what is to be told. The host calls it where the queue of microtasks is empty, so that between
 * two ends the code has run until it waits again (§5.4).
 */
export function turn(core: Core): void {
  core.isMarked = false;
  if (core.phase === "closed") return;
  if (core.fresh.length > 0) watchFresh(core);
  gathered(core);
  goOnEnding(core);
  const { start } = core;
  if (start !== undefined && (core.phase === "forward" || core.phase === "gathering")) {
    core.start = undefined;
    start();
    core.mark();
  } else if (deliverNext(core)) core.mark();
  else rest(core);
  flush(core);
}

/** §4.3: a start is recorded where the function still runs after a while. */
function watchFresh(core: Core): void {
  for (const step of core.fresh) {
    const { attempt, state } = step;
    if (state !== "running" || attempt === undefined || attempt.startTold) continue;
    core.host.setTimer(attempt.startedAt + START_TOLD_AFTER_MS, core, step);
  }
  core.fresh = [];
}
