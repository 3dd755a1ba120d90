/**
 * Time and timers of the process, taken when the module is loaded: fake timers that a test installs
 * later do not stop a runner.
 */

import { performance } from "node:perf_hooks";
import { clearTimeout, setImmediate, setTimeout } from "node:timers";

const realNow: () => number = performance.now.bind(performance);
const hrtime: () => bigint = process.hrtime.bigint.bind(process.hrtime);

/** Returns the time of this thread's monotonic clock, in milliseconds. */
export function now(): number {
  return realNow();
}

/** Returns the time of the monotonic clock that all threads of the process share, in milliseconds. */
export function sharedNow(): number {
  return Number(hrtime()) / 1e6;
}

/** What a shared instant has to be given to be one of this thread. */
const SHARED_TO_OWN: number = realNow() - sharedNow();

/** Turns an instant of {@link sharedNow} into one of {@link now}. */
export function fromShared(at: number): number {
  return at + SHARED_TO_OWN;
}

/** A timer that was set. */
export type Timer = NodeJS.Timeout;

/** Calls something after a time in milliseconds; without holding the process where `isIdle`. */
export function after(millis: number, call: () => void, isIdle = false): Timer {
  // A timer that fires too early would be set again at once.
  const timer = setTimeout(call, Math.min(Math.max(1, Math.ceil(millis)), 2 ** 31 - 1));
  if (isIdle) timer.unref();
  return timer;
}

/** Takes a timer back. */
export function cancel(timer: Timer | undefined): void {
  clearTimeout(timer);
}

/** Calls something once the code that runs now, and all that it set going, waits. */
export function hop(call: () => void): void {
  setImmediate(call);
}
