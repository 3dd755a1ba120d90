/** Whether an event fits what a wait asks for (§8.2): JSON containment. The server decides; this tells before. */

import { pointerPart } from "./json-text.ts";

/** Where an event differs from a match. */
export interface Difference {
  /** A JSON pointer into the match; empty for the whole. */
  readonly path: string;
  readonly expected: unknown;
  /** What stands there; undefined for nothing. */
  readonly found: unknown;
}

/** Returns the first place where an event does not have what a match asks for; null where it fits. */
export function differenceOf(match: unknown, event: unknown): Difference | null {
  return compare(match, event, "");
}

function compare(match: unknown, event: unknown, path: string): Difference | null {
  const other = { path, expected: match, found: event };
  if (Array.isArray(match)) {
    if (!Array.isArray(event)) return other;
    // As sets: each member is somewhere in the other.
    const lacking = match.findIndex(
      (member) => !event.some((one) => compare(member, one, "") === null),
    );
    if (lacking < 0) return null;
    return { path: `${path}/${lacking}`, expected: match[lacking], found: undefined };
  }
  if (typeof match === "object" && match !== null) {
    if (typeof event !== "object" || event === null || Array.isArray(event)) return other;
    const members = event as Record<string, unknown>;
    for (const [name, wanted] of Object.entries(match)) {
      const place = `${path}/${pointerPart(name)}`;
      if (!Object.hasOwn(members, name)) return { path: place, expected: wanted, found: undefined };
      const difference = compare(wanted, members[name], place);
      if (difference !== null) return difference;
    }
    return null;
  }
  return match === event ? null : other;
}
