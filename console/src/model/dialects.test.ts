import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  DIALECT_NAMES,
  DIALECTS,
  dialectOf,
  stepWord,
  WORDS,
  wholeStepWord,
  withWord,
} from "./dialects.ts";
import type { StepStatus } from "./run.ts";

const spec: unknown = JSON.parse(
  readFileSync(new URL("../../../spec/dialects.json", import.meta.url), "utf8"),
);

/** §13.2 */
describe("words of other systems", () => {
  it("are those of the table, for each status of each system", () => {
    expect(WORDS).toEqual(spec);
    expect(["stepwell", ...Object.keys(WORDS)]).toEqual([...DIALECTS]);
    expect(Object.keys(DIALECT_NAMES)).toEqual([...DIALECTS]);
  });

  it("stand in place of Stepwell's, which may be told behind them", () => {
    expect(stepWord("sleeping", "loops")).toBe("running");
    expect(wholeStepWord("sleeping", "loops")).toBe("running (sleeping)");
    expect(stepWord("timed_out", "stepwell")).toBe("timed out");
    expect(stepWord("timed_out", "durablex")).toBe("timed out");
    expect(wholeStepWord("timed_out", "failpath")).toBe("error (timed out)");
    expect(wholeStepWord("sleeping", "questpie")).toBe("sleeping");
    expect(wholeStepWord("completed", "stepwell")).toBe("completed");
  });

  it.each<StepStatus>(["stuck", "missing", "not_reached"])(
    "do not take the place of %s, which none of them has",
    (status) => {
      for (const dialect of DIALECTS) {
        expect(stepWord(status, dialect)).toBe(status.replace("_", " "));
      }
    },
  );

  it("say nothing of a status that only a newer server knows", () => {
    expect(stepWord("frozen" as StepStatus, "loops")).toBe("frozen");
  });

  it("come before a sentence where they are others", () => {
    expect(withWord("Completed on the 2nd attempt", "completed", "loops")).toBe(
      "Succeeded: completed on the 2nd attempt",
    );
    expect(withWord("Sleeping", "sleeping", "questpie")).toBe("Sleeping");
    expect(withWord("Failed after 4 attempts", "failed", "stepwell")).toBe(
      "Failed after 4 attempts",
    );
  });

  it("are found by their name in an address", () => {
    expect(dialectOf("questpie")).toBe("questpie");
    expect(dialectOf("stepwell")).toBe("stepwell");
    expect(dialectOf("Loops")).toBeNull();
    expect(dialectOf(null)).toBeNull();
  });
});
