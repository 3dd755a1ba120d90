import { describe, expect, it } from "vitest";
import { changedLines, changesOf, formatJson, parseJson } from "./json-text.ts";

describe("JSON that is typed", () => {
  it.each([
    ['{"a": 1,}', 1, 9, "expected a name in quotes"],
    ['{\n  "a": tru\n}', 2, 8, "expected a value"],
    ['{"a" 1}', 1, 6, "expected :"],
    ['{"a": [1 2]}', 1, 10, "expected , or ]"],
    ['["abc\n"]', 1, 6, "the text has no end"],
    ['["a\\q"]', 1, 4, "not allowed in a text"],
    ["[1] 2", 1, 5, "nothing may follow the value"],
    ["", 1, 1, "expected a value"],
    ["01", 1, 2, "nothing may follow the value"],
    ['{"a": "b"', 1, 10, "expected , or }"],
    ["{a: 1}", 1, 2, "expected a name in quotes"],
  ])("tells where %j is wrong", (text, line, column, message) => {
    expect(parseJson(text)).toEqual({ ok: false, line, column, message });
  });

  it("reads what is right, of any depth that the browser reads", () => {
    expect(parseJson(' {"a": [1, "\u007f"]} ')).toEqual({ ok: true, value: { a: [1, "\u007f"] } });
  });

  it("tells that a text is nested too deep, and does not fall over it", () => {
    const deep = parseJson("[".repeat(200_000));
    expect(deep.ok === false && deep.message).toBe("nested too deep");
  });
});

describe("what differs", () => {
  const before = { order: "ord_7", address: { zip: "27498", country: "DE" }, lines: [1, 2] };

  it("counts each place once, a part that is new or gone as one", () => {
    const after = { order: "ord_7", address: { zip: "27499", street: { a: 1, b: 2 } }, lines: [1] };
    expect([...changesOf(before, after)].sort()).toEqual([
      "/address/country",
      "/address/street",
      "/address/zip",
      "/lines/1",
    ]);
  });

  it("counts nothing for another order of names or other spaces", () => {
    const { lines, ...rest } = before;
    expect(changesOf(before, { lines, ...rest })).toEqual([]);
  });

  it("counts a value of another kind as one place", () => {
    expect(changesOf({ a: [1] }, { a: { 0: 1 } })).toEqual(["/a"]);
    expect(changesOf(null, { a: 1 })).toEqual([""]);
  });

  it("marks the lines that are new, not those that moved down by them", () => {
    const text = formatJson(before);
    const edited = text.replace('"27498"', '"27499"').replace("    2\n", "    1.5,\n    2\n");
    expect([...changedLines(text, edited)]).toEqual([3, 8]);
    expect(changedLines(text, text).size).toBe(0);
  });
});
