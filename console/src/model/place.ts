/** Places within a JSON value: read, set and taken out without changing the value that was. */

import { pointerPart } from "./json-text.ts";
import type { Path } from "./schema.ts";

/** Returns what stands at a place; undefined for nothing. */
export function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((at, name) => {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, name)) return undefined;
    return (at as Record<string | number, unknown>)[name];
  }, value);
}

/** Returns a value with another one at a place; what is not there on the way is made. */
export function withValue(value: unknown, path: Path, next: unknown): unknown {
  const [name, ...rest] = path;
  if (name === undefined) return next;
  if (typeof name === "number") {
    const list: unknown[] = Array.isArray(value) ? [...value] : [];
    list[name] = withValue(list[name], rest, next);
    return list;
  }
  const members = isObject(value) ? value : {};
  const below = Object.hasOwn(members, name) ? members[name] : undefined;
  // Built from entries, so that no name reaches the prototype.
  const entries = new Map(Object.entries(members));
  entries.set(name, withValue(below, rest, next));
  return Object.fromEntries(entries);
}

/** Returns a value without what stands at a place. */
export function without(value: unknown, path: Path): unknown {
  const name = path.at(-1);
  if (name === undefined) return undefined;
  const above = path.slice(0, -1);
  const holder = valueAt(value, above);
  if (Array.isArray(holder)) {
    return withValue(
      value,
      above,
      holder.filter((_, at) => at !== name),
    );
  }
  if (!isObject(holder)) return value;
  const entries = Object.entries(holder).filter(([one]) => one !== name);
  return withValue(value, above, Object.fromEntries(entries));
}

/** Writes a place as a JSON pointer. */
export function pointerOf(path: Path): string {
  return path.map((name) => `/${pointerPart(name)}`).join("");
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
