/** Search attributes (§9.4), whoever sets them or asks by them. */

import { Buffer } from "node:buffer";
import { nameProblem } from "./name.js";
import { isUnicode } from "./text.js";

/** Most bytes of a value. */
export const VALUE_BYTES_MAX = 256;

/** Says why an attribute is refused; nothing where it is accepted. Its size is another thing. */
export function attributeProblem(name: string, value: unknown): string | undefined {
  const why = nameProblem("a search attribute", name);
  if (why !== undefined) return why;
  const isNumber = typeof value === "number" && Number.isFinite(value);
  if (typeof value !== "string" && typeof value !== "boolean" && !isNumber) {
    const shown = typeof value === "number" || value === null ? value : typeof value;
    return `the search attribute \`${name}\` is ${shown}; accepted: a string, a finite number or a boolean`;
  }
  if (typeof value === "string" && !isUnicode(value)) {
    return `the search attribute \`${name}\` is not Unicode: ${JSON.stringify(value)}`;
  }
  return undefined;
}

/** Returns how many bytes the value of an attribute takes, as far as they are bounded. */
export function attributeBytes(value: unknown): number {
  return typeof value === "string" ? Buffer.byteLength(value) : 0;
}
