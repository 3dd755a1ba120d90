/** Waits that are declared and named (§2.4). */

import { ArgumentError } from "./errors/base.js";
import { eventParts } from "./event.js";
import { encode } from "./json.js";
import { checkMembers, checkName } from "./name.js";
import { isSchema } from "./schema.js";
import type { NamedWaits } from "./types/wait.js";

const MEMBERS = ["event", "match", "onTimeout", "since", "schema"];

/** Names that the handle of steps has already, or that would make a promise of it. */
const TAKEN = [
  "run",
  "sleep",
  "sleepUntil",
  "waitForEvent",
  "invoke",
  "emit",
  "race",
  "skip",
  "then",
];

/**
 * Declares waits that several workflows use, keeping what their types say exactly. A workflow takes
 * them as its option `waits`.
 *
 * ```ts
 * const scans = waits({
 *   waitForScan: { event: scanned, match: ({ input }: { input: { parcel: string } }) => ({ parcel: input.parcel }) },
 * });
 * ```
 */
export function waits<const W extends NamedWaits>(declared: W): W {
  checkWaits("waits", declared);
  return declared;
}

/** Checks declared waits. Throws `ArgumentError` that names the wait. */
export function checkWaits(where: string, declared: NamedWaits): void {
  for (const [name, wait] of Object.entries(declared)) {
    const place = `${where}: the wait \`${name}\``;
    checkName(`${where}: a wait's name`, name);
    if (TAKEN.includes(name)) {
      throw new ArgumentError(
        `${place}: the handle of steps has this name already; give it another`,
      );
    }
    checkMembers(place, wait, MEMBERS);
    eventParts(place, wait.event);
    if (wait.schema !== undefined && !isSchema(wait.schema)) {
      throw new ArgumentError(
        `${place}: \`schema\` is no schema; accepted: one that speaks Standard Schema`,
      );
    }
    if (typeof wait.match !== "function") encode(`${place}: its match`, wait.match);
    checkOnTimeout(place, wait.onTimeout);
  }
}

/** Checks what a wait gives when its time is over (§8.6). Throws `ArgumentError`. */
export function checkOnTimeout(place: string, onTimeout: unknown): void {
  if (onTimeout === undefined || onTimeout === "null" || onTimeout === "fail") return;
  if (typeof onTimeout === "object" && onTimeout !== null && "value" in onTimeout) {
    encode(`${place}: the value of onTimeout`, onTimeout.value);
    return;
  }
  const shown = typeof onTimeout === "string" ? `"${onTimeout}"` : String(onTimeout);
  throw new ArgumentError(
    `${place}: onTimeout is ${shown}; accepted: "null", "fail" or {value: …}`,
  );
}
