/** Sizes of texts as they travel. */

import type { JsonText } from "../protocol/to-node.js";

/** Returns how many bytes a text has as UTF-8. */
export function byteLength(text: JsonText | undefined): number {
  return text === undefined ? 0 : Buffer.byteLength(text, "utf8");
}

/** Tells whether a text has more bytes than are allowed, without counting where it cannot. */
export function isOver(text: JsonText | undefined, bytesMax: number): boolean {
  if (text === undefined || text.length * 3 <= bytesMax) return false;
  return byteLength(text) > bytesMax;
}

/** Cuts a text to at most so many bytes, between characters, and says that it did. */
export function cut(text: string, bytesMax: number): string {
  if (!isOver(text, bytesMax)) return text;
  const bytes = Buffer.from(text, "utf8").subarray(0, bytesMax);
  // A character that was cut through is no character.
  return `${bytes.toString("utf8").replace(/�+$/u, "")}…`;
}
