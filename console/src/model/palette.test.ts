import { expect, it } from "vitest";
import { choose } from "./palette.ts";

const entry = (group: string, text: string) => ({ id: `${group} ${text}`, group, text });
const all = [
  entry("Acts", "Cancel the run"),
  entry("Acts", "Fork at ship"),
  ...Array.from({ length: 20 }, (_, at) => entry("Steps", `restock:${at}`)),
  entry("Steps", "ship"),
  entry("Pages", "Runs"),
];

it("keeps the order of groups while nothing is typed, and says how many more there are", () => {
  const groups = choose("", all);
  expect(groups.map((group) => group.name)).toEqual(["Acts", "Steps", "Pages"]);
  expect(groups[1]).toMatchObject({ more: 13 });
  expect(groups[1]?.entries).toHaveLength(8);
});

it("puts the group with the best entry first", () => {
  const groups = choose("ship", all);
  expect(groups.map((group) => group.entries.map((one) => one.text))).toEqual([
    ["ship"],
    ["Fork at ship"],
  ]);
});

it("offers nothing where nothing fits", () => {
  expect(choose("zzz", all)).toEqual([]);
});
