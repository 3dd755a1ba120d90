import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it, vi } from "vitest";
import * as errors from "./errors.js";

const {
  ArgumentError,
  ChildFailedError,
  NonRetryableError,
  RetryAfterError,
  reviveError,
  StepError,
  StepTimeoutError,
  StepwellError,
  toFailure,
} = errors;

/** §6.7: the names, which are those of the wire too. */
const NAMES = (
  "StepError StepTimeoutError NonRetryableError RetryAfterError OutcomeUnknownError WaitTimeoutError " +
  "ChildFailedError ChildCancelledError ChildTimeoutError CancelledError RaceLostError " +
  "DuplicateStepIdError NestedStepError NondeterminismError SerializationError InputError LimitError"
).split(" ");

/** One of each class. */
function examples(): errors.StepwellError[] {
  const step = { stepId: "a", runId: "run_1", attempts: 2 };
  return [
    new StepError("m", step),
    new StepTimeoutError("m", step),
    new NonRetryableError("m"),
    new RetryAfterError("5s"),
    new errors.OutcomeUnknownError("m", step),
    new errors.WaitTimeoutError("m", step),
    new ChildFailedError("m", step),
    new errors.ChildCancelledError("m", step),
    new errors.ChildTimeoutError("m", step),
    new errors.CancelledError(),
    new errors.RaceLostError("m", step),
    new errors.DuplicateStepIdError("a"),
    new errors.NestedStepError("a", "b"),
    new errors.NondeterminismError("m", "run", "sleep"),
    new errors.SerializationError("m", "$", "NaN"),
    new errors.InputError("m"),
    new errors.LimitError("m"),
  ];
}

describe("errors", () => {
  /** §6.7: every name has a class, whose `is` knows its own errors and no others. */
  it("are told apart by their classes", () => {
    const all = examples();
    expect(all.map((error) => error.name)).toEqual(NAMES);
    for (const [index, name] of NAMES.entries()) {
      const type = Reflect.get(errors, name) as typeof StepwellError;
      const known = all.filter((error) => type.is(error)).map((error) => error.name);
      expect(known).toEqual(name === "StepError" ? ["StepError", "StepTimeoutError"] : [name]);
      expect(StepwellError.is(all[index])).toBe(true);
    }
    for (const value of [null, undefined, "StepError", { name: "StepError" }, new Error("x")]) {
      expect(StepError.is(value)).toBe(false);
    }
  });

  /** §6.7: what a second copy of the package threw is known by the first. */
  it("are known across copies of the package", async () => {
    vi.resetModules();
    const copy = await import("./errors.js");
    expect(copy.StepError).not.toBe(StepError);
    expect(StepError.is(new copy.StepError("m", { stepId: "a", attempts: 1 }))).toBe(true);
  });

  it("name step, run and a page that exists", () => {
    const page = readFileSync(new URL("../../../docs/semantics.md", import.meta.url), "utf8");
    const anchors = [...page.matchAll(/^## (.*)$/gm)].map(
      ([, heading = ""]) =>
        `docs/semantics.md#${heading
          .toLowerCase()
          .replace(/[^a-z0-9 ]/g, "")
          .trim()
          .replace(/ /g, "-")}`,
    );
    for (const error of [...examples(), new ArgumentError("m"), new errors.RunFailedError("m")]) {
      expect(anchors, error.name).toContain(error.docs);
    }
    expect(examples()[0]).toMatchObject({ stepId: "a", runId: "run_1", attempts: 2 });
    const refused = new errors.RefusedError("m", { code: "SW2001", status: 404 });
    expect(readdirSync(new URL("../../../docs/errors", import.meta.url))).toContain(
      refused.docs.split("/")[2],
    );
  });

  /** §6.3: the stack is that of the line that asked for the step. */
  it("show the stack that they are given, from the user's code on", () => {
    const own = new URL("./steps/run.js", import.meta.url);
    const user = "    at checkout (/srv/shop/checkout.ts:7:3)\n    at next (/elsewhere.js:1:1)";
    const stack = `Error: asked\n    at run (${own}:26:23)\n${user}`;
    const error = new StepError("it failed", { stepId: "a", attempts: 1, stack });
    expect(error.stack).toBe(`StepError: it failed\n${user}`);
    const inside = `Error\n    at run (${own}:26:23)`;
    const all = new StepError("it failed", { stepId: "a", attempts: 1, stack: inside });
    expect(all.stack).toBe(`StepError: it failed\n    at run (${own}:26:23)`);
  });

  /** §6.2: the pause before the next attempt. */
  it("say when to try again", () => {
    expect(new RetryAfterError("1.5s").pauseMs(0)).toBe(1500);
    expect(new RetryAfterError(new Date(5_000)).pauseMs(2_000)).toBe(3_000);
    expect(new RetryAfterError(new Date(5_000)).pauseMs(9_000)).toBe(0);
    expect(() => new RetryAfterError(new Date(Number.NaN))).toThrow("invalid Date");
    expect(() => new RetryAfterError("5 parsecs" as "5s")).toThrow("is not a duration");
  });

  /** §6.2, §6.5: another attempt would meet the same. */
  it("tell which are not tried again", () => {
    const final = examples()
      .filter((error) => errors.isTerminal(error))
      .map((error) => error.name);
    expect(final).toEqual([
      "NonRetryableError",
      "CancelledError",
      "RaceLostError",
      "DuplicateStepIdError",
      "NestedStepError",
      "NondeterminismError",
      "SerializationError",
      "InputError",
      "LimitError",
    ]);
    expect(errors.isTerminal(new Error("m"))).toBe(false);
  });
});

describe("failures on the wire", () => {
  /** §3.3: what is behind an error of several is told: a refused connection has no other message. */
  it("are taken down with those that they stand for", () => {
    const both = [new Error("connect ECONNREFUSED ::1:9"), new Error("connect ECONNREFUSED")];
    const messageOf = (thrown: unknown): string => toFailure(thrown).message;
    expect(messageOf(new AggregateError(both))).toBe(
      "connect ECONNREFUSED ::1:9; connect ECONNREFUSED",
    );
    expect(messageOf(new AggregateError([new Error("one"), "two"], "all failed"))).toBe(
      "all failed: one; two",
    );
    expect(messageOf(Object.assign(new Error(""), { code: "ECONNRESET" }))).toBe("ECONNRESET");
    expect(messageOf(new Error(""))).toBe("");
    const self = new AggregateError([], "");
    self.errors.push(self);
    expect(messageOf(self)).toBe("");
  });

  /** §3.3: name, message, stack and cause of whatever was thrown. */
  it("take down errors with what is behind them", () => {
    const thrown = new TypeError("outer", { cause: new RangeError("inner", { cause: "text" }) });
    const failure = toFailure(thrown);
    expect(failure).toMatchObject({
      name: "TypeError",
      message: "outer",
      cause: { name: "RangeError", message: "inner", cause: { name: "Error", message: "text" } },
    });
    expect(failure.stack).toContain("errors.test.ts");
  });

  it.each<[string, unknown, string]>([
    ["text", "no luck", "no luck"],
    ["nothing", undefined, "undefined"],
    ["null", null, "null"],
    ["an object", { code: 7 }, '{"code":7}'],
    ["a symbol", Symbol("x"), "Symbol(x)"],
    ["a BigInt", 5n, "5"],
    [
      "what cannot be read",
      {
        get message() {
          throw new Error("no");
        },
        toJSON() {
          throw new Error("no");
        },
      },
      "[object Object]",
    ],
  ])("take down %s", (_, thrown, message) => {
    expect(toFailure(thrown)).toMatchObject({ name: "Error", message });
  });

  it("take down what answers no question at all", () => {
    const refuse = (): never => {
      throw new Error("no");
    };
    const hostile = new Proxy({}, { get: refuse, getPrototypeOf: refuse, ownKeys: refuse });
    expect(toFailure(hostile)).toEqual({ name: "Error", message: "[object]" });
    expect(StepwellError.is(hostile)).toBe(false);
  });

  /** §3.3, §12: an error with its whole chain fits beside a payload. */
  it("bound what they take down", () => {
    let error = new Error("ä".repeat(100_000));
    for (let n = 0; n < 100; n += 1) error = new Error("ä".repeat(100_000), { cause: error });
    expect(Buffer.byteLength(JSON.stringify(toFailure(error)))).toBeLessThan(60 * 1024);
    const self = new Error("self");
    self.cause = self;
    expect(toFailure(self).cause).toBeUndefined();
  });

  it("come back as errors that are known by their class", () => {
    const back = reviveError({
      name: "ChildFailedError",
      message: "no",
      run: "run_2",
      stack: "S",
      cause: { name: "Oops", message: "why" },
    });
    expect(ChildFailedError.is(back) && back.childRunId).toBe("run_2");
    expect(back).toMatchObject({ name: "ChildFailedError", message: "no", stack: "S" });
    expect(back.cause).toMatchObject({ name: "Oops", message: "why", stack: "Oops: why" });
    expect(StepwellError.is(back.cause)).toBe(false);
    const timeout = reviveError({ name: "StepTimeoutError", message: "m" });
    expect(StepError.is(timeout) && timeout.attempts).toBe(0);
    expect(timeout).toHaveProperty("docs", "docs/semantics.md#6-errors-and-retries");
  });
});
