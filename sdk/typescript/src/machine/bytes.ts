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
