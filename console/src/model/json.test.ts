import { expect, test } from "vitest";
import { linesOf, linesWith, oneLine } from "./json.ts";

const text = (value: unknown) =>
  linesOf(value)
    .map((line) => "  ".repeat(line.indent) + line.pieces.map((piece) => piece.text).join(""))
    .join("\n");
const line = (value: unknown, chars = 1000) =>
  oneLine(value, chars)
    .map((piece) => piece.text)
    .join("");

const SAMPLE = { a: 1, "b c": [true, null, "x\ny", [], {}], d: { e: -1.5e30 } };

test("lines are what JSON.stringify gives", () => {
  for (const value of [SAMPLE, [], {}, null, "text", 7, [[1], [2]]]) {
    expect(text(value)).toBe(JSON.stringify(value, null, 2));
  }
});

test("names and punctuation are faint, values are strong", () => {
  const strong = linesOf(SAMPLE).flatMap((one) =>
    one.pieces.filter((piece) => piece.ink === "strong"),
  );
  expect(strong.map((piece) => piece.text)).toEqual(["1", "true", "null", '"x\\ny"', "-1.5e+30"]);
});

test("one line holds all of a small value", () => {
  expect(line(SAMPLE)).toBe('{"a": 1, "b c": [true, null, "x\\ny", [], {}], "d": {"e": -1.5e+30}}');
});

test("one line of a large value is cut, and reads no more of it than it shows", () => {
  let read = 0;
  const rows = Array.from({ length: 1000 }, (_, at) => ({
    get id() {
      read += 1;
      return at;
    },
  }));
  expect(line(rows, 40).length).toBeLessThan(60);
  expect(line(rows, 40)).toMatch(/…$/);
  expect(read).toBeLessThan(30);
});

test("a text that turns direction or hides is shown as what it is", () => {
  expect(line("a\u202eb")).toBe('"a\ufffdb"');
  expect(line("a\u0000b")).toBe('"a\\u0000b"');
});

test("a long text goes on over lines, and nothing of it is left out", () => {
  const long = linesOf({ note: `${"x".repeat(5000)}\nend`, next: 1 });
  const whole = long.flatMap((one) => one.pieces.filter((piece) => piece.ink === "strong"));
  expect(whole.map((piece) => piece.text).join("")).toBe(`${"x".repeat(5000)}end1`);
  expect(
    Math.max(...long.map((one) => one.pieces.map((piece) => piece.text).join("").length)),
  ).toBeLessThan(300);
  expect(linesWith(long, "end")).toHaveLength(1);
});

test("search finds lines whatever their case", () => {
  expect(linesWith(linesOf({ Name: "Ann", other: [1, "ANN"] }), "ann")).toEqual([1, 4]);
  expect(linesWith(linesOf(SAMPLE), "")).toEqual([]);
});
