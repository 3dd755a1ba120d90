/** How a workflow is registered with the server: what stands in a runner's `hello`. */

import { durationMillis } from "./duration.js";
import { eventParts } from "./event.js";
import { type RetryPolicy, retryPolicy } from "./retry.js";
import { type JsonSchema, jsonSchemaOf } from "./schema.js";
import type { Json } from "./types/json.js";
import type { Workflow } from "./types/workflow.js";

/** A workflow as its runner registers it; the names are those of the protocol. */
export interface Registration {
  readonly name: string;
  readonly version?: string;
  readonly timeoutMs?: number;
  readonly strict: boolean;
  readonly inputSchema?: JsonSchema;
  readonly outputSchema?: JsonSchema;
  readonly retry?: RetryPolicy;
  readonly compensateOnCancel?: true;
  readonly onFailure?: true;
  readonly triggers?: readonly { readonly event: string; readonly match?: Json }[];
}

/** Returns what a runner says of a workflow. */
export function registration({ name, definition }: Workflow): Registration {
  const where = `workflow \`${name}\``;
  const { version, timeout, retry, triggers = [] } = definition;
  const inputSchema = definition.input && jsonSchemaOf(definition.input, "input");
  const outputSchema = definition.output && jsonSchemaOf(definition.output, "output");
  return {
    name,
    strict: definition.strict === true,
    ...(version !== undefined && { version }),
    ...(timeout !== undefined && { timeoutMs: durationMillis(timeout) }),
    ...(inputSchema && { inputSchema }),
    ...(outputSchema && { outputSchema }),
    ...(retry !== undefined && { retry: retryPolicy(where, retry) }),
    ...(definition.compensateOnCancel === true && { compensateOnCancel: true }),
    ...(definition.onFailure && { onFailure: true }),
    ...(triggers.length > 0 && {
      triggers: triggers.map(({ event, match }) => ({
        event: eventParts(where, event).name,
        ...(match !== undefined && { match }),
      })),
    }),
  };
}
