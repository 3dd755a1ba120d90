/** What is left to send as a process ends by itself. */

/** What has something left to send. */
export interface Unsent {
  /** Sends it, or gives it up within a bounded time, which holds the process. */
  flushAtExit(): void;
}

const unsent = new Set<Unsent>();
let isListening = false;

/** Has it flushed where the process comes to its end before {@link forget}. One listener stands for all. */
export function remember(one: Unsent): void {
  unsent.add(one);
  if (isListening) return;
  isListening = true;
  process.on("beforeExit", () => {
    for (const each of unsent) each.flushAtExit();
  });
}

/** Nothing is left. */
export function forget(one: Unsent): void {
  unsent.delete(one);
}
