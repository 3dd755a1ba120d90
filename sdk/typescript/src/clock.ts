/**
 * Time and timers of the process, taken when the module is loaded: fake timers that a test installs
 * later do not stop a runner.
 */

import { performance } from "node:perf_hooks";
import { clearTimeout, setImmediate, setTimeout } from "node:timers";

const realNow: () => number = performance.now.bind(performance);

/**
 * Returns the time of this thread's monotonic clock, in milliseconds. It begins when the thread does, or
 * when the process does: that differs between runtimes.
 */
export function now(): number {
  return realNow();
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
