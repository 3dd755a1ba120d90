/** Code sets search attributes (§9.4). */

import { attributeBytes, attributeProblem, VALUE_BYTES_MAX } from "../search.js";
import type { SetSearch } from "../types/context.js";
import type { Core } from "./core.js";
import { badArgument, overLimit } from "./refusals.js";

/** Most attributes of a run. */
const COUNT_MAX = 20;

/**
 * Sets attributes; `null` takes one away.
 *
 * @throws `ArgumentError` for what is no value, `LimitError` for too much of it: nothing was set
 */
export function setSearch(core: Core, set: SetSearch): void {
  if (core.phase !== "forward") return;
  const after = new Map(core.search);
  for (const [name, value] of Object.entries(set)) {
    check(core, name, value);
    if (value === null) after.delete(name);
    else after.set(name, value);
  }
  if (after.size > COUNT_MAX) {
    const text = `a run has at most ${COUNT_MAX} search attributes; these would be ${after.size}`;
    throw overLimit(core, undefined, text);
  }
  for (const [name, value] of Object.entries(set)) {
    core.searchSet.set(name, value);
    core.searchTelling.set(name, value);
    if (value === null) core.search.delete(name);
    else core.search.set(name, value);
  }
  // What a replay sets is told together with what follows it, so that no value goes back.
  if (!core.isReplaying()) core.outbox.push({ what: "search" });
  core.mark();
}

function check(core: Core, name: string, value: unknown): void {
  // Null takes it away.
  const why = attributeProblem(name, value ?? true);
  if (why !== undefined) throw badArgument(core, why);
  const bytes = attributeBytes(value);
  if (bytes > VALUE_BYTES_MAX) {
    const text = `the search attribute \`${name}\` has ${bytes} bytes; at most ${VALUE_BYTES_MAX}`;
    throw overLimit(core, undefined, text);
  }
}

/** Tells again what may not have arrived. */
export function tellSearchAgain(core: Core): void {
  for (const [name, value] of core.searchSet) core.searchTelling.set(name, value);
  if (core.searchTelling.size > 0) core.outbox.push({ what: "search" });
}
