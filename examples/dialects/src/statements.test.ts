/** The tables of docs/coming-from/ name tests that there are. */

import { expect, it } from "vitest";
import { figuresOf, hasTest, SYSTEMS, tablesOf } from "./statements.ts";

const ROOT = new URL("../../../", import.meta.url);

it.each(SYSTEMS)("each statement of the page of %s has its tests", (system) => {
  const { statements, tests, open, faults } = figuresOf(system, ROOT);
  expect(faults).toEqual([]);
  expect(open).toBe(0);
  expect(statements).toBeGreaterThanOrEqual(39);
  expect(tests).toBeGreaterThanOrEqual(15);
});

it("rows are read, and those that show nothing are not taken", () => {
  const head = "| | what it says | shown by |\n| --- | --- | --- |\n";
  const rows =
    "| 1 | a | `x.test.ts › one`<br>`y/z.test.ts › two: 2` |\n| 2 | b | open: the page says no more |\n";
  const [table] = tablesOf(`${head}${rows}`);
  expect(table).toEqual([
    {
      n: 1,
      text: "a",
      tests: [
        { path: "examples/dialects/src/x.test.ts", title: "one" },
        { path: "y/z.test.ts", title: "two: 2" },
      ],
      open: null,
    },
    { n: 2, text: "b", tests: [], open: "the page says no more" },
  ]);
  for (const bad of ["| 1 | a | nothing |", "| 1 | a | open: no |", "| 1 | a | `x.test.ts` |"]) {
    expect(() => tablesOf(`${head}${bad}`)).toThrow("not a test");
  }
  expect(() => tablesOf("| 1 | a | `x › y` |")).toThrow("outside");
});

it("a test is found by its title only", () => {
  const text =
    'it("one (a)", () => 1);\ntest(\n  "two",\n  async () => 2);\n// three\nit.each("four", () => 4);';
  expect(["one (a)", "two"].map((title) => hasTest(text, title))).toEqual([true, true]);
  expect(["one", "three", "four", "one (b)"].some((title) => hasTest(text, title))).toBe(false);
});
