/** Names of steps as the pages of other systems show them. */

import { shown } from "../machine/refusals.js";
import { spelled } from "../steps/name.js";

/** Returns the name of a step: what the code called it; of a wait that was declared, the name of that (§2.4). */
export function nameOf(id: string, kind: string): string {
  return kind === "namedWait" ? shown(id) : spelled(id);
}
