/** When something is tried again (§6.1); `spec/retry.json` holds the vectors of both SDKs. */

import { durationMillis } from "./duration.js";
import { ArgumentError } from "./errors/base.js";
import type { RetryOptions } from "./types/retry.js";

/** A policy as it stands in messages. */
export interface RetryPolicy {
  readonly maxAttempts: number;
  readonly backoffMs: number;
  /** In thousandths. */
  readonly factorMilli: number;
  readonly maxBackoffMs: number;
  readonly jitter: boolean;
}

/** What is done where the code says nothing. */
export const RETRY_DEFAULT: RetryPolicy = {
  maxAttempts: 4,
  backoffMs: 1_000,
  factorMilli: 2_000,
  maxBackoffMs: 60_000,
  jitter: true,
};

const ATTEMPTS_MAX = 2 ** 32 - 1;
const MEMBERS = ["maxAttempts", "backoff", "factor", "maxBackoff", "jitter"];

/**
 * Reads what code says of retries.
 *
 * @param where - names the place in errors, such as "step `charge`"
 * @throws `ArgumentError` that says what is accepted.
 */
export function retryPolicy(where: string, retry: RetryOptions | false): RetryPolicy {
  if (retry === false) return { ...RETRY_DEFAULT, maxAttempts: 1 };
  const refuse = (what: string): never => {
    throw new ArgumentError(`${where}: ${what}`);
  };
  if (typeof retry !== "object" || retry === null) {
    return refuse(`retry is ${String(retry)}; accepted: false, or {${MEMBERS.join(", ")}}`);
  }
  const unknown = Object.keys(retry).find((name) => !MEMBERS.includes(name));
  if (unknown !== undefined) refuse(`retry has no \`${unknown}\`; it has: ${MEMBERS.join(", ")}`);
  const { maxAttempts = RETRY_DEFAULT.maxAttempts, factor = 2, jitter = true } = retry;
  if (!Number.isInteger(maxAttempts) || maxAttempts < 1 || maxAttempts > ATTEMPTS_MAX) {
    refuse(`retry.maxAttempts is ${maxAttempts}; accepted: a whole number from 1 on`);
  }
  if (!(factor >= 0 && factor <= 1_000)) {
    refuse(`retry.factor is ${factor}; accepted: 0 to 1,000`);
  }
  const backoffMs = durationMillis(retry.backoff ?? RETRY_DEFAULT.backoffMs);
  return {
    maxAttempts,
    backoffMs,
    factorMilli: Math.round(factor * 1_000),
    maxBackoffMs:
      retry.maxBackoff === undefined
        ? Math.max(RETRY_DEFAULT.maxBackoffMs, backoffMs)
        : durationMillis(retry.maxBackoff),
    jitter,
  };
}

/**
 * Returns the pause in milliseconds after so many attempts have failed, or `undefined` where none is
 * left. The node decides; this is for what a process keeps for itself, and for tests.
 *
 * @param random - from 0 to 1
 */
export function nextPauseMs(
  policy: RetryPolicy,
  ended: number,
  random: number,
): number | undefined {
  if (ended >= policy.maxAttempts) return undefined;
  let pause = Math.min(policy.backoffMs, policy.maxBackoffMs);
  for (let n = 1; n < ended && pause > 0 && pause < policy.maxBackoffMs; n += 1) {
    const next = Math.min((pause * policy.factorMilli) / 1_000, policy.maxBackoffMs);
    if (next === pause) break;
    pause = next;
  }
  return policy.jitter ? pause / 2 + (pause / 2) * random : pause;
}
