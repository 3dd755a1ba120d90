import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import type { StepStatus } from "../../src/client/views.js";
import * as durablex from "../../src/dialects/durablex/index.js";
import * as failpath from "../../src/dialects/failpath/index.js";
import * as loops from "../../src/dialects/loops/index.js";
import * as questpie from "../../src/dialects/questpie/index.js";

const spec = new URL("../../../../spec/dialects.json", import.meta.url);
const table: Readonly<Record<string, Readonly<Record<StepStatus, string>>>> = JSON.parse(
  readFileSync(spec, "utf8"),
);

/** §13.2: the words are those of the table that all languages share. */
it.each(Object.entries({ failpath, loops, durablex, questpie }))(
  "%s says each status as the table has it",
  (name, { stepStatus }) => {
    const words = Object.entries(table[name] ?? {});
    expect(words).toHaveLength(11);
    expect(words.map(([native]) => [native, stepStatus(native as StepStatus)])).toEqual(words);
  },
);
