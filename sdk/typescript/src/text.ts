/** Texts as the wire takes them. */

import { Buffer } from "node:buffer";

/** Tells whether a text has no halves of characters. */
export function isUnicode(text: string): boolean {
  return !/\p{Cs}/u.test(text);
}

/** Returns a text without halves of characters, such as are left where code cuts one amid an emoji. */
export function unicode(text: string): string {
  return text.replace(/\p{Cs}/gu, "\ufffd");
}

/** Cuts a text to at most so many bytes of UTF-8, between characters, and says that it did. */
export function cut(text: string, bytesMax: number): string {
  const whole = unicode(text);
  if (whole.length * 3 <= bytesMax || Buffer.byteLength(whole) <= bytesMax) return whole;
  const bytes = Buffer.from(whole).subarray(0, bytesMax);
  // A character that was cut through is no character.
  return `${bytes.toString().replace(/\ufffd+$/, "")}…`;
}
