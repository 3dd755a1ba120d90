/** Deadlines of a run: the host calls when one has come. */

import { begin, START_TOLD_AFTER_MS, timeOut } from "./attempt.js";
import type { Core } from "./core.js";
import { flush } from "./flush.js";
import type { Step } from "./state.js";

/** A deadline has come: of a step, or of the run itself. */
export function onTime(core: Core, step: Step | undefined): void {
  if (core.phase === "closed") return;
  core.mark();
  if (step === undefined) return;
  if (core.phase !== "forward" && core.phase !== "ending" && core.phase !== "leaving") return;
  const now = core.now();
  switch (step.state) {
    case "running":
      onRunningTime(core, step, now);
      break;
    case "verifying":
      if (step.dueAt > now) return;
      core.set(step, "due");
      begin(core, step, now);
      break;
    case "due":
      begin(core, step, now);
      break;
    default:
      break;
  }
  flush(core);
}

function onRunningTime(core: Core, step: Step, now: number): void {
  const { attempt } = step;
  if (attempt === undefined || attempt.verifies) return;
  if (attempt.deadline <= now) timeOut(core, step, now);
  else if (!attempt.startTold && attempt.startedAt + START_TOLD_AFTER_MS <= now) {
    attempt.startTold = true;
    core.outbox.push({ what: "started", step });
  }
}
