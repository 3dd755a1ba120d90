/** Events whose data has a type (§8). */

import { ArgumentError } from "./errors/base.js";
import { checkName } from "./name.js";
import { isSchema } from "./schema.js";
import type { EventRef, EventType } from "./types/event.js";
import type { Jsonify } from "./types/json.js";
import type { InputOf, OutputOf, StandardSchema } from "./types/schema.js";

/**
 * Makes a named event whose data has the type of a schema. Who sends it and who waits for it is checked
 * by it.
 *
 * ```ts
 * const approved = event("order.approved", z.object({ order: z.string() }));
 * ```
 *
 * @throws `ArgumentError` for a name that is not accepted, or what is no schema.
 */
export function event<const Name extends string, S extends StandardSchema>(
  name: Name,
  schema: S,
): EventType<Name, InputOf<S>, OutputOf<S>>;
/** Makes a named event whose data has a type that nobody checks. */
export function event<Data = unknown>(name: string): EventType<string, Data, Jsonify<Data>>;
export function event(name: string, schema?: StandardSchema): EventType {
  checkName("an event", name);
  if (schema !== undefined && !isSchema(schema)) {
    throw new ArgumentError(
      `event \`${name}\`: what was given is no schema; accepted: one that speaks Standard Schema, such as zod's`,
    );
  }
  return Object.freeze({ kind: "event", name, ...(schema && { schema }) });
}

/** Returns the name and the schema of an event, however it is named. Throws `ArgumentError`. */
export function eventParts(
  where: string,
  ref: EventRef,
): { readonly name: string; readonly schema?: StandardSchema } {
  if (typeof ref === "string") {
    checkName(`${where}: the event`, ref);
    return { name: ref };
  }
  if (typeof ref === "object" && ref?.kind === "event") return ref;
  throw new ArgumentError(
    `${where}: what was given is no event; accepted: its name, or \`event(…)\``,
  );
}
