import { describe, expect, it } from "vitest";
import { fuzzy, ranked } from "./fuzzy.ts";

describe("finding by letters", () => {
  it("meets letters in their order only", () => {
    expect(fuzzy("rsv", "reserve")?.at).toEqual([0, 2, 5]);
    expect(fuzzy("vsr", "reserve")).toBeNull();
    expect(fuzzy("", "reserve")).toEqual({ score: 0, at: [] });
  });

  it("goes back to a plain place where the begin of a word leads nowhere", () => {
    expect(fuzzy("a e", "xaex-a")?.at).toEqual([1, 2]);
  });

  it("puts what stands together before what is spread, and begins before middles", () => {
    const names = ["spare-hip", "relationship", "ship", "send-highlights-in-pairs"];
    expect(ranked("ship", names, (name) => name)).toEqual([
      "ship",
      "relationship",
      "spare-hip",
      "send-highlights-in-pairs",
    ]);
  });

  it("finds by the begins of words", () => {
    const names = ["fork from here", "filter by fire"];
    expect(ranked("ffh", names, (name) => name)).toEqual(["fork from here"]);
  });

  it("keeps the order of equals", () => {
    expect(ranked("", ["b", "a"], (name) => name)).toEqual(["b", "a"]);
  });
});
