import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { nextPauseMs, RETRY_DEFAULT, type RetryPolicy, retryPolicy } from "./retry.js";
import type { RetryOptions } from "./types/index.js";

const url = new URL("../../../spec/retry.json", import.meta.url);
const cases = JSON.parse(readFileSync(url, "utf8")) as {
  policy: Partial<RetryPolicy>;
  pausesMs: number[];
}[];

function pauses(policy: RetryPolicy): number[] {
  const found: number[] = [];
  for (let ended = 1; ; ended += 1) {
    const pause = nextPauseMs(policy, ended, 1);
    if (pause === undefined) return found;
    found.push(Math.floor(pause));
  }
}

describe("retries", () => {
  /** §6.1: the vectors that both SDKs share. */
  it.each(cases)("$policy pauses $pausesMs", ({ policy, pausesMs }) => {
    expect(pauses({ ...RETRY_DEFAULT, ...policy })).toEqual(pausesMs);
  });

  /** §6.1: jitter keeps at least half of a pause. */
  it("spreads pauses between half and all", () => {
    expect(nextPauseMs(RETRY_DEFAULT, 1, 0)).toBe(500);
    expect(nextPauseMs(RETRY_DEFAULT, 1, 1)).toBe(1000);
  });

  /** §2.1: the options are those of the contract; `false` is a single attempt. */
  it("reads options", () => {
    expect(retryPolicy("step `a`", false).maxAttempts).toBe(1);
    expect(retryPolicy("step `a`", {})).toEqual(RETRY_DEFAULT);
    expect(
      retryPolicy("step `a`", { maxAttempts: 9, backoff: "5m", factor: 1.5, jitter: false }),
    ).toEqual({
      maxAttempts: 9,
      backoffMs: 300_000,
      factorMilli: 1_500,
      maxBackoffMs: 300_000,
      jitter: false,
    });
  });

  it.each<[unknown, string]>([
    [{ maxAttempts: 0 }, "step `a`: retry.maxAttempts is 0; accepted: a whole number from 1 on"],
    [{ factor: Number.NaN }, "retry.factor is NaN; accepted: 0 to 1,000"],
    [{ attempts: 3 }, "retry has no `attempts`; it has: maxAttempts, backoff"],
    [true, "retry is true; accepted: false, or {maxAttempts"],
    [{ backoff: "5 parsecs" }, "`5 parsecs` is not a duration"],
  ])("refuses %j", (retry, message) => {
    // What JavaScript code may give in spite of the types.
    expect(() => retryPolicy("step `a`", retry as RetryOptions)).toThrow(message);
  });
});
