/** Names that people choose (§2.5): apps, workflows, runners, events, versions, keys and step ids. */

import { Buffer } from "node:buffer";
import { ArgumentError } from "./errors/base.js";
import { isUnicode } from "./text.js";

const BYTES_MAX = 256;

/**
 * Checks a name.
 *
 * @param what - what it is for, such as "a workflow's name"
 * @throws `ArgumentError` that says what is accepted.
 */
export function checkName(what: string, name: unknown): asserts name is string {
  const why = nameProblem(what, name);
  if (why !== undefined) throw new ArgumentError(why);
}

/** Says why a name is refused; nothing where it is accepted. */
export function nameProblem(what: string, name: unknown): string | undefined {
  const accepted = `accepted: 1 to ${BYTES_MAX} bytes of UTF-8 without control characters`;
  if (typeof name !== "string") return `${what} is ${shown(name)}; ${accepted}`;
  if (name === "") return `${what} is empty; ${accepted}`;
  const bytes = Buffer.byteLength(name);
  if (bytes > BYTES_MAX) {
    return `${what} has ${bytes} bytes; ${accepted} (it begins with \`${name.slice(0, 24)}\`)`;
  }
  if (/\p{Cc}/u.test(name)) {
    return `${what} ${JSON.stringify(name)} holds a control character; ${accepted}`;
  }
  if (!isUnicode(name)) return `${what} ${JSON.stringify(name)} is not Unicode; ${accepted}`;
  return undefined;
}

/**
 * Checks a text that is no name: halves of characters would be sent as something else, or refused.
 *
 * @throws `ArgumentError` that names it.
 */
export function checkUnicode(what: string, text: string): void {
  if (!isUnicode(text)) {
    throw new ArgumentError(`${what} ${JSON.stringify(text)} is not Unicode; accepted: text`);
  }
}

function shown(value: unknown): string {
  return typeof value === "object" && value !== null ? "an object" : String(value);
}

/**
 * Checks that options have no member that does not exist.
 *
 * @throws `ArgumentError` that names it, and those that exist.
 */
export function checkMembers(where: string, options: unknown, known: readonly string[]): void {
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    const what = Array.isArray(options) ? "a list" : String(options);
    throw new ArgumentError(`${where}: options are ${what}; accepted: {${known.join(", ")}}`);
  }
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new ArgumentError(`${where} has no option \`${unknown}\`; it has: ${known.join(", ")}`);
}
