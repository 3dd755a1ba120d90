/** Events as the API tells them, and what they did in words. */

import { counted, listed } from "./words.ts";

export interface EventRow {
  readonly id: string;
  readonly event: string;
  readonly acceptedAt: string;
  readonly data: unknown;
  readonly match: unknown;
  /** For whom it is, where it is not for all. */
  readonly app: string | null;
  readonly workflow: string | null;
  readonly run: string | null;
  readonly key: string | null;
  /** All that it starts or wakes was told; until then more may follow. */
  readonly routed?: boolean;
  /** How many runs it started and how many waits it woke, in lists. */
  readonly started: number;
  readonly woke: number;
  /** It did more than was counted. */
  readonly more: boolean;
}

/** A wait that asks for all but one thing of what an event has. */
export interface NearMiss {
  readonly run: string;
  readonly step: string;
  /** The part that differs, as JSON where it is a value. */
  readonly path: string;
  readonly expected: string;
  readonly found: string | null;
}

export interface EventDetail extends Omit<EventRow, "started" | "woke"> {
  readonly runsStarted: readonly string[];
  readonly waitsWoken: readonly { readonly run: string; readonly step: string }[];
  readonly nearMisses: readonly NearMiss[];
}

export interface EventsPage {
  readonly events: readonly EventRow[];
  /** Where the next page begins; absent on the last. */
  readonly cursor?: string | null;
}

/** Says what an event did: `started 1 run, woke 2 waits`. */
export function effectOf(started: number, woke: number, more: boolean): string {
  const parts = [
    ...(started > 0 ? [`started ${counted(started, "run")}`] : []),
    ...(woke > 0 ? [`woke ${counted(woke, "wait")}`] : []),
    ...(more ? ["and more"] : []),
  ];
  return parts.length === 0 ? "nothing" : parts.join(", ");
}

/** Says for whom an event is, from the widest to the narrowest. Null where it is for all. */
export function scopeOf(event: Pick<EventRow, "app" | "workflow" | "run" | "key">): string | null {
  const parts = [
    ...(event.app === null ? [] : [`app ${event.app}`]),
    ...(event.workflow === null ? [] : [`workflow ${event.workflow}`]),
    ...(event.key === null ? [] : [`key ${event.key}`]),
    ...(event.run === null ? [] : [`run …${event.run.slice(-5)}`]),
  ];
  return parts.length === 0 ? null : listed(parts);
}

/** Returns where a wait is asked about: `orderId` as the wait wants it and as the event has it. */
export function sidesOf({ path, expected, found }: NearMiss): {
  readonly wanted: string;
  readonly had: string;
} {
  const name = path === "" ? "it" : path;
  return { wanted: `${name} ${expected}`, had: found === null ? `no ${name}` : `${name} ${found}` };
}

/** Reads an answer of `GET /events`. */
export function readEvents(answer: unknown): EventsPage {
  const page = (answer ?? {}) as Partial<EventsPage>;
  if (!Array.isArray(page.events)) throw new TypeError("the server's answer holds no events");
  // Checked above; what is inside an event is the server's word.
  return page as EventsPage;
}

/** Reads an answer of `GET /events/{event}`. */
export function readEvent(answer: unknown): EventDetail {
  const event = (answer ?? {}) as Partial<EventDetail>;
  const isEvent = typeof event.id === "string" && Array.isArray(event.nearMisses);
  if (!isEvent) throw new TypeError("the server's answer is not an event");
  // Checked above; the rest is the server's word.
  return event as EventDetail;
}
