/** A form from a JSON Schema: which field stands for what, and how a value is changed by one. */

/** A place within a value. */
export type Path = readonly (string | number)[];

interface Common {
  readonly title: string | null;
  readonly description: string | null;
  /** What the field begins with where it is added. */
  readonly initial: unknown;
}

export interface ObjectField extends Common {
  readonly kind: "object";
  readonly members: readonly Member[];
}

export interface Member {
  readonly name: string;
  readonly required: boolean;
  readonly schema: Schema;
}

export interface ArrayField extends Common {
  readonly kind: "array";
  readonly items: Schema;
  readonly itemsMin: number;
  readonly itemsMax: number | null;
}

export interface TextField extends Common {
  readonly kind: "text";
  readonly format: string | null;
  readonly pattern: string | null;
  readonly charsMin: number | null;
  readonly charsMax: number | null;
}

export interface NumberField extends Common {
  readonly kind: "number";
  readonly whole: boolean;
  readonly min: number | null;
  readonly max: number | null;
}

export interface ChoiceField extends Common {
  readonly kind: "enum";
  readonly values: readonly unknown[];
}

/** One of several kinds: which one is chosen first, then its own field. */
export interface OneOfField extends Common {
  readonly kind: "oneOf";
  readonly branches: readonly { readonly name: string; readonly schema: Schema }[];
}

export interface PlainField extends Common {
  /** `fixed` can be nothing else; `json` is what no form is made for. */
  readonly kind: "boolean" | "fixed" | "json";
}

export type Field =
  | ObjectField
  | ArrayField
  | TextField
  | NumberField
  | ChoiceField
  | OneOfField
  | PlainField;

/** A part of a schema, with the whole that its references are looked up in. */
export interface Schema {
  readonly part: unknown;
  readonly root: unknown;
  /** How deep it stands: a schema may hold itself, so forms end somewhere. */
  readonly depth: number;
}

const DEPTH_MAX = 8;
const ENUM_MAX = 200;
const BRANCHES_MAX = 12;

/** Words of a schema whose meaning no form shows; what has them is edited as JSON. */
const NOT_SHOWN = [
  "allOf",
  "not",
  "if",
  "patternProperties",
  "dependentSchemas",
  "dependentRequired",
  "prefixItems",
  "propertyNames",
  "unevaluatedProperties",
  "$dynamicRef",
];

/** Begins with a whole schema. */
export function schemaOf(root: unknown): Schema {
  return { part: root, root, depth: 0 };
}

/** Says whether a schema gives a form: otherwise its value is edited as JSON alone. */
export function hasForm(schema: Schema): boolean {
  const field = fieldOf(schema);
  if (field.kind === "object") return field.members.length > 0;
  return field.kind !== "json";
}

/** Makes the field for a part of a schema. */
export function fieldOf(schema: Schema): Field {
  const part = dereferenced(schema);
  if (part === null || schema.depth > DEPTH_MAX) return plain("json", part ?? {});
  if ("const" in part) return plain("fixed", part);
  const { enum: values, type } = part;
  if (Array.isArray(values) && values.length <= ENUM_MAX) {
    return { kind: "enum", values, ...common(part, values[0]) };
  }
  if (NOT_SHOWN.some((word) => word in part)) return plain("json", part);
  const branches = [part.anyOf, part.oneOf].find(Array.isArray);
  if (branches !== undefined) return oneOf(schema, part, branches);
  if (Array.isArray(type)) {
    const kinds = type.map((one: unknown) => ({ ...part, type: one, title: undefined }));
    return oneOf(schema, part, kinds);
  }
  return ofType(schema, part);
}

type Part = Readonly<Record<string, unknown>>;

function ofType(schema: Schema, part: Part): Field {
  switch (part.type ?? (isPart(part.properties) ? "object" : undefined)) {
    case "object":
      return objectField(schema, part);
    case "array":
      return {
        kind: "array",
        items: below(schema, part.items ?? {}),
        itemsMin: number(part.minItems) ?? 0,
        itemsMax: number(part.maxItems),
        ...common(part, []),
      };
    case "string":
      return {
        kind: "text",
        format: text(part.format),
        pattern: text(part.pattern),
        charsMin: number(part.minLength),
        charsMax: number(part.maxLength),
        ...common(part, ""),
      };
    case "integer":
    case "number":
      return {
        kind: "number",
        whole: part.type === "integer",
        min: number(part.minimum) ?? number(part.exclusiveMinimum),
        max: number(part.maximum) ?? number(part.exclusiveMaximum),
        ...common(part, 0),
      };
    case "boolean":
      return { kind: "boolean", ...common(part, false) };
    case "null":
      return { kind: "fixed", ...common(part, null) };
    default:
      return plain("json", part);
  }
}

function objectField(schema: Schema, part: Part): Field {
  const properties = isPart(part.properties) ? part.properties : {};
  // A form of no fields would hide that anything may stand here.
  if (Object.keys(properties).length === 0 && part.additionalProperties !== false)
    return plain("json", part, {});
  const required = new Set(Array.isArray(part.required) ? part.required : []);
  const members = Object.entries(properties).map(([name, one]) => ({
    name,
    required: required.has(name),
    schema: below(schema, one),
  }));
  const initial = Object.fromEntries(
    members
      .filter((member) => member.required)
      .map((member) => [member.name, initialOf(member.schema)]),
  );
  return { kind: "object", members, ...common(part, initial) };
}

function oneOf(schema: Schema, part: Part, branches: readonly unknown[]): Field {
  if (branches.length > BRANCHES_MAX) return plain("json", part);
  const named = branches.map((branch, at) => {
    const one = below(schema, branch);
    return { name: nameOfBranch(one, at), schema: one };
  });
  const first = named[0];
  if (first === undefined) return plain("json", part);
  return { kind: "oneOf", branches: named, ...common(part, initialOf(first.schema)) };
}

function nameOfBranch(schema: Schema, at: number): string {
  const part = dereferenced(schema);
  const title = text(part?.title);
  if (title !== null) return title;
  if (part !== null && "const" in part) return JSON.stringify(part.const);
  return text(part?.type) ?? `choice ${at + 1}`;
}

/** Returns the value that a field begins with. */
export function initialOf(schema: Schema): unknown {
  return fieldOf(schema).initial;
}

/** Returns the branch that a value is of: the first one of its kind, else the first. */
export function branchOf(field: OneOfField, value: unknown): number {
  const at = field.branches.findIndex(({ schema }) => fits(schema, value));
  return Math.max(0, at);
}

/** Says whether a value is of the kind that a schema asks for; what its members are is not looked at in full. */
export function fits(schema: Schema, value: unknown): boolean {
  const field = fieldOf(schema);
  switch (field.kind) {
    case "object":
      return (
        isPart(value) &&
        field.members.every((member) =>
          Object.hasOwn(value, member.name)
            ? fieldOf(member.schema).kind !== "fixed" || fits(member.schema, value[member.name])
            : !member.required,
        )
      );
    case "array":
      return Array.isArray(value);
    case "text":
      return typeof value === "string";
    case "number":
      return typeof value === "number" && (!field.whole || Number.isInteger(value));
    case "boolean":
      return typeof value === "boolean";
    case "enum":
      return field.values.some((one) => JSON.stringify(one) === JSON.stringify(value));
    case "fixed":
      return JSON.stringify(field.initial) === JSON.stringify(value);
    case "oneOf":
      return field.branches.some((branch) => fits(branch.schema, value));
    case "json":
      return true;
  }
}

/** Returns the schema with its references followed; null where it is none or goes in a circle. */
function dereferenced(schema: Schema): Part | null {
  let { part } = schema;
  let beside: Part = {};
  for (let hops = 0; hops < DEPTH_MAX; hops += 1) {
    // `true` is a schema for which anything will do.
    if (part === true) return beside;
    if (!isPart(part)) return null;
    const { $ref: reference, ...rest } = part;
    beside = { ...rest, ...beside };
    if (typeof reference !== "string") return beside;
    part = lookUp(schema.root, reference);
  }
  return null;
}

function lookUp(root: unknown, reference: string): unknown {
  if (!reference.startsWith("#")) return undefined;
  const parts = reference.slice(1).split("/").slice(1);
  const names = parts.map((part) => safely(part).replaceAll("~1", "/").replaceAll("~0", "~"));
  return names.reduce<unknown>(
    (at, name) => (isPart(at) && Object.hasOwn(at, name) ? at[name] : undefined),
    root,
  );
}

function safely(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function below(schema: Schema, part: unknown): Schema {
  return { part, root: schema.root, depth: schema.depth + 1 };
}

function plain(kind: PlainField["kind"], part: Part, initial: unknown = null): PlainField {
  return { kind, ...common(part, "const" in part ? part.const : initial) };
}

function common(part: Part, initial: unknown): Common {
  return {
    title: text(part.title),
    description: text(part.description),
    initial: "default" in part ? part.default : initial,
  };
}

function isPart(value: unknown): value is Part {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function text(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

function number(value: unknown): number | null {
  return typeof value === "number" ? value : null;
}

/** Says in words what a field takes: `1 to 64 characters, matches ^ord_`. */
export function limitsOf(field: Field): string | null {
  switch (field.kind) {
    case "text":
      return joined([
        field.format,
        range(field.charsMin, field.charsMax, "character"),
        field.pattern === null ? null : `matches ${field.pattern}`,
      ]);
    case "number":
      return joined([field.whole ? "whole number" : null, range(field.min, field.max, null)]);
    case "array":
      return range(field.itemsMin === 0 ? null : field.itemsMin, field.itemsMax, "item");
    default:
      return null;
  }
}

function joined(parts: readonly (string | null)[]): string | null {
  const said = parts.filter((part) => part !== null);
  return said.length === 0 ? null : said.join(", ");
}

function range(min: number | null, max: number | null, noun: string | null): string | null {
  const of = (value: number) => (noun === null ? "" : ` ${noun}${value === 1 ? "" : "s"}`);
  if (min !== null && max !== null) return `${min} to ${max}${of(max)}`;
  if (min !== null) return `at least ${min}${of(min)}`;
  return max === null ? null : `at most ${max}${of(max)}`;
}
