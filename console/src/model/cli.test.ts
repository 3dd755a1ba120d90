import { describe, expect, it } from "vitest";
import { actLine, bulkLine, compactJson, quoted, sendLine } from "./cli.ts";

describe("lines of the command", () => {
  it("says who and why, and leaves out what is not known yet", () => {
    expect(actLine("cancel", "run_1", { by: "ann", reason: " it's late " })).toBe(
      "stepwell runs cancel run_1 --reason 'it'\\''s late' --by ann",
    );
    expect(actLine("retry", "run_1", { by: "", reason: "" })).toBe("stepwell runs retry run_1");
  });

  it("leaves nothing of what people wrote to the shell", () => {
    expect(quoted("$(rm -rf ~) `x` \\")).toBe("'$(rm -rf ~) `x` \\'");
    expect(quoted("")).toBe("''");
    expect(
      sendLine("a b", [
        ["--data", "-1"],
        ["--run", null],
      ]),
    ).toBe("stepwell events send 'a b' --data=-1");
  });

  it("writes JSON on one line", () => {
    expect(compactJson('{\n  "a": 1\n}')).toBe('{"a":1}');
    expect(compactJson("{")).toBe("{");
  });
});

it("acts on many runs by their filter", () => {
  const filter = { app: "shop", status: "failed,blocked", q: "late order" };
  expect(bulkLine("cancel", filter, { by: "ann", reason: "flood" })).toBe(
    "stepwell bulk cancel --app shop --status failed,blocked --query 'late order' --reason flood --by ann",
  );
});
