import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import type { StepStatus } from "../../src/client/views.js";

/** Every status of a step; the compiler refuses one that is missing here, or too much. */
const STATUSES: Readonly<Record<StepStatus, true>> = {
  pending: true,
  running: true,
  retrying: true,
  sleeping: true,
  waiting: true,
  completed: true,
  failed: true,
  timed_out: true,
  skipped: true,
  cancelled: true,
  unknown: true,
};

/** The words that the pages of the systems have for steps. */
const WORDS: Readonly<Record<string, readonly string[]>> = {
  failpath: ["running", "success", "error", "skipped"],
  loops: ["pending", "running", "succeeded", "failed"],
  durablex: Object.keys(STATUSES),
  questpie: ["pending", "running", "completed", "failed", "sleeping", "waiting"],
};

const spec = new URL("../../../../spec/dialects.json", import.meta.url);
const table: Readonly<Record<string, Readonly<Record<string, string>>>> = JSON.parse(
  readFileSync(spec, "utf8"),
);

/** §13.2: the table knows these systems and no other ones. */
it("the table of status words has a list for each system", () => {
  expect(Object.keys(table)).toEqual(Object.keys(WORDS));
});

/** §13.2: no status is without a word, and each word of a system stands for some status. */
it.each(Object.keys(WORDS))("the words of %s are whole", (dialect) => {
  const words = table[dialect] ?? {};
  expect(Object.keys(words).sort()).toEqual(Object.keys(STATUSES).sort());
  expect([...new Set(Object.values(words))].sort()).toEqual([...(WORDS[dialect] ?? [])].sort());
});

/** §13.2: where a page names no statuses, the words stay. */
it("durablex keeps the words of Stepwell", () => {
  const words = Object.entries(table.durablex ?? {});
  expect(words.filter(([native, word]) => native !== word)).toEqual([]);
});
