import { describe, expect, it } from "vitest";
import { instant, instantText } from "./instant.js";

describe("an instant", () => {
  /** §10.4: it is that of the clock on the wall, with microseconds, and does not go back. */
  it("is now", () => {
    const before = Date.now();
    const all = Array.from({ length: 10_000 }, instant);
    expect(all[0]).toBeGreaterThan(before - 100);
    expect(all.at(-1)).toBeLessThan(Date.now() + 100);
  });

  it("is written as a number of JSON, to microseconds", () => {
    const written: [number, string][] = [
      [1_795_390_276_123.25, "1795390276123.250"],
      [1_795_390_276_123 + 2 ** -12, "1795390276123.000"],
      [1_795_390_277_000 - 2 ** -12, "1795390277000.000"],
      [1_795_390_277_000.001, "1795390277000.001"],
      [1_795_390_276_005.02, "1795390276005.020"],
      [1_000_000, "1000000.000"],
      [999_999.5, "999999.5"],
      [5.25, "5.25"],
      [0, "0"],
      [-1.5, "-1.5"],
    ];
    expect(written.map(([at]) => instantText(at))).toEqual(written.map(([, text]) => text));
  });

  it("is the same once it is read back, wherever the second ends", () => {
    for (let n = 0; n < 20_000; n += 1) {
      const at = 1_795_390_000_000 + n * 137.123;
      const back = JSON.parse(instantText(at)) as number;
      expect(Math.abs(back - at)).toBeLessThan(0.001);
    }
  });
});
