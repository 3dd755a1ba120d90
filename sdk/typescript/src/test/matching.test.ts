import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { thrownBy } from "../../test/support.js";
import { ArgumentError, SerializationError } from "../errors.js";
import { matches, textMatches } from "./matching.js";

const url = new URL("../../../../spec/matching.json", import.meta.url);
const { cases } = JSON.parse(readFileSync(url, "utf8")) as {
  cases: { name: string; match: string; event: string; matches: boolean }[];
};

describe("a match", () => {
  /** §8.2: the vectors that both SDKs share. */
  it.each(cases)("$name", ({ match, event, matches: wanted }) => {
    expect(textMatches(match, event)).toBe(wanted);
  });

  it("is held against values as JSON has them", () => {
    expect(matches({ at: new Date(0) }, { at: "1970-01-01T00:00:00.000Z", n: 1 })).toBe(true);
    expect(matches({ a: undefined }, {})).toBe(true);
    expect(SerializationError.is(thrownBy(() => matches({ n: 1n }, {})))).toBe(true);
    expect(ArgumentError.is(thrownBy(() => matches(undefined, {})))).toBe(true);
  });
});
