/** The API as its OpenAPI document tells it: operations by their parts, what they take and what they answer. */

import { quoted } from "./cli.ts";

/** A form of JSON, as far as it is shown. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly additionalProperties?: Schema | boolean;
  readonly allOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
}

export interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly description?: string;
  readonly schema?: Schema;
}

/** A body of one media type. */
export interface Body {
  readonly media: string;
  readonly schema: Schema | null;
  readonly isRequired: boolean;
}

export interface Answer {
  readonly status: string;
  readonly description: string;
  /** The stable codes with which it comes. */
  readonly codes: readonly string[];
  readonly media: string | null;
  readonly schema: Schema | null;
}

export interface Operation {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly summary: string;
  readonly description: string;
  /** The right that a caller needs. */
  readonly right: string;
  readonly parameters: readonly Parameter[];
  readonly body: Body | null;
  readonly answers: readonly Answer[];
}

/** Operations of one part of the API. */
export interface Group {
  readonly name: string;
  readonly what: string;
  readonly operations: readonly Operation[];
}

export type Schemas = Readonly<Record<string, Schema>>;

export interface Reference {
  readonly version: string;
  readonly groups: readonly Group[];
  readonly schemas: Schemas;
}

/** One line of a form: a field, how deep it stands, and what it holds. */
export interface FieldLine {
  readonly path: string;
  readonly name: string;
  readonly depth: number;
  readonly type: string;
  readonly isRequired: boolean;
  readonly what: string;
}

const METHODS = ["get", "post", "put", "patch", "delete"];

type Json = Readonly<Record<string, unknown>>;

const record = (value: unknown): Json =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : {};
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const text = (value: unknown): string => (typeof value === "string" ? value : "");

/** Reads an OpenAPI document. Parts come in the order of its tags. */
export function readReference(answer: unknown): Reference {
  const document = record(answer);
  if (!text(document.openapi).startsWith("3.")) {
    throw new TypeError("the server's answer is no OpenAPI document");
  }
  const groups = new Map<string, { what: string; operations: Operation[] }>();
  const group = (name: string) => {
    const known = groups.get(name) ?? { what: "", operations: [] };
    groups.set(name, known);
    return known;
  };
  for (const tag of list(document.tags).map(record)) {
    group(text(tag.name)).what = text(tag.description);
  }
  for (const [path, item] of Object.entries(record(document.paths))) {
    for (const method of METHODS) {
      const told = record(item)[method];
      if (told === undefined) continue;
      group(text(list(record(told).tags)[0]) || "other").operations.push(
        operationOf(method, path, record(told)),
      );
    }
  }
  return {
    version: text(record(document.info).version),
    groups: [...groups]
      .filter(([, { operations }]) => operations.length > 0)
      .map(([name, { what, operations }]) => ({ name, what, operations })),
    // What a schema holds is the document's word: it is shown, and nothing else.
    schemas: record(record(document.components).schemas) as Schemas,
  };
}

function operationOf(method: string, path: string, told: Json): Operation {
  const { requestBody } = told;
  const body = requestBody === undefined ? null : contentOf(record(requestBody));
  return {
    id: text(told.operationId) || `${method} ${path}`,
    method: method.toUpperCase(),
    path,
    summary: text(told.summary),
    description: text(told.description),
    right: text(told["x-right"]),
    parameters: list(told.parameters) as readonly Parameter[],
    body: body && { ...body, isRequired: record(requestBody).required === true },
    answers: Object.entries(record(told.responses)).map(([status, answer]) => {
      const { description, "x-codes": codes } = record(answer);
      const content = contentOf(record(answer));
      return {
        status,
        description: text(description),
        codes: list(codes).map(text),
        media: content?.media ?? null,
        schema: content?.schema ?? null,
      };
    }),
  };
}

function contentOf(told: Json): { readonly media: string; readonly schema: Schema | null } | null {
  const [first] = Object.entries(record(told.content));
  if (first === undefined) return null;
  const [media, of] = first;
  const { schema } = record(of);
  return { media, schema: schema === undefined ? null : record(schema) };
}

/** Says whether an operation is one that is looked for. */
export function operationHas({ id, path, summary, method }: Operation, wanted: string): boolean {
  const words = wanted.toLowerCase().split(/\s+/);
  const all = `${method} ${path} ${summary} ${id}`.toLowerCase();
  return words.every((word) => all.includes(word));
}

function named(schema: Schema): string | null {
  return schema.$ref === undefined ? null : schema.$ref.slice(schema.$ref.lastIndexOf("/") + 1);
}

/** Follows a reference to what it names; the description at the place itself goes first. */
function resolved(schema: Schema, schemas: Schemas): Schema {
  const name = named(schema);
  if (name === null) return schema;
  const { $ref: _, ...own } = schema;
  return { ...schemas[name], ...own };
}

/** All members of an object, those of its parts with them. */
function membersOf(
  schema: Schema,
  schemas: Schemas,
): { readonly properties: Schemas; readonly required: ReadonlySet<string> } {
  const whole = resolved(schema, schemas);
  const parts = (whole.allOf ?? []).map((part) => membersOf(part, schemas));
  return {
    properties: Object.assign({}, ...parts.map((part) => part.properties), whole.properties),
    required: new Set([...parts.flatMap((part) => [...part.required]), ...(whole.required ?? [])]),
  };
}

/** What a form is, in the words of TypeScript: `string | null`, `Key[]`, `"newest" | "oldest"`. */
export function typeOf(schema: Schema, schemas: Schemas): string {
  const name = named(schema);
  if (name !== null) {
    const whole = schemas[name];
    // Names are for objects; of texts and numbers it is said what they are.
    return whole === undefined || isObject(whole, schemas) ? name : typeOf(whole, schemas);
  }
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return schema.enum.map((one) => JSON.stringify(one)).join(" | ");
  const either = schema.oneOf ?? schema.anyOf;
  if (either !== undefined) {
    return [...new Set(either.map((one) => typeOf(one, schemas)))].join(" | ");
  }
  if (schema.allOf !== undefined) {
    return schema.allOf.map((one) => typeOf(one, schemas)).join(" & ");
  }
  const types = typeof schema.type === "string" ? [schema.type] : (schema.type ?? []);
  return types.length === 0
    ? "any"
    : types.map((type) => plainType(type, schema, schemas)).join(" | ");
}

function plainType(type: string, schema: Schema, schemas: Schemas): string {
  if (type === "array") {
    const of = schema.items === undefined ? "any" : typeOf(schema.items, schemas);
    return of.includes(" ") ? `(${of})[]` : `${of}[]`;
  }
  if (type !== "object") return type;
  const { additionalProperties: others } = schema;
  if (schema.properties !== undefined || typeof others !== "object") return "object";
  return `{ [name]: ${typeOf(others, schemas)} }`;
}

function isObject(schema: Schema, schemas: Schemas): boolean {
  return Object.keys(membersOf(schema, schemas).properties).length > 0;
}

/** What bounds a value has beside its type: `1 to 1000`, `50 where it is not given`. */
export function boundsOf(schema: Schema, schemas: Schemas): string {
  const { minimum, maximum, default: usual } = resolved(schema, schemas);
  const bounds =
    minimum !== undefined && maximum !== undefined
      ? `${minimum} to ${maximum}`
      : minimum !== undefined
        ? minimum === 0
          ? ""
          : `at least ${minimum}`
        : maximum !== undefined
          ? `at most ${maximum}`
          : "";
  const without = usual === undefined ? "" : `${JSON.stringify(usual)} where it is not given`;
  return [bounds, without].filter((one) => one !== "").join(", ");
}

const DEPTH_MAX = 3;

/** Lists the fields of a form, those within them beneath. */
export function fieldsOf(schema: Schema, schemas: Schemas): readonly FieldLine[] {
  const lines: FieldLine[] = [];
  addFields(schema, schemas, { lines, above: [], depth: 0, path: "" });
  return lines;
}

interface Place {
  readonly lines: FieldLine[];
  /** Names of the forms that this one stands in: one that holds itself is told once. */
  readonly above: readonly string[];
  readonly depth: number;
  readonly path: string;
}

function addFields(schema: Schema, schemas: Schemas, place: Place): void {
  const name = named(schema);
  if (name !== null && place.above.includes(name)) return;
  const above = name === null ? place.above : [...place.above, name];
  const whole = resolved(schema, schemas);
  const within = whole.items ?? (whole.oneOf ?? whole.anyOf)?.filter(isNotNull);
  if (within !== undefined) {
    // Of several forms the fields of the first that has some stand for all; the type names the others.
    const all = Array.isArray(within) ? (within as readonly Schema[]) : [within as Schema];
    const first = all.find((one) => hasFields(one, schemas));
    if (first !== undefined) addFields(first, schemas, { ...place, above });
    return;
  }
  const { properties, required } = membersOf(schema, schemas);
  const depth = place.depth + 1;
  for (const [field, of] of Object.entries(properties)) {
    const path = place.path === "" ? field : `${place.path}.${field}`;
    place.lines.push({
      path,
      name: field,
      depth: place.depth,
      type: typeOf(of, schemas),
      isRequired: required.has(field),
      what: [descriptionOf(of, schemas), boundsOf(of, schemas)]
        .filter((one) => one !== "")
        .join(" "),
    });
    if (depth < DEPTH_MAX) addFields(of, schemas, { ...place, above, depth, path });
  }
}

/** What is said of a form; of one that may be null, what is said of the other. */
function descriptionOf(schema: Schema, schemas: Schemas): string {
  const whole = resolved(schema, schemas);
  const [one, ...others] = (whole.oneOf ?? whole.anyOf ?? []).filter(isNotNull);
  const told = one === undefined || others.length > 0 ? undefined : descriptionOf(one, schemas);
  return whole.description ?? told ?? "";
}

const isNotNull = (schema: Schema) => schema.type !== "null";

function hasFields(schema: Schema, schemas: Schemas): boolean {
  const whole = resolved(schema, schemas);
  return isObject(whole, schemas) || whole.items !== undefined;
}

/** An example of what a form takes: what must be there, and nothing else. */
export function exampleOf(schema: Schema, schemas: Schemas, depth = 0): unknown {
  const whole = resolved(schema, schemas);
  if (whole.const !== undefined) return whole.const;
  if (whole.enum !== undefined) return whole.enum[0];
  if (whole.default !== undefined) return whole.default;
  const [either] = (whole.oneOf ?? whole.anyOf ?? []).filter(isNotNull);
  if (either !== undefined) return exampleOf(either, schemas, depth);
  const { properties, required } = membersOf(whole, schemas);
  if (Object.keys(properties).length > 0 && depth < DEPTH_MAX) {
    const members = [...required].flatMap((name) => {
      const of = properties[name];
      return of === undefined ? [] : [[name, exampleOf(of, schemas, depth + 1)] as const];
    });
    return Object.fromEntries(members);
  }
  const type = typeof whole.type === "string" ? whole.type : whole.type?.[0];
  const examples: Readonly<Record<string, unknown>> = {
    string: "…",
    integer: whole.minimum ?? 1,
    number: whole.minimum ?? 1,
    boolean: true,
    array: [],
  };
  return examples[type ?? ""] ?? {};
}

/** Writes the line that asks for an operation. What is to be put in stands in capitals. */
export function curlLine(
  operation: Operation,
  schemas: Schemas,
  server: { readonly origin: string; readonly asksForKeys: boolean },
): string {
  const { method, path, body, right, parameters } = operation;
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => name.toUpperCase());
  const needed = parameters.filter((one) => one.in === "query" && one.required === true);
  const query = needed.map(({ name }) => `${name}=${name.toUpperCase()}`).join("&");
  const address = `${server.origin}${filled}${query === "" ? "" : `?${query}`}`;
  const words = ["curl", ...(method === "GET" ? [] : ["-X", method]), quoted(address)];
  // The shell puts the key in, which is why these quotes are double.
  if (server.asksForKeys && right !== "public") {
    words.push("-H", '"Authorization: Bearer $STEPWELL_KEY"');
  }
  if (body !== null) {
    words.push("-H", quoted(`Content-Type: ${body.media}`));
    const isJson = body.media === "application/json" && body.schema !== null;
    const value = isJson && body.schema ? JSON.stringify(exampleOf(body.schema, schemas)) : "@FILE";
    words.push(isJson ? "-d" : "--data-binary", quoted(value));
  }
  return words.join(" ");
}
