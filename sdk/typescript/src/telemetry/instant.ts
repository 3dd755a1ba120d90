/** When things happen, as telemetry tells it: milliseconds since 1970, with microseconds. */

import { now } from "../clock.js";

/** The clock on the wall, taken as the module loads, as those of `clock.ts` are. */
const wall: () => number = Date.now.bind(Date);

/** How far the two clocks may be apart, and how often that is looked at, in milliseconds. */
const APART_MS = 25;
const LOOK_MS = 100;

/** What is added to the monotonic clock, and when that was looked at by it. */
let offset = wall() - now();
let lookedAt = now();

/**
 * Returns the instant. The monotonic clock gives it, since it is fine and does not jump within a step; it
 * stands still while a machine sleeps, and is put right where it is apart from the wall's.
 */
export function instant(): number {
  const passed = now();
  if (passed - lookedAt >= LOOK_MS) look();
  return offset + passed;
}

function look(): void {
  lookedAt = now();
  const apart = wall() - (offset + lookedAt);
  if (apart >= APART_MS || apart <= -APART_MS) offset = wall() - now();
}

/** `000` to `999`. */
const THREE: readonly string[] = Array.from({ length: 1_000 }, (_, n) => `${n}`.padStart(3, "0"));

/** The second that was written last, and its text: events come many in a second. */
let second = 0;
let secondText = "0";

/** Writes an instant as a number of JSON, to microseconds. */
export function instantText(at: number): string {
  const micros = Math.round(at * 1_000);
  if (!(micros >= 1e9)) return String(micros / 1_000);
  const whole = Math.floor(micros / 1e6);
  if (whole !== second) {
    second = whole;
    secondText = String(whole);
  }
  // Writing a long fraction takes longer than all the rest of an event.
  const rest = micros - whole * 1e6;
  const millis = Math.floor(rest / 1_000);
  return `${secondText}${THREE[millis]}.${THREE[rest - millis * 1_000]}`;
}
