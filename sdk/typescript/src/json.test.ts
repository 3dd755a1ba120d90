import { createContext, runInContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { LimitError, SerializationError } from "./errors.js";
import { encode, roundTrip } from "./json.js";

function refusal(value: unknown): SerializationError {
  try {
    encode("the result of step `a`", value, { stepId: "a" });
  } catch (error) {
    if (SerializationError.is(error)) return error;
    throw error;
  }
  throw new Error("it was accepted");
}

class Order {
  readonly #secret = 1;
  readonly id = "o";
  get secret(): number {
    return this.#secret;
  }
  pay(): void {}
}

describe("values as JSON", () => {
  /** §2.6: results are what JSON.stringify gives. */
  it.each<[string, unknown]>([
    ["literals", ["a", 1, true, null, -0, 1e300]],
    ["dates", { at: new Date(0) }],
    ["undefined members", { a: undefined, b: 1 }],
    ["undefined elements", [undefined, 1]],
    ["class instances", new Order()],
    ["toJSON", { money: { toJSON: (key: string) => ({ key, cents: 5 }) } }],
    [
      "toJSON that gives itself",
      Object.assign(
        Object.create({
          toJSON() {
            return this;
          },
        }),
        { a: 1 },
      ),
    ],
    ["boxes", [Object(1), Object("a"), Object(true)]],
    ["symbol keys", { [Symbol("a")]: 1, b: 2 }],
    ["the same object twice", ((one) => [one, one])({ a: 1 })],
    ["buffers", Buffer.from("ab")],
    ["no prototype", Object.assign(Object.create(null), { a: 1 })],
    ["lone surrogates", "\ud800"],
  ])("%s", (_, value) => {
    expect(encode("it", value)).toBe(JSON.stringify(value));
  });

  /** §2.6: no value is saved as absent, and comes back as no value. */
  it("keeps no value apart from null", () => {
    expect([encode("it", undefined), encode("it", null)]).toEqual([undefined, "null"]);
    expect([roundTrip("it", undefined), roundTrip("it", null)]).toEqual([undefined, null]);
  });

  /** §2.6: the error names the path inside the value and why. */
  it.each<[string, unknown, string, string]>([
    ["a function", { a: { f() {} } }, "$.a.f", "a function"],
    ["a symbol", [1, Symbol("x")], "$[1]", "a symbol"],
    ["a BigInt", { items: [{ price: 1n }] }, "$.items[0].price", "a BigInt"],
    ["NaN", { "odd name": Number.NaN }, '$["odd name"]', "NaN"],
    ["Infinity", -Infinity, "$", "-Infinity"],
    ["a boxed NaN", [Object(Number.NaN)], "$[0]", "NaN"],
    ["a Map", { m: new Map() }, "$.m", "a Map"],
    ["a Set", new Set(), "$", "a Set"],
    ["a Promise", { p: Promise.resolve(1) }, "$.p", "is an `await` missing?"],
    ["what toJSON gives", { t: { toJSON: () => ({ n: 1n }) } }, "$.t.n", "a BigInt"],
    ["a Map of another realm", runInContext("({ m: new Map() })", createContext()), "$.m", "a Map"],
  ])("%s is refused", (_, value, path, reason) => {
    const error = refusal(value);
    expect(error.path).toBe(path);
    expect(error.reason).toContain(reason);
    expect(error.message).toContain(`the result of step \`a\` is not JSON: at \`${path}\` is `);
    expect(error).toMatchObject({ stepId: "a", docs: "docs/semantics.md#2-steps" });
  });

  it("refuses cycles with the place where they close", () => {
    const lines: unknown[] = [];
    const order = { lines };
    lines.push({ order });
    expect(refusal(order)).toMatchObject({
      path: "$.lines[0].order",
      reason: "a cycle: it contains itself",
    });
  });

  it("says that a value cannot be read, and keeps why", () => {
    const cause = new Error("locked");
    const error = refusal({
      get a() {
        throw cause;
      },
    });
    expect(error.message).toContain("unreadable: Error: locked");
    expect(error.cause).toBe(cause);
  });

  /** §12: as a server refuses it. */
  it("refuses what is nested deeper than 128 levels", () => {
    const nested = (levels: number): unknown => {
      let value: unknown = 1;
      for (let n = 0; n < levels; n += 1) value = n % 2 === 0 ? [value] : { value };
      return value;
    };
    expect(encode("it", nested(128))).toContain("1");
    expect(() => encode("it", nested(129))).toThrow(
      "it is refused: its arrays and objects nest deeper than 128",
    );
    expect(thrownBy(() => encode("it", nested(129)))).toSatisfy(LimitError.is);
    expect(encode("a request", { input: nested(128) }, { around: 1 })).toContain("1");
    expect(() => encode("a request", { input: nested(129) }, { around: 1 })).toThrow("than 128");
  });

  it("refuses what its toJSON nests beyond the stack", () => {
    const endless: { toJSON(): unknown } = { toJSON: () => ({ toJSON: endless.toJSON }) };
    expect(refusal(endless).reason).toBe("nested too deeply");
  });
});

function thrownBy(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}
