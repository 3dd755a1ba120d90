import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { differenceOf } from "./matching.ts";

interface Case {
  readonly name: string;
  readonly match: string;
  readonly event: string;
  readonly matches: boolean;
}

const spec: { readonly cases: readonly Case[] } = JSON.parse(
  readFileSync(new URL("../../../spec/matching.json", import.meta.url), "utf8"),
);

/** Numbers that a double cannot tell from others: of those the server alone knows. */
const BEYOND_DOUBLES: ReadonlySet<string> = new Set([
  "neighbours beyond 53 bits",
  "neighbours beyond 64 bits",
  "40 digits, the last another",
  "a fraction of 40 digits",
  "two numbers beyond doubles",
  "a number below doubles is not 0",
]);

describe("what fits a wait", () => {
  it.each(spec.cases.filter(({ name }) => !BEYOND_DOUBLES.has(name)))(
    "$name",
    ({ match, event, matches }) => {
      expect(differenceOf(JSON.parse(match), JSON.parse(event)) === null).toBe(matches);
    },
  );

  it("names the key that differs and both of its values", () => {
    const wanted = { order: { id: 42, "a/b": 1 } };
    expect(differenceOf(wanted, { order: { id: 43 } })).toEqual({
      path: "/order/id",
      expected: 42,
      found: 43,
    });
    expect(differenceOf(wanted, { order: { id: 42 } })).toEqual({
      path: "/order/a~1b",
      expected: 1,
      found: undefined,
    });
  });

  it("names the member of a list that is nowhere in the other", () => {
    expect(differenceOf({ tags: ["a", "b"] }, { tags: ["c", "a"] })?.path).toBe("/tags/1");
  });
});
