/** Instants as code gives them to `step.sleepUntil` (§2). */

import { ArgumentError } from "../errors.js";

const ISO: RegExp =
  /^(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}(?::\d{2})?)(?:\.(\d{1,9}))?([Zz]|[+-]\d{2}:?\d{2})$/;

/** Instants that ISO 8601 with four digits of a year can say. */
const MILLIS_MAX = 253_402_300_799_999;

/**
 * Returns an instant in microseconds since 1970.
 *
 * @throws ArgumentError for what is no instant; it says what is accepted
 */
export function instantMicros(at: unknown): number {
  const micros = read(at);
  if (micros !== undefined && Math.abs(micros / 1_000) <= MILLIS_MAX) return micros;
  const shown = at instanceof Date ? "an invalid Date" : (JSON.stringify(at) ?? String(at));
  const text =
    `${shown} is not an instant; accepted: a Date, milliseconds since 1970, ` +
    "or ISO 8601 with a time zone, such as 2026-11-21T14:02:05Z";
  throw new ArgumentError(text);
}

function read(at: unknown): number | undefined {
  if (typeof at === "number") return Number.isFinite(at) ? Math.round(at * 1_000) : undefined;
  if (at instanceof Date) return ofMillis(at.getTime());
  if (typeof at !== "string") return undefined;
  const [, day, time, fraction = "", zone = ""] = ISO.exec(at) ?? [];
  if (day === undefined) return undefined;
  const offset = zone.length === 5 ? `${zone.slice(0, 3)}:${zone.slice(3)}` : zone.toUpperCase();
  const millis = ofMillis(Date.parse(`${day}T${time}${offset}`));
  if (millis === undefined) return undefined;
  return millis + Number(fraction.padEnd(6, "0").slice(0, 6));
}

function ofMillis(millis: number): number | undefined {
  return Number.isNaN(millis) ? undefined : millis * 1_000;
}

/** Writes an instant as it is recorded: ISO 8601 in UTC with microseconds. */
export function instantText(micros: number): string {
  const millis = Math.floor(micros / 1_000);
  const below = String(micros - millis * 1_000).padStart(3, "0");
  return new Date(millis).toISOString().replace("Z", `${below}Z`);
}
