import { toStandardJsonSchema } from "@valibot/to-json-schema";
import { type } from "arktype";
import * as v from "valibot";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { rejectionOf } from "../test/support.js";
import { InputError } from "./errors.js";
import { check, isSchema, jsonSchemaOf, unchecked } from "./schema.js";
import type { StandardSchema } from "./types/index.js";

const LIBRARIES: [string, StandardSchema][] = [
  ["zod", z.object({ items: z.array(z.object({ price: z.number() })) })],
  ["valibot", v.object({ items: v.array(v.object({ price: v.number() })) })],
  ["arktype", type({ items: type({ price: "number" }).array() })],
];

describe("schemas", () => {
  /** §9.1: values are checked by a schema of any library that speaks Standard Schema. */
  it.each(LIBRARIES)("of %s say the place of what does not fit", async (_, schema) => {
    const good = { items: [{ price: 1 }] };
    expect(await check("the input", schema, good)).toEqual(good);
    const bad = { items: [{ price: 1 }, { price: "1" }] };
    const error = await rejectionOf(check("the input of workflow `w`", schema, bad));
    expect(InputError.is(error) && error.message).toContain(
      "the input of workflow `w` does not fit at `$.items[1].price`: ",
    );
  });

  it("give what they make of a value", async () => {
    const schema = z.object({ at: z.coerce.date() });
    expect(await check("it", schema, { at: "1970-01-01T00:00:00Z" })).toEqual({ at: new Date(0) });
  });

  it("list some of many issues, and hold all", async () => {
    const schema = z.array(z.number());
    const error = await rejectionOf(check("it", schema, Array.from("abcdefgh")));
    expect(InputError.is(error) && error.issues).toHaveLength(8);
    expect(InputError.is(error) && error.message).toContain("at `$[4]`");
    expect(InputError.is(error) && error.message).toMatch(/; and 3 more$/);
  });

  it("may check asynchronously", async () => {
    const schema = z.string().refine(async (text) => text === "a");
    expect(await check("it", schema, "a")).toBe("a");
    expect(InputError.is(await rejectionOf(check("it", schema, "b")))).toBe(true);
  });

  it("are told from other values", () => {
    for (const [, schema] of LIBRARIES) expect(isSchema(schema)).toBe(true);
    expect(isSchema(unchecked())).toBe(true);
    for (const value of [null, undefined, "a", {}, { "~standard": {} }, () => 1]) {
      expect(isSchema(value)).toBe(false);
    }
  });

  it("may check nothing", async () => {
    expect(await check("it", unchecked<{ a: 1 }>(), 7)).toBe(7);
    expect(jsonSchemaOf(unchecked(), "input")).toBeUndefined();
  });
});

describe("JSON Schema", () => {
  const wanted = {
    type: "object",
    properties: { order: { type: "string" } },
    required: ["order"],
  };

  /** §9.1: it is registered where the library offers it. */
  it.each<[string, StandardSchema]>([
    ["zod", z.object({ order: z.string() })],
    ["arktype", type({ order: "string" })],
    ["valibot", toStandardJsonSchema(v.object({ order: v.string() }))],
  ])("is had from %s", (_, schema) => {
    expect(jsonSchemaOf(schema, "input")).toMatchObject(wanted);
  });

  it("is had from a method of the schema where there is nothing newer", () => {
    const schema = unchecked();
    const zod = {
      ...schema,
      toJSONSchema: ({ io }: { io: string }) => ({ title: io, type: "object" }),
    };
    const arktype = Object.assign(() => 1, schema, { toJsonSchema: () => wanted });
    // Both accept nothing at all, so null passes too.
    expect(jsonSchemaOf(zod, "output")).toEqual({
      anyOf: [{ title: "output", type: "object" }, { type: "null" }],
    });
    expect(jsonSchemaOf(arktype, "input")).toEqual({ anyOf: [wanted, { type: "null" }] });
  });

  it("is what goes in, where a schema changes values", () => {
    const schema = z.object({ n: z.string().transform(Number), m: z.number().default(3) });
    expect(jsonSchemaOf(schema, "input")).toMatchObject({
      properties: { n: { type: "string" }, m: { type: "number" } },
      required: ["n"],
    });
  });

  it.each<[string, StandardSchema]>([
    ["plain valibot", v.object({ order: v.string() })],
    ["what JSON Schema cannot say", z.object({ at: z.date() })],
    ["an optional recursive one", z.lazy(() => z.array(z.lazy(() => TREE))).optional()],
  ])("is not had from %s", (_, schema) => {
    expect(jsonSchemaOf(schema, "input")).toBeUndefined();
  });

  it("lets null pass where no value may be given, since the server reads it so", () => {
    expect(jsonSchemaOf(z.string().optional(), "input")).toMatchObject({
      anyOf: [{ type: "string" }, { type: "null" }],
    });
  });
});

const TREE: z.ZodType = z.object({ below: z.array(z.lazy(() => TREE)) });
