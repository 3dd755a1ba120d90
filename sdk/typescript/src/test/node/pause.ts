/** When a failed attempt is tried again (§6.1). */

import type { RetryPolicy } from "../../retry.js";

/**
 * Returns the pause after so many attempts have failed, in milliseconds; nothing where no attempt is left.
 * Pauses are spread by a server (`jitter`); here they have their greatest length, so that a test knows it.
 */
export function nextPause(policy: RetryPolicy, ended: number): number | undefined {
  if (ended >= Math.max(1, policy.maxAttempts)) return undefined;
  const cap = policy.maxBackoffMs * 1_000;
  let micros = Math.min(policy.backoffMs * 1_000, cap);
  for (let n = 1; n < ended; n++) {
    const next = Math.min(Math.floor((micros * policy.factorMilli) / 1_000), cap);
    if (next === micros) break;
    micros = next;
  }
  return micros / 1_000;
}
