/** Ids of steps (§2.5). */

import { ArgumentError } from "../errors.js";
import type { Core } from "../machine/core.js";
import { nameProblem } from "../name.js";

/** Stands between the space of an id that the engine made and the name that people see. */
export const SEPARATOR = "\u001f";

/** Returns the id of a step that the engine makes (§2.5). */
export function idIn(space: "compensate" | "onFailure" | "wait", name: string): string {
  return `${space}${SEPARATOR}${name}`;
}

/**
 * Returns the id of a step as it is shown: of one that the engine made its space and its name, such as
 * `compensate charge` and `onFailure`.
 */
export function spelled(id: string): string {
  const at = id.indexOf(SEPARATOR);
  if (at < 0) return id;
  const [space, name] = [id.slice(0, at), id.slice(at + 1)];
  return space === name ? name : `${space} ${name}`;
}

/** Returns a key that is the same for every attempt of a step and for no other step (§2.2). */
export function idempotencyKey(run: string, id: string): string {
  const at = id.indexOf(SEPARATOR);
  // Keys travel in headers: no control characters. No step that code names has this one.
  return at < 0 ? `${run}:${id}` : `${run}~${id.slice(0, at)}:${id.slice(at + 1)}`;
}

/**
 * Checks the id that code gives a step.
 *
 * @throws ArgumentError that says what is accepted
 */
export function checkId(core: Core, id: unknown): void {
  const why = nameProblem("a step id", id);
  if (why !== undefined) throw new ArgumentError(why, { runId: core.info.run });
}
