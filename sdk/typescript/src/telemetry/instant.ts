/** When things happen, as telemetry tells it: milliseconds since 1970, with microseconds. */

import { now } from "../clock.js";

/** The clock on the wall, taken as the module loads, as those of `clock.ts` are. */
const wall: () => number = Date.now.bind(Date);

/** How far the two clocks may be apart, in milliseconds. */
const APART_MS = 25;

/** What is added to the monotonic clock. */
let offset = wall() - now();

/**
 * Returns the instant. The monotonic clock gives it, since it is fine and does not jump within a step; it
 * stands still while a machine sleeps, and is put right where it is apart from the wall's.
 */
export function instant(): number {
  const at = offset + now();
  const apart = wall() - at;
  if (apart < APART_MS && apart > -APART_MS) return at;
  offset = wall() - now();
  return offset + now();
}

/** Writes an instant as a number of JSON, to microseconds. */
export function instantText(at: number): string {
  return String(Math.round(at * 1_000) / 1_000);
}
