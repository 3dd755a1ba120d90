/** Ids of steps as people spell them (§2.5). */

import { SEPARATOR } from "../steps/name.js";

/** Returns the id that is kept of a step that is shown as `id`. */
export function unspelled(kind: string, id: string): string {
  if (kind !== "namedWait") return id;
  // A server shows it as it is kept.
  return `wait${SEPARATOR}${id.replace(SEPARATOR, " ").replace(/^wait /, "")}`;
}
