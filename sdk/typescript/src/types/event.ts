import type { Json } from "./json.js";

/**
 * A named event whose data has a type; made by `event(name, schema)`.
 *
 * @typeParam Name - the event's name
 * @typeParam In - what a sender gives
 * @typeParam Out - what a receiver gets, which is what the schema makes of the JSON
 */
export interface EventType<out Name extends string = string, out In = unknown, out Out = In> {
  readonly kind: "event";
  readonly name: Name;
  /** Reads the data as it came; absent where every JSON is accepted. */
  readonly schema?: EventSchema;
  /** Holds types only; there is no value. */
  readonly "~types"?: { readonly input: In; readonly output: Out };
}

/** The schema of an event, without its types. */
export type EventSchema = import("./schema.js").StandardSchema;

/** The name of an event, or an {@link EventType}. */
export type EventRef = string | EventType;

/** The type of the data that a receiver gets. */
export type EventData<E extends EventRef> =
  E extends EventType<string, unknown, infer Out> ? Out : unknown;

/** The type of the data that a sender gives. */
export type EventInput<E extends EventRef> =
  E extends EventType<string, infer In, unknown> ? In : unknown;

/** The member `data` of something that is sent: needed where the event's type wants data. */
export type DataField<E extends EventRef> =
  undefined extends EventInput<E>
    ? { readonly data?: EventInput<E> }
    : { readonly data: EventInput<E> };

/** An event that starts runs of a workflow (§8.1). */
export interface Trigger {
  readonly event: EventRef;
  /** What the event has to contain (§8.2). Default: every event of the name will do. */
  readonly match?: Json;
}
