/** Which matches are refused (§12), as a server refuses them. */

import { type Coded, coded } from "./matching.js";

const BYTES_MAX = 16 * 1024;
/** Deepest nesting that is read at all. */
const READ_DEPTH_MAX = 128;
const DEPTH_MAX = 32;
/** Arrays and objects count too. */
const VALUES_MAX = 256;
/** Most arrays and objects that are elements of arrays. */
const CHOICES_MAX = 16;
/** Greatest power of ten of a number, in either direction. */
const EXPONENT_MAX = 1_000_000n;
const KEY_SHOWN = 64;

/** Says why a match is refused; nothing where it is accepted. */
export function matchProblem(match: string): string | undefined {
  const bytes = Buffer.byteLength(match);
  if (bytes > BYTES_MAX) return `the match has ${bytes} bytes; accepted: at most ${BYTES_MAX}`;
  if (nesting(match) > READ_DEPTH_MAX) return tooDeep("$");
  const wanted = coded(match);
  const values = valuesOf(wanted);
  if (values > VALUES_MAX) {
    return `the match has ${values} values; accepted: at most ${VALUES_MAX}, arrays and objects included`;
  }
  return problemOf(wanted, { path: "$", depth: 1, seen: { choices: 0 } });
}

/** Where a value stands, and what was seen before it. */
interface Place {
  readonly path: string;
  readonly depth: number;
  readonly seen: { choices: number };
}

function problemOf(value: Coded, place: Place): string | undefined {
  const { path, depth } = place;
  if (typeof value === "string") return outOfRange(value, path);
  if (typeof value !== "object" || value === null) return undefined;
  if (depth > DEPTH_MAX) return tooDeep(path);
  if (Array.isArray(value)) return inElements(value, { ...place, path: `${path}[]` });
  // Texts, those of keys too, begin with a letter that tells what they are.
  for (const [key, member] of Object.entries(value)) {
    const found = problemOf(member, {
      ...place,
      path: path + segment(key.slice(1)),
      depth: depth + 1,
    });
    if (found !== undefined) return found;
  }
  return undefined;
}

function inElements(elements: readonly Coded[], place: Place): string | undefined {
  const { path, depth, seen } = place;
  for (const element of elements) {
    if (typeof element === "object" && element !== null) seen.choices++;
    if (seen.choices > CHOICES_MAX) {
      return `the match has more than ${CHOICES_MAX} arrays and objects as elements of arrays at ${path}`;
    }
    const found = problemOf(element, { ...place, depth: depth + 1 });
    if (found !== undefined) return found;
  }
  return undefined;
}

function outOfRange(value: string, path: string): string | undefined {
  const [, digits = "", last = "0"] = /^n-?(\d+)e(-?\d+)$/.exec(value) ?? [];
  const power = BigInt(last) + BigInt(Math.max(digits.length, 1) - 1);
  if (power <= EXPONENT_MAX && power >= -EXPONENT_MAX) return undefined;
  return (
    `the number at ${path} is out of range; accepted: powers of ten from -${EXPONENT_MAX} to ` +
    `${EXPONENT_MAX}`
  );
}

function tooDeep(path: string): string {
  return `the match nests deeper than ${DEPTH_MAX} arrays and objects at ${path}`;
}

function segment(key: string): string {
  const chars = [...key];
  const shown = chars.length > KEY_SHOWN ? `${chars.slice(0, KEY_SHOWN).join("")}…` : key;
  return /^[\p{Alphabetic}\p{N}_…-]+$/u.test(shown) ? `.${shown}` : `[${JSON.stringify(shown)}]`;
}

function valuesOf(value: Coded): number {
  if (typeof value !== "object" || value === null) return 1;
  return Object.values(value).reduce((all: number, one) => all + valuesOf(one), 1);
}

/** Counts brackets, since what is too deep cannot be parsed everywhere. */
function nesting(json: string): number {
  let depth = 0;
  let deepest = 0;
  for (const token of json.match(/"(?:[^"\\]|\\.)*"|[[\]{}]/g) ?? []) {
    if (token === "[" || token === "{") deepest = Math.max(deepest, ++depth);
    else if (token === "]" || token === "}") depth--;
  }
  return deepest;
}
