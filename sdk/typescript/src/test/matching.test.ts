import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { thrownBy } from "../../test/support.js";
import { ArgumentError, SerializationError } from "../errors.js";
import { matchProblem } from "./match-limits.js";
import { matches, textMatches } from "./matching.js";

const url = new URL("../../../../spec/matching.json", import.meta.url);
const { cases, filed, refused, misses } = JSON.parse(readFileSync(url, "utf8")) as {
  cases: { name: string; match: string; event: string; matches: boolean }[];
  filed: { match: string; as: string | null }[];
  refused: { match: string; error: string }[];
  misses: { match: string; event: string; miss?: object }[];
};

describe("a match", () => {
  /** §8.2: the vectors that both SDKs share. */
  it.each(cases)("$name", ({ match, event, matches: wanted }) => {
    expect(textMatches(match, event)).toBe(wanted);
  });

  /** §12: what a server refuses, with the place. */
  it.each(refused)("is refused: $error", ({ match, error }) => {
    expect(matchProblem(match)).toContain(error);
  });

  /** §12: it is taken at its limit, and named beyond. */
  it("has limits", () => {
    const long = (bytes: number): string => JSON.stringify("x".repeat(bytes - 2));
    expect(matchProblem(long(16 * 1024))).toBe(undefined);
    expect(matchProblem(long(16 * 1024 + 1))).toContain("has 16385 bytes");
    expect(cases.map(({ match }) => matchProblem(match))).toEqual(cases.map(() => undefined));
    expect(matchProblem('{"a b":{"n":-1.5e1000001}}')).toContain('number at $["a b"].n is out');
    expect(matchProblem('{"n":0e9999999}')).toBe(undefined);
  });

  /** §8.10: what a server tells of a near miss is its own; that it is one is known here too. */
  it.each(misses)("$match in $event", ({ match, event, miss }) => {
    expect(textMatches(match, event)).toBe(miss === undefined);
  });

  /** §8.8: where a wait is filed is the store's own; what it is filed under is contained in it. */
  it.each(filed)("$match is filed under a part of it", ({ match, as }) => {
    if (as !== null) expect(textMatches(as, match)).toBe(true);
    expect(matchProblem(match)).toBe(undefined);
  });

  it("is held against values as JSON has them", () => {
    expect(matches({ at: new Date(0) }, { at: "1970-01-01T00:00:00.000Z", n: 1 })).toBe(true);
    expect(matches({ a: undefined }, {})).toBe(true);
    expect(SerializationError.is(thrownBy(() => matches({ n: 1n }, {})))).toBe(true);
    expect(ArgumentError.is(thrownBy(() => matches(undefined, {})))).toBe(true);
  });
});
