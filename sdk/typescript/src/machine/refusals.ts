/** What code is thrown that asks for something that it cannot have. */

import {
  ArgumentError,
  DuplicateStepIdError,
  LimitError,
  NestedStepError,
  RaceLostError,
} from "../errors.js";
import type { Core } from "./core.js";
import type { Lane } from "./state.js";

/** §2.5: one id was used for two steps. */
export function duplicate(core: Core, id: string): Error {
  return new DuplicateStepIdError(id, { runId: core.info.run });
}

/** §2.5: a step was called inside another one's function. */
export function nested(core: Core, id: string, outer: string): Error {
  return new NestedStepError(shown(id), shown(outer), { runId: core.info.run });
}

/** §5.5: another branch of the race won. */
export function raceLost(core: Core, id: string, lane: Lane | undefined): Error {
  const where = lane === undefined ? "" : ` of race \`${lane.race.id}\``;
  const branch = lane === undefined ? "its branch" : `branch \`${lane.name}\`${where}`;
  const text = `step \`${shown(id)}\` is in ${branch}, which lost`;
  return new RaceLostError(text, { stepId: shown(id), runId: core.info.run });
}

/** §12: something is over a limit. */
export function overLimit(core: Core, id: string | undefined, text: string): Error {
  return new LimitError(text, { stepId: id, runId: core.info.run });
}

/** An argument is not accepted. */
export function badArgument(core: Core, text: string): Error {
  return new ArgumentError(text, { runId: core.info.run });
}

/** Returns the id as people see it: without the space that the engine put before it (§2.5). */
export function shown(id: string): string {
  const at = id.indexOf("\u001f");
  return at < 0 ? id : id.slice(at + 1);
}
