import { expect, test } from "vitest";
import {
  boundsOf,
  curlLine,
  exampleOf,
  fieldsOf,
  type Operation,
  operationHas,
  readReference,
  type Schema,
  typeOf,
} from "./reference.ts";
import { API } from "./testing-reference.ts";

const reference = readReference(API);
const { schemas } = reference;

function operation(id: string): Operation {
  const found = reference.groups
    .flatMap(({ operations }) => operations)
    .find((one) => one.id === id);
  if (found === undefined) throw new Error(`there is no ${id}`);
  return found;
}

test("operations are read by their parts, in the order of the tags", () => {
  expect(
    reference.groups.map(({ name, what, operations }) => [
      name,
      what,
      operations.map(({ id }) => id),
    ]),
  ).toEqual([
    ["runs", "Starting and finding runs.", ["listRuns", "startRun"]],
    ["server", "The server as a whole.", ["health"]],
  ]);
  expect(operation("startRun")).toMatchObject({
    method: "POST",
    path: "/api/v1/runs/{app}",
    right: "start",
    body: { media: "application/json", isRequired: true },
  });
});

test("answers have their codes and forms", () => {
  expect(operation("startRun").answers).toEqual([
    {
      status: "201",
      description: "The run.",
      codes: [],
      media: "application/json",
      schema: { $ref: "#/components/schemas/Run" },
    },
    {
      status: "409",
      description: "SW2003: taken.",
      codes: ["SW2003"],
      media: "application/problem+json",
      schema: { $ref: "#/components/schemas/Problem" },
    },
  ]);
});

test("what is no document is refused", () => {
  for (const answer of [null, [], {}, { openapi: "2.0" }, { swagger: "2.0" }]) {
    expect(() => readReference(answer)).toThrow(/no OpenAPI document/);
  }
});

test("a document that is not whole is read as far as it goes", () => {
  const odd = {
    openapi: "3.1.0",
    paths: { "/x": { get: { responses: { 200: null } } }, "/y": null },
  };
  expect(readReference(odd)).toMatchObject({
    version: "",
    groups: [{ name: "other", operations: [{ id: "get /x", body: null }] }],
  });
});

test.each<[Schema, string]>([
  [{ type: "string" }, "string"],
  [{ type: ["string", "null"] }, "string | null"],
  [{ type: "array", items: { type: ["string", "null"] } }, "(string | null)[]"],
  [{ type: "array", items: { $ref: "#/components/schemas/Run" } }, "Run[]"],
  [{ enum: ["newest", "oldest"] }, '"newest" | "oldest"'],
  [{ const: 7 }, "7"],
  [{ oneOf: [{ $ref: "#/components/schemas/Run" }, { type: "null" }] }, "Run | null"],
  [{ $ref: "#/components/schemas/Id" }, "string"],
  [{ $ref: "#/components/schemas/Gone" }, "Gone"],
  [{ type: "object", additionalProperties: { type: "number" } }, "{ [name]: number }"],
  [{ type: "object" }, "object"],
  [{}, "any"],
])("%o is %s", (schema, type) => {
  expect(typeOf(schema, schemas)).toBe(type);
});

test.each<[Schema, string]>([
  [{ minimum: 1, maximum: 500, default: 50 }, "1 to 500, 50 where it is not given"],
  [{ minimum: 0 }, ""],
  [{ minimum: 2 }, "at least 2"],
  [{ maximum: 9 }, "at most 9"],
  [{ default: "newest" }, '"newest" where it is not given'],
])("%o is bound: %s", (schema, bounds) => {
  expect(boundsOf(schema, schemas)).toBe(bounds);
});

test("fields are listed with those within them, and what holds itself once", () => {
  const run: Schema = { $ref: "#/components/schemas/Run" };
  expect(
    fieldsOf(run, schemas).map(({ path, type, isRequired }) => [path, type, isRequired]),
  ).toEqual([
    ["id", "string", true],
    ["steps", "Step[]", false],
    ["steps.name", "string", true],
    ["parent", "Run | null", true],
  ]);
  expect(
    fieldsOf(
      { properties: { on: { oneOf: [{ type: "null" }, { $ref: "#/components/schemas/Id" }] } } },
      schemas,
    )[0]?.what,
  ).toBe("The id of a run.");
  expect(fieldsOf(run, schemas)[0]).toMatchObject({ depth: 0, what: "The id of a run." });
});

test("a line asks for an operation, with the key where one is asked for", () => {
  const keys = { origin: "http://127.0.0.1:7878", asksForKeys: true };
  expect(curlLine(operation("startRun"), schemas, keys)).toBe(
    "curl -X POST http://127.0.0.1:7878/api/v1/runs/APP " +
      '-H "Authorization: Bearer $STEPWELL_KEY" ' +
      `-H 'Content-Type: application/json' -d '{"workflow":"…","order":"newest"}'`,
  );
  const open = { ...keys, asksForKeys: false };
  expect(curlLine(operation("listRuns"), schemas, open)).toBe(
    "curl 'http://127.0.0.1:7878/api/v1/runs?status=STATUS'",
  );
  // Nobody shows a key for what is public.
  expect(curlLine(operation("health"), schemas, keys)).toBe("curl http://127.0.0.1:7878/healthz");
});

test("a line cannot be broken out of by what the document says", () => {
  const odd = { ...operation("health"), path: "/x'; rm -rf ~ #" };
  expect(curlLine(odd, schemas, { origin: "http://h", asksForKeys: false })).toBe(
    `curl 'http://h/x'\\''; rm -rf ~ #'`,
  );
});

test("an example of a form that holds itself ends", () => {
  const self = {
    Self: { type: "object", required: ["self"], properties: { self: { $ref: "#/Self" } } },
  };
  expect(JSON.stringify(exampleOf({ $ref: "#/Self" }, self))).toBe('{"self":{"self":{"self":{}}}}');
});

test.each([
  ["start", true],
  ["post runs", true],
  ["POST /api/v1/runs/{app}", true],
  ["delete", false],
])("an operation is found by %s: %s", (text, found) => {
  expect(operationHas(operation("startRun"), text)).toBe(found);
});
