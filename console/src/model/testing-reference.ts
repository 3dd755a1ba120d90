/** A document of an API for tests. */

const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` });
const json = (schema: object) => ({ "application/json": { schema } });

export const API = {
  openapi: "3.1.0",
  info: { title: "Stepwell", version: "0.1.0" },
  tags: [
    { name: "runs", description: "Starting and finding runs." },
    { name: "unused", description: "Nothing." },
    { name: "server", description: "The server as a whole." },
  ],
  paths: {
    "/healthz": {
      get: { tags: ["server"], operationId: "health", "x-right": "public", responses: {} },
    },
    "/api/v1/runs": {
      get: {
        tags: ["runs"],
        operationId: "listRuns",
        summary: "Lists runs",
        "x-right": "read",
        parameters: [
          { name: "status", in: "query", required: true, schema: { type: "string" } },
          {
            name: "limit",
            in: "query",
            description: "Most of them.",
            schema: { type: ["integer", "null"], minimum: 1, maximum: 500, default: 50 },
          },
        ],
        responses: { 200: { description: "Runs.", content: json(ref("Run")) } },
      },
    },
    "/api/v1/runs/{app}": {
      post: {
        tags: ["runs"],
        operationId: "startRun",
        summary: "Starts a run",
        description: "It is durable when this answers.",
        "x-right": "start",
        parameters: [{ name: "app", in: "path", required: true, schema: { type: "string" } }],
        requestBody: { required: true, content: json(ref("Start")) },
        responses: {
          201: { description: "The run.", content: json(ref("Run")) },
          409: {
            description: "SW2003: taken.",
            content: { "application/problem+json": { schema: ref("Problem") } },
            "x-codes": ["SW2003"],
          },
        },
      },
    },
  },
  components: {
    schemas: {
      Id: { type: "string", description: "The id of a run." },
      Step: { type: "object", required: ["name"], properties: { name: { type: "string" } } },
      Run: {
        allOf: [
          { type: "object", required: ["id"], properties: { id: ref("Id") } },
          {
            type: "object",
            required: ["parent"],
            properties: {
              steps: { type: "array", items: ref("Step") },
              parent: { oneOf: [ref("Run"), { type: "null" }] },
            },
          },
        ],
      },
      Start: {
        type: "object",
        required: ["workflow", "order"],
        properties: {
          workflow: { type: "string" },
          order: { enum: ["newest", "oldest"] },
          key: { type: "string" },
        },
      },
      Problem: { type: "object", properties: { detail: { type: "string" } } },
    },
  },
};
