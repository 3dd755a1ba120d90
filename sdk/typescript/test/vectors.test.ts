import { readdirSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";

const SPEC = new URL("../../../spec/", import.meta.url);
const ROOT = new URL("../", import.meta.url);

/** Where the vectors of a file are run here, by the list that they stand in; `*` for a file that is one. */
const RUN: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  "dialects.json": {
    failpath: ["test/dialects/words.test.ts", "test/dialects/status.test.ts"],
    loops: ["test/dialects/words.test.ts", "test/dialects/status.test.ts"],
    durablex: ["test/dialects/words.test.ts", "test/dialects/status.test.ts"],
    questpie: ["test/dialects/words.test.ts", "test/dialects/status.test.ts"],
  },
  "durations.json": {
    accepted: ["src/duration.test.ts", "test/kit/vectors.test.ts"],
    refused: ["src/duration.test.ts"],
    written: ["src/duration.test.ts"],
  },
  "matching.json": {
    cases: ["src/test/matching.test.ts", "test/kit/vectors.test.ts"],
    // Where waits are filed, and what is told of near misses, is the store's; what follows of it is run.
    filed: ["src/test/matching.test.ts"],
    misses: ["src/test/matching.test.ts"],
    refused: ["src/test/matching.test.ts"],
  },
  "redaction.json": {
    secret: ["test/telemetry/redaction.test.ts"],
    harmless: ["test/telemetry/redaction.test.ts"],
  },
  "replay.json": { cases: ["test/machine/vectors.test.ts", "test/kit/vectors.test.ts"] },
  "retry.json": { "*": ["src/retry.test.ts", "test/kit/vectors.test.ts"] },
  "settle-order.json": { cases: ["test/machine/vectors.test.ts", "test/kit/vectors.test.ts"] },
};

function listsOf(file: string): string[] {
  const spec: unknown = JSON.parse(readFileSync(new URL(file, SPEC), "utf8"));
  if (Array.isArray(spec)) return ["*"];
  // What is a text says what the file is about.
  return Object.entries(spec as object).flatMap(([name, value]) =>
    typeof value === "string" ? [] : [name],
  );
}

/** §8.2, §11: vectors that are added to `spec/` and that nobody runs here are seen. */
it("all vectors of spec/ are run here too", () => {
  const there = readdirSync(SPEC).map((file) => [file, listsOf(file).sort()]);
  const here = Object.entries(RUN).map(([file, lists]) => [file, Object.keys(lists).sort()]);
  expect(here).toEqual(there.sort());
  for (const [file, lists] of Object.entries(RUN)) {
    for (const [list, tests] of Object.entries(lists)) {
      for (const test of tests) {
        const text = readFileSync(new URL(test, ROOT), "utf8");
        expect(text).toMatch(new RegExp(`\\b${file.replace(".json", "")}\\b`));
        if (list !== "*") expect(text, `${test} runs ${list}`).toMatch(new RegExp(`\\b${list}\\b`));
      }
    }
  }
});
