/** Lines that code logs (§2.2, §2.3). */

import { storedText } from "../log.js";
import { cut } from "../text.js";
import type { LogFields } from "../types/log.js";
import type { Core } from "./core.js";
import type { Line, Step } from "./state.js";

/** Most lines that wait to be sent, and the most bytes of each. */
const LINES_MAX = 10_000;
const LINE_BYTES_MAX = 16 * 1024;

/** How long a line may wait for others, in milliseconds. */
const LINES_WAIT_MS = 200;

/** Code logged a line; the handler's have no step. */
export function log(
  core: Core,
  step: Step | undefined,
  level: Line["level"],
  message: string,
  fields?: LogFields,
): void {
  // §2.3: what the handler logs is shown once, not again on replay.
  if (step === undefined && (core.isReplaying() || core.phase === "gathering")) return;
  core.host.print(core, step, { level, message, ...(fields && { fields }) });
  if (core.phase === "finished" || core.phase === "closed") return;
  addLine(core, step, level, storedText({ message, ...(fields && { fields }) }));
}

/** Stores a line without showing it. */
export function addLine(
  core: Core,
  step: Step | undefined,
  level: Line["level"],
  message: string,
): void {
  const at = core.now();
  const count = core.lines.length;
  if (count > LINES_MAX) return;
  if (count === LINES_MAX) {
    const text = "lines are left out: they come faster than they go";
    core.lines.push({ step, at, level: "warn", message: text });
    return;
  }
  core.lines.push({ step, at, level, message: cut(message, LINE_BYTES_MAX) });
  if (count === 0) core.host.setTimer(at + LINES_WAIT_MS, core, undefined);
}
