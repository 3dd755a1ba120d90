/** Schemas of any library that speaks Standard Schema, and what they say as JSON Schema. */

import { ArgumentError } from "./errors/base.js";
import { InputError } from "./errors/step.js";
import { segment } from "./json.js";
import type { StandardIssue, StandardResult, StandardSchema } from "./types/schema.js";

/** Issues that a message lists; the error holds all. */
const SHOWN_MAX = 5;

/** A JSON Schema. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** Tells whether a value is a schema of a library that speaks Standard Schema. */
export function isSchema(value: unknown): value is StandardSchema {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return false;
  const standard = Reflect.get(value, "~standard") as
    | Partial<StandardSchema["~standard"]>
    | undefined;
  return typeof standard?.validate === "function";
}

/**
 * Checks what was given as a schema; nothing is one.
 *
 * @param member - the option that it was given as
 * @throws `ArgumentError`
 */
export function checkSchema(where: string, member: string, value: unknown): void {
  if (value === undefined || isSchema(value)) return;
  throw new ArgumentError(
    `${where}: \`${member}\` is no schema; accepted: one that speaks Standard Schema, such as zod's`,
  );
}

/**
 * Makes a schema that says a type and checks nothing: for code that uses no schema library.
 *
 * ```ts
 * workflow({ name: "ship", input: unchecked<{ order: string }>() }, async ({ input }) => {});
 * ```
 */
export function unchecked<T>(): StandardSchema<T, T> {
  return {
    "~standard": {
      version: 1,
      vendor: "stepwell",
      // The caller says that it is a T; that nobody checks it is the point.
      validate: (value) => ({ value: value as T }),
    },
  };
}

/**
 * Reads a value with a schema.
 *
 * @param what - names the value in errors, such as "the input of workflow `ship`"
 * @throws `InputError` that lists the places that do not fit.
 */
export async function check<T>(
  what: string,
  schema: StandardSchema<unknown, T>,
  value: unknown,
): Promise<T> {
  return settled(what, await schema["~standard"].validate(value));
}

function settled<T>(what: string, result: StandardResult<T>): T {
  if (result.issues === undefined) return result.value;
  const places = result.issues.slice(0, SHOWN_MAX).map((issue) => {
    const path = `$${(issue.path ?? []).map(pathSegment).join("")}`;
    return `at \`${path}\`: ${issue.message}`;
  });
  const more = result.issues.length - places.length;
  const rest = more > 0 ? `; and ${more} more` : "";
  throw new InputError(`${what} does not fit ${places.join("; ")}${rest}`, result.issues);
}

function pathSegment(part: NonNullable<StandardIssue["path"]>[number]): string {
  const key = typeof part === "object" ? part.key : part;
  return segment(typeof key === "symbol" ? String(key) : key);
}

/**
 * Returns a schema as JSON Schema where its library offers that: by Standard JSON Schema (zod,
 * arktype, and valibot through `toStandardJsonSchema` of `@valibot/to-json-schema`), or by a method
 * of the schema. Nothing where it does not, or where the schema says what JSON Schema cannot: then
 * the runner alone checks.
 */
export function jsonSchemaOf(
  schema: StandardSchema,
  side: "input" | "output",
): JsonSchema | undefined {
  for (const convert of converters(schema, side)) {
    try {
      const found = convert();
      if (typeof found === "object" && found !== null) return orNothing(schema, { ...found });
    } catch {
      // Libraries throw where a schema is more than JSON Schema can say.
    }
  }
  return undefined;
}

function* converters(schema: StandardSchema, side: "input" | "output"): Generator<() => unknown> {
  const standard = Reflect.get(schema["~standard"], "jsonSchema") as unknown;
  for (const target of ["draft-2020-12", "draft-07"]) {
    const convert = method(standard, side);
    if (convert !== undefined) yield () => convert({ target });
  }
  const zod = method(schema, "toJSONSchema");
  if (zod !== undefined) yield () => zod({ io: side });
  const arktype = method(schema, "toJsonSchema");
  if (arktype !== undefined) yield () => arktype();
}

function method(of: unknown, name: string): ((...args: unknown[]) => unknown) | undefined {
  if ((typeof of !== "object" && typeof of !== "function") || of === null) return undefined;
  const found: unknown = Reflect.get(of, name);
  return typeof found === "function" ? (...args) => found.apply(of, args) : undefined;
}

/** The server holds no input for null: where the schema takes none, null has to pass there too. */
function orNothing(schema: StandardSchema, found: JsonSchema): JsonSchema | undefined {
  const nothing = schema["~standard"].validate(undefined);
  if (nothing instanceof Promise) {
    nothing.catch(() => undefined);
    return undefined;
  }
  if (nothing.issues !== undefined) return found;
  // A reference counts from the root, which moves.
  if (JSON.stringify(found).includes('"$ref"')) return undefined;
  const { $schema, ...rest } = found;
  return { ...($schema === undefined ? {} : { $schema }), anyOf: [rest, { type: "null" }] };
}
