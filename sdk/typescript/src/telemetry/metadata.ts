/** Metadata as it is sent: JSON, bounded, without what looks like a secret. */

import { Buffer } from "node:buffer";
import { unicode } from "../text.js";
import type { TelemetryOptions } from "../types/telemetry.js";
import { kindOf } from "./redact/key.js";
import { REDACTED, redactText } from "./redact/text.js";
import type { Reports } from "./reports.js";

/** As much is kept of one object: what the server keeps, too. */
const BYTES_MAX = 16 * 1_024;

/** Most levels; what is deeper is not shown. */
const DEPTH_MAX = 32;

const TOO_LARGE = `metadata of more than ${BYTES_MAX / 1_024} KiB is left out`;
const UNREADABLE = "metadata that is no object is left out";
const FAILED = "`redact` threw; what it threw at is left out";

/** Thrown and caught here: there is more than is kept. */
class TooLarge extends Error {}

/** Metadata as it was at some moment. */
export interface Taken {
  /** How long its text is, about. */
  readonly characters: number;
  /** Returns it as JSON. */
  text(): string;
}

/** Writes values as JSON that may be shown. */
export class Writer {
  readonly #redact: TelemetryOptions["redact"];
  readonly #reports: Reports;
  /** Characters that may still be written. */
  #left = 0;

  constructor(redact: TelemetryOptions["redact"], reports: Reports) {
    this.#redact = typeof redact === "function" ? redact : undefined;
    this.#reports = reports;
  }

  /**
   * Takes metadata as it is now; nothing where there is none. What has only texts, numbers and the like is copied,
   * and written as it is sent: that costs the call less. What holds more is written at once.
   */
  take(base: unknown, own: unknown): Taken | undefined {
    const [hasBase, hasOwn] = [isGiven(base), isGiven(own)];
    if (!hasBase && !hasOwn) return undefined;
    try {
      if ((hasBase && !isObject(base)) || (hasOwn && !isObject(own))) throw new TypeError();
      const copy: object = { ...(base as object | undefined), ...(own as object | undefined) };
      const characters = flatLength(copy);
      if (characters !== undefined) return { characters, text: () => this.#whole(copy) };
      const text = this.#whole(copy);
      return { characters: text.length, text: () => text };
    } catch {
      const text = this.#instead(UNREADABLE);
      return { characters: text.length, text: () => text };
    }
  }

  #whole(object: object): string {
    this.#left = BYTES_MAX;
    try {
      const text = this.#members(object, "", 0);
      if (Buffer.byteLength(text) > BYTES_MAX) throw new TooLarge();
      return text;
    } catch (error) {
      return this.#instead(error instanceof TooLarge ? TOO_LARGE : UNREADABLE);
    }
  }

  /** Says why there is no metadata, in its place. */
  #instead(why: string): string {
    this.#reports.once(why);
    return `{"stepwell":${JSON.stringify(why)}}`;
  }

  /** Returns a value of any kind as JSON, as members of metadata are. */
  value(value: unknown): string {
    this.#left = BYTES_MAX;
    try {
      return this.#value(value, "", 0) ?? JSON.stringify(`[${typeof value}]`);
    } catch {
      return JSON.stringify(`[${typeof value}]`);
    }
  }

  /** Returns a text that may be shown: given to the hook first, then cleared of secrets. */
  text(text: string, path: string): string {
    const given = this.#given(text, path);
    const isShown = typeof given === "string" || typeof given === "number";
    return isShown ? redactText(`${given}`) : REDACTED;
  }

  #members(object: object, path: string, depth: number): string {
    let text = "";
    for (const key of Object.keys(object)) {
      const value = this.#member(object, key, path === "" ? key : `${path}.${key}`, depth);
      if (value === undefined) continue;
      const part = `${text === "" ? "" : ","}${jsonText(redactText(key))}:${value}`;
      this.#spend(part.length - value.length);
      text += part;
    }
    return `{${text}}`;
  }

  #list(list: readonly unknown[], path: string, depth: number): string {
    const parts: string[] = [];
    for (let at = 0; at < list.length; at += 1) {
      parts.push(this.#member(list, `${at}`, `${path}.${at}`, depth) ?? "null");
      this.#spend(1);
    }
    return `[${parts.join(",")}]`;
  }

  /** Writes a member; what cannot be read is left out. */
  #member(of: object, key: string, path: string, depth: number): string | undefined {
    try {
      const value: unknown = Reflect.get(of, key);
      if (isSecret(key, value)) return this.#spent(`"${REDACTED}"`);
      return this.#value(value, path, depth + 1);
    } catch (error) {
      if (error instanceof TooLarge) throw error;
      return undefined;
    }
  }

  #value(value: unknown, path: string, depth: number): string | undefined {
    switch (typeof value) {
      case "string":
      case "number":
      case "boolean":
        return this.#leaf(value, path);
      case "bigint":
        return this.#leaf(String(value), path);
      case "object":
        return value === null ? this.#spent("null") : this.#object(value, path, depth);
      default:
        return undefined;
    }
  }

  #object(value: object, path: string, depth: number): string | undefined {
    if (depth > DEPTH_MAX) return this.#spent(`"${REDACTED}"`);
    if (ArrayBuffer.isView(value)) return this.#spent(`"[${value.byteLength} bytes]"`);
    if (value instanceof Error) return this.#leaf(`${value.name}: ${value.message}`, path);
    const toJson: unknown = Reflect.get(value, "toJSON");
    if (typeof toJson === "function") {
      const given: unknown = toJson.call(value);
      // What gives itself is written as it is.
      if (given !== value) return this.#value(given, path, depth + 1);
    }
    return Array.isArray(value)
      ? this.#list(value, path, depth)
      : this.#members(value, path, depth);
  }

  #leaf(value: string | number | boolean, path: string): string | undefined {
    if (typeof value === "string" && value.length > BYTES_MAX) throw new TooLarge();
    const given = this.#given(value, path);
    if (typeof given === "string") return this.#spent(jsonText(redactText(given)));
    if (typeof given === "number" && Number.isFinite(given)) return this.#spent(`${given}`);
    if (typeof given === "boolean") return this.#spent(`${given}`);
    if (given === undefined) return undefined;
    return this.#spent("null");
  }

  /** Asks the hook, if there is one. */
  #given(value: string | number | boolean, path: string): unknown {
    if (this.#redact === undefined) return value;
    try {
      return this.#redact(value, path);
    } catch {
      this.#reports.once(FAILED);
      return undefined;
    }
  }

  #spent(text: string): string {
    this.#spend(text.length);
    return text;
  }

  #spend(characters: number): void {
    this.#left -= characters;
    if (this.#left < 0) throw new TooLarge();
  }
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && !Array.isArray(value);
}

/** Returns how long an object is as JSON, about; nothing where it holds what may change. */
function flatLength(object: object): number | undefined {
  let length = 2;
  for (const key of Object.keys(object)) {
    const value: unknown = Reflect.get(object, key);
    if (typeof value === "object" && value !== null) return undefined;
    length += key.length + 24;
    if (typeof value === "string") length += value.length;
  }
  return length;
}

/** Tells whether the value of a key is not to be shown, whatever it holds. */
function isSecret(key: string, value: unknown): boolean {
  const kind = kindOf(key);
  if (kind === "harmless" || value === null) return false;
  if (typeof value === "number" || typeof value === "bigint") return kind === "secret";
  return typeof value === "object" || (typeof value === "string" && value !== "");
}

/** What stands in JSON as it is. */
const PLAIN = /^[ !#-[\]-~]*$/;

/** Writes a text as JSON that every reader takes: halves of characters are replaced. */
export function jsonText(text: string): string {
  if (PLAIN.test(text)) return `"${text}"`;
  const json = JSON.stringify(text);
  return json.includes("\\ud") ? JSON.stringify(unicode(text)) : json;
}
