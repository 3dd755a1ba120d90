/** Values as JSON text (§2.6): what JSON.stringify gives, or an error with the place and why. */

import { LimitError, SerializationError } from "./errors/step.js";

/** Deepest nesting of arrays and objects in a payload (§12). */
const DEPTH_MAX = 128;

/**
 * Objects whose content JSON.stringify would lose without a word, by their tag: `instanceof` does not
 * know those of another realm, such as that of a test.
 */
const LOST: ReadonlyMap<string, string> = new Map([
  ["[object Map]", "a Map; give `Object.fromEntries(map)` or `[...map]`"],
  ["[object Set]", "a Set; give `[...set]`"],
  ["[object WeakMap]", "a WeakMap"],
  ["[object WeakSet]", "a WeakSet"],
  ["[object Promise]", "a Promise; is an `await` missing?"],
  ["[object ArrayBuffer]", "an ArrayBuffer; give a text, such as base64"],
]);

/** What is wrong with a value, and where. */
interface Problem {
  /** Names and indices from the value's root on, the innermost first. */
  readonly path: (string | number)[];
  readonly reason: string;
}

/** Where a value is from, for errors, and how it stands in its text. */
interface Place {
  readonly stepId?: string;
  readonly runId?: string;
  /** Levels of the value that are around its payloads, as the members of a request are. Default 0. */
  readonly around?: number;
}

/** The objects that a value is in. */
interface Above {
  readonly objects: object[];
  readonly depthMax: number;
  /** It nests deeper than it may. */
  isDeep: boolean;
}

/**
 * Writes a value as JSON; no value gives `undefined`.
 *
 * @param what - names the value in errors, such as "the result of step `charge`"
 * @throws `SerializationError` with the path inside the value and why; `LimitError` where it nests too deep (§12).
 */
export function encode(
  what: string,
  value: unknown,
  { around = 0, ...place }: Place = {},
): string | undefined {
  if (value === undefined) return undefined;
  const above: Above = { objects: [], depthMax: DEPTH_MAX + around, isDeep: false };
  let problem: Problem | undefined;
  let text: string | undefined;
  try {
    problem = problemOf(value, "", above);
    if (problem === undefined) text = JSON.stringify(value);
  } catch (error) {
    // A getter or a `toJSON` threw, or the value is nested beyond the stack.
    const why = error instanceof RangeError ? "nested too deeply" : `unreadable: ${String(error)}`;
    throw new SerializationError(`${what} is not JSON: ${why}`, "$", why, {
      ...place,
      cause: error,
    });
  }
  if (problem === undefined) return text;
  if (above.isDeep) throw new LimitError(`${what} is refused: ${problem.reason}`, place);
  const path = `$${problem.path.reverse().map(segment).join("")}`;
  const message = `${what} is not JSON: at \`${path}\` is ${problem.reason}`;
  throw new SerializationError(message, path, problem.reason, place);
}

/** Returns a value as it comes back after it was saved: `parse(encode(value))`. */
export function roundTrip(what: string, value: unknown): unknown {
  const text = encode(what, value);
  return text === undefined ? undefined : JSON.parse(text);
}

/** Writes a step of a path: `.name`, `[0]` or `["odd name"]`. */
export function segment(part: string | number): string {
  if (typeof part === "number") return `[${part}]`;
  return /^[A-Za-z_$][\w$]*$/.test(part) ? `.${part}` : `[${JSON.stringify(part)}]`;
}

/** Finds what JSON cannot hold. `key` is where the value stands, for its `toJSON`. */
function problemOf(value: unknown, key: string, above: Above): Problem | undefined {
  switch (typeof value) {
    case "string":
    case "boolean":
    case "undefined":
      return undefined;
    case "number":
      return Number.isFinite(value) ? undefined : { path: [], reason: `${value}` };
    case "object":
      return value === null ? undefined : inObject(value, key, above);
    case "bigint": {
      const shown = shownAs(value, key);
      return shown === undefined
        ? { path: [], reason: "a BigInt; give `String(value)` or a number" }
        : problemOf(shown.value, key, above);
    }
    case "function":
      return { path: [], reason: "a function" };
    default:
      return { path: [], reason: "a symbol" };
  }
}

/** Applies `toJSON` as JSON.stringify does; nothing where there is none. */
function shownAs(value: object | bigint, key: string): { value: unknown } | undefined {
  const toJson: unknown = (value as { toJSON?: unknown }).toJSON;
  return typeof toJson === "function" ? { value: toJson.call(value, key) } : undefined;
}

function inObject(value: object, key: string, above: Above): Problem | undefined {
  const shown = shownAs(value, key);
  if (shown !== undefined && shown.value !== value) {
    return problemOf(shown.value, key, above);
  }
  if (above.objects.includes(value)) return { path: [], reason: "a cycle: it contains itself" };
  const plain = Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype;
  const tag = plain ? "" : Object.prototype.toString.call(value);
  const reason = LOST.get(tag);
  if (reason !== undefined) return { path: [], reason };
  // JSON.stringify unwraps these.
  if (tag === "[object Number]" || tag === "[object BigInt]") {
    return problemOf(value.valueOf(), key, above);
  }
  if (above.objects.length === above.depthMax) {
    above.isDeep = true;
    return { path: [], reason: `its arrays and objects nest deeper than ${DEPTH_MAX}` };
  }
  above.objects.push(value);
  const problem = Array.isArray(value) ? inArray(value, above) : inMembers(value, above);
  above.objects.pop();
  return problem;
}

function inArray(array: readonly unknown[], above: Above): Problem | undefined {
  for (let index = 0; index < array.length; index += 1) {
    const problem = problemOf(array[index], String(index), above);
    if (problem !== undefined) {
      problem.path.push(index);
      return problem;
    }
  }
  return undefined;
}

function inMembers(value: object, above: Above): Problem | undefined {
  for (const name of Object.keys(value)) {
    const problem = problemOf((value as Record<string, unknown>)[name], name, above);
    if (problem !== undefined) {
      problem.path.push(name);
      return problem;
    }
  }
  return undefined;
}
