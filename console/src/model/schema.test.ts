import { describe, expect, it } from "vitest";
import { pointerOf, valueAt, without, withValue } from "./place.ts";
import { branchOf, fieldOf, fits, hasForm, initialOf, limitsOf, schemaOf } from "./schema.ts";

const order = {
  type: "object",
  required: ["id", "lines", "pay"],
  properties: {
    id: { type: "string", title: "Order", pattern: "^ord_", maxLength: 20 },
    lines: { type: "array", minItems: 1, items: { $ref: "#/$defs/line" } },
    gift: { type: "boolean", default: true },
    pay: {
      oneOf: [
        {
          title: "card",
          type: "object",
          required: ["card"],
          properties: { card: { type: "string" } },
        },
        { type: "object", required: ["by"], properties: { by: { const: "invoice" } } },
        { type: "null" },
      ],
    },
    note: { type: ["string", "null"] },
  },
  $defs: {
    line: {
      type: "object",
      required: ["sku", "pieces"],
      properties: {
        sku: { enum: ["PEN", "LAMP"] },
        pieces: { type: "integer", minimum: 1, maximum: 9, default: 1 },
      },
    },
  },
};

describe("a form from a schema", () => {
  it("begins with what is required and with defaults", () => {
    expect(initialOf(schemaOf(order))).toEqual({ id: "", lines: [], pay: { card: "" } });
    const line = schemaOf({ $ref: "#/$defs/line", $defs: order.$defs });
    expect(initialOf(line)).toEqual({ sku: "PEN", pieces: 1 });
  });

  it("follows references, and keeps what stands beside them", () => {
    const schema = {
      $ref: "#/definitions/a~1b",
      title: "Own",
      definitions: { "a/b": { type: "string", title: "Other" } },
    };
    expect(fieldOf(schemaOf(schema))).toMatchObject({ kind: "text", title: "Own" });
  });

  it("ends where a schema holds itself", () => {
    const tree = { type: "object", required: ["next"], properties: { next: { $ref: "#" } } };
    expect(JSON.stringify(initialOf(schemaOf(tree))).length).toBeLessThan(200);
    expect(fieldOf(schemaOf({ $ref: "#" })).kind).toBe("json");
  });

  it.each([
    [{ allOf: [{ type: "string" }] }],
    [{ type: "object", patternProperties: { "^x": {} } }],
    [{ type: "object" }],
    [{ $ref: "https://elsewhere/schema" }],
    [false],
    [{}],
  ])("leaves %j to JSON", (schema) => {
    expect(fieldOf(schemaOf(schema)).kind).toBe("json");
    expect(hasForm(schemaOf(schema))).toBe(false);
  });

  it("finds the branch that a value is of", () => {
    const pay = fieldOf(schemaOf(order.properties.pay));
    if (pay.kind !== "oneOf") throw new Error(pay.kind);
    expect(pay.branches.map((branch) => branch.name)).toEqual(["card", "object", "null"]);
    expect([{ card: "x" }, { by: "invoice" }, null, 7].map((one) => branchOf(pay, one))).toEqual([
      0, 1, 2, 0,
    ]);
  });

  it("offers a choice for several types", () => {
    const note = fieldOf(schemaOf(order.properties.note));
    expect(note.kind === "oneOf" && note.branches.map((one) => one.name)).toEqual([
      "string",
      "null",
    ]);
  });

  it("tells kinds apart, not values", () => {
    expect(fits(schemaOf({ type: "integer" }), 1.5)).toBe(false);
    expect(fits(schemaOf({ type: "string", maxLength: 1 }), "long")).toBe(true);
    expect(fits(schemaOf({ enum: [{ a: 1 }] }), { a: 1 })).toBe(true);
  });

  it("says what a field takes", () => {
    expect(limitsOf(fieldOf(schemaOf(order.properties.id)))).toBe(
      "at most 20 characters, matches ^ord_",
    );
    expect(limitsOf(fieldOf(schemaOf(order.$defs.line.properties.pieces)))).toBe(
      "whole number, 1 to 9",
    );
    expect(limitsOf(fieldOf(schemaOf(order.properties.lines)))).toBe("at least 1 item");
  });
});

describe("places of a value", () => {
  const value = { lines: [{ sku: "PEN" }, { sku: "LAMP" }], "a/b": 1 };

  it("changes one place and leaves the value that was", () => {
    const next = withValue(value, ["lines", 1, "pieces"], 3);
    expect(valueAt(next, ["lines", 1])).toEqual({ sku: "LAMP", pieces: 3 });
    expect(value.lines[1]).toEqual({ sku: "LAMP" });
    expect(withValue(null, ["a", "b"], 1)).toEqual({ a: { b: 1 } });
  });

  it("takes members and items out", () => {
    expect(without(value, ["lines", 0])).toEqual({ lines: [{ sku: "LAMP" }], "a/b": 1 });
    expect(without(value, ["a/b"])).toEqual({ lines: value.lines });
  });

  it("does not reach prototypes", () => {
    expect(valueAt({}, ["__proto__"])).toBeUndefined();
    const next = withValue({}, ["__proto__", "bad"], 1);
    expect(Object.keys(next as object)).toEqual(["__proto__"]);
    expect(({} as Record<string, unknown>).bad).toBeUndefined();
  });

  it("writes places as the server does", () => {
    expect(pointerOf(["lines", 0, "a/b~"])).toBe("/lines/0/a~1b~0");
  });
});
