/** One clock for the page: it ticks while somebody shows an elapsed time and the page is seen. */

import { useSyncExternalStore } from "react";

const TICK_MS = 100;
const QUIET_TICK_MS = 1000;

const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;
let now = Date.now();

function tickMs(): number {
  return matchMedia("(prefers-reduced-motion: reduce)").matches ? QUIET_TICK_MS : TICK_MS;
}

function listen(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(() => {
    if (document.visibilityState !== "visible") return;
    now = Date.now();
    for (const tell of listeners) tell();
  }, tickMs());
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

const still = () => () => undefined;

/**
 * Returns the time, rounded down to `everyMs`, so that what shows it is drawn no more often. `null` stops:
 * then it is the time of the last tick.
 */
export function useNow(everyMs: number | null): number {
  const get = () => {
    if (listeners.size === 0) now = Math.max(now, Date.now() - TICK_MS);
    return everyMs === null ? 0 : Math.floor(now / everyMs) * everyMs;
  };
  return useSyncExternalStore(everyMs === null ? still : listen, get);
}
