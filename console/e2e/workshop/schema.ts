/** Inputs as JSON Schema, for starts by a form. */

import type { StandardSchema } from "../../../sdk/typescript/dist/index.js";

/** A JSON Schema. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** Makes a schema of which the server gets the JSON Schema; here nothing but the absence of a value is checked. */
export function described<T>(schema: JsonSchema): StandardSchema<T, T> {
  const standard = {
    version: 1,
    vendor: "workshop",
    validate: (value: unknown) =>
      value === undefined
        ? { issues: [{ message: "an input is needed" }] }
        : // The server has held it against the schema.
          { value: value as T },
    jsonSchema: { input: () => schema, output: () => schema },
  } as const;
  return { "~standard": standard };
}

/** An object of which all members but the named ones are needed. */
export function object(
  properties: Readonly<Record<string, JsonSchema>>,
  optional: readonly string[] = [],
): JsonSchema {
  const required = Object.keys(properties).filter((name) => !optional.includes(name));
  return { type: "object", properties, required, additionalProperties: false };
}
