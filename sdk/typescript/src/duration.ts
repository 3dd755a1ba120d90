/** Durations as code gives them (§11); `spec/durations.json` holds the vectors of both SDKs. */

import { ArgumentError } from "./errors/base.js";
import type { Duration } from "./types/duration.js";

const ACCEPTED =
  "a number of milliseconds, or numbers with a unit: ms, s, m, h, d, w, their long names, " +
  "and compounds such as 1d12h or `30 minutes`";

/** The greatest that the engine can hold, some 292,000 years. */
const MICROS_MAX: bigint = 2n ** 63n - 1n;
/** The greatest number below that; numbers have not enough digits for it. */
const MICROS_MAX_NUMBER = 2 ** 63 - 1024;

const UNITS: ReadonlyMap<string, bigint> = new Map(
  (
    [
      [1_000n, "ms msec msecs millisecond milliseconds"],
      [1_000_000n, "s sec secs second seconds"],
      [60_000_000n, "m min mins minute minutes"],
      [3_600_000_000n, "h hr hrs hour hours"],
      [86_400_000_000n, "d day days"],
      [604_800_000_000n, "w week weeks"],
    ] as const
  ).flatMap(([micros, names]) => names.split(" ").map((name): [string, bigint] => [name, micros])),
);

const WRITTEN = [
  [86_400_000_000n, "d"],
  [3_600_000_000n, "h"],
  [60_000_000n, "m"],
  [1_000_000n, "s"],
] as const;

/**
 * Reads a duration that is known as a text only, in milliseconds; it may have a fraction.
 *
 * @throws `ArgumentError` for what is no duration; it says what is accepted.
 */
export function parseDuration(text: string): number {
  return Number(read(text)) / 1_000;
}

/** Returns a duration in microseconds. Throws `ArgumentError`, as all of these. */
export function durationMicros(duration: Duration): number {
  return Math.min(Number(read(duration)), MICROS_MAX_NUMBER);
}

/** Returns a duration in whole milliseconds, rounded up. */
export function durationMillis(duration: Duration): number {
  return Number((read(duration) + 999n) / 1_000n);
}

/** Returns a duration in the one form in which it is recorded and shown: `1m30s`, `1s500ms`. */
export function durationText(duration: Duration): string {
  return microsText(read(duration));
}

/** Writes microseconds in that form. */
export function microsText(micros: bigint): string {
  let rest = micros;
  let text = "";
  for (const [unit, name] of WRITTEN) {
    if (rest >= unit) text += `${rest / unit}${name}`;
    rest %= unit;
  }
  if (rest > 0n) {
    const below = `${rest % 1_000n}`.padStart(3, "0").replace(/0+$/, "");
    text += `${rest / 1_000n}${below === "" ? "" : `.${below}`}ms`;
  }
  return text === "" ? "0s" : text;
}

/** Reads a duration in microseconds, exactly. */
export function read(value: number | string): bigint {
  const micros = typeof value === "number" ? ofNumber(value) : ofText(value);
  if (micros !== undefined && micros <= MICROS_MAX) return micros;
  const shown = typeof value === "string" ? `\`${value}\`` : String(value);
  throw new ArgumentError(`${shown} is not a duration; accepted: ${ACCEPTED}`);
}

function ofNumber(millis: number): bigint | undefined {
  if (!(millis >= 0 && millis < 1e21)) return undefined;
  return Number.isInteger(millis) ? BigInt(millis) * 1_000n : decimal(millis.toFixed(9), 1_000n);
}

function ofText(value: unknown): bigint | undefined {
  if (typeof value !== "string") return undefined;
  const text = value.trim();
  if (/^[\d.]+$/.test(text)) return decimal(text, 1_000n);
  const part = /([\d.]+) *([A-Za-z]+) */y;
  let micros = 0n;
  do {
    const [, number = "", name = ""] = part.exec(text) ?? [];
    const unit = UNITS.get(name);
    const count = unit === undefined ? undefined : decimal(number, unit);
    if (count === undefined) return undefined;
    micros += count;
  } while (part.lastIndex < text.length);
  return micros;
}

/** Multiplies a decimal by a unit without floats, so that every language agrees on the result. */
function decimal(text: string, unit: bigint): bigint | undefined {
  const match = /^(\d+)(?:\.(\d{1,9}))?$/.exec(text);
  if (match === null) return undefined;
  const [, whole = "0", fraction = "0"] = match;
  return BigInt(whole) * unit + (BigInt(fraction) * unit) / 10n ** BigInt(fraction.length);
}
