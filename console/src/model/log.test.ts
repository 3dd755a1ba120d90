import { expect, test } from "vitest";
import { bytesText, readLog, recordHas } from "./log.ts";

const record = {
  n: 3,
  at: null,
  kind: "stepEnded",
  content: { step: "Charge", output: [1] },
  journalBytes: 7,
};

test("a page is read with what follows it", () => {
  expect(readLog({ records: [record], next: "3" })).toEqual({ records: [record], next: "3" });
  expect(readLog({ records: [], next: null }).next).toBe(null);
  for (const answer of [null, {}, { records: "all" }]) {
    expect(() => readLog(answer)).toThrow(/no records/);
  }
});

test.each([
  ["stepended", true],
  ["charge", true],
  ['"output":[1]', true],
  ["ship", false],
])("a record has the text %s: %s", (text, has) => {
  expect(recordHas(record, text)).toBe(has);
});

test("a record that holds nothing has only its kind", () => {
  expect(recordHas({ ...record, content: undefined }, "charge")).toBe(false);
});

test.each([
  [0, "0\u00a0B"],
  [999, "999\u00a0B"],
  [1400, "1.4\u00a0KB"],
  [3_000_000, "3.0\u00a0MB"],
])("%d bytes are %s", (bytes, text) => {
  expect(bytesText(bytes)).toBe(text);
});
