import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { thrownBy } from "../test/support.js";
import { durationMicros, durationMillis, microsText, parseDuration, read } from "./duration.js";
import { ArgumentError } from "./errors.js";
import type { Duration } from "./types/index.js";

const text = readFileSync(new URL("../../../spec/durations.json", import.meta.url), "utf8");
// The greatest has more digits than a number: all are read as texts first.
const vectors = JSON.parse(text.replace(/(?<=[[ ])(\d{16,})(?=[,\]])/g, '"$1"')) as {
  accepted: [string, number | string][];
  refused: string[];
  written: [number | string, string][];
};

describe("durations", () => {
  /** §11: the vectors that both SDKs share. */
  it.each(vectors.accepted)("%j is %d microseconds", (written, micros) => {
    expect(read(written)).toBe(BigInt(micros));
  });

  /** §11: anything else is an error at the call that says what is accepted. */
  it.each(vectors.refused)("%j is refused", (written) => {
    const error = thrownBy(() => parseDuration(written));
    expect(ArgumentError.is(error) && error.message).toContain(
      "is not a duration; accepted: a number of milliseconds",
    );
  });

  /** §11: where a duration is recorded as a text it has one form, which is read back. */
  it.each(vectors.written)("%d microseconds are written %j", (micros, written) => {
    expect(microsText(BigInt(micros))).toBe(written);
    expect(read(written)).toBe(BigInt(micros));
  });

  /** §11: a plain number is milliseconds. */
  it("reads numbers, to the microsecond", () => {
    expect([1, 1.5, 0.0005, 1.1, 0].map((ms) => durationMicros(ms))).toEqual([
      1000, 1500, 0, 1100, 0,
    ]);
    for (const bad of [-1, Number.NaN, Number.POSITIVE_INFINITY, 1e21, 9.3e15]) {
      expect(() => durationMicros(bad), `${bad}`).toThrow("is not a duration");
    }
    for (const bad of [null, undefined, {}, true]) {
      // What JavaScript code may give in spite of the types.
      expect(() => durationMicros(bad as unknown as Duration)).toThrow("is not a duration");
    }
  });

  it("rounds milliseconds up, so that nothing ends early", () => {
    expect([durationMillis("0.0000011s"), durationMillis(7), durationMillis("1.5ms")]).toEqual([
      1, 7, 2,
    ]);
  });

  it("never gives the engine more than it can hold", () => {
    const longest = durationMicros("106751991d4h54s775.807ms");
    expect(BigInt(JSON.stringify(longest)) < 2n ** 63n).toBe(true);
  });
});
