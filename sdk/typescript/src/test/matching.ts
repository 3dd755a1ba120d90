/** Whether an event is what a wait or a trigger asks for (§8.2), for tests of matches. */

import { ArgumentError } from "../errors/base.js";
import { encode } from "../json.js";

/** JSON whose strings begin with `s`, and whose numbers are texts that begin with `n`. */
export type Coded = string | boolean | null | readonly Coded[] | { readonly [name: string]: Coded };

/**
 * Tells whether a match is contained in an event's data, or in its `match` where it has one: objects by the
 * members that are asked for, at every level, arrays as sets, numbers by value.
 *
 * ```ts
 * expect(matches({ order: { id: 7 } }, { order: { id: 7, total: 9 }, at: 1 })).toBe(true);
 * ```
 *
 * @throws `SerializationError` for what is not JSON, `ArgumentError` for no value.
 */
export function matches(match: unknown, data: unknown): boolean {
  return textMatches(jsonOf("the match", match), jsonOf("the data", data));
}

function jsonOf(what: string, value: unknown): string {
  const text = encode(what, value);
  if (text === undefined) throw new ArgumentError(`${what} is no value; accepted: JSON`);
  return text;
}

/** Does the same with JSON texts, in which numbers have all of their digits. */
export function textMatches(match: string, event: string): boolean {
  return contains(coded(match), coded(event));
}

/** Reads JSON so that numbers are compared by value, whatever floats can hold. */
export function coded(json: string): Coded {
  const tokens = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
  const text = json.replace(tokens, (token) =>
    token.startsWith('"') ? `"s${token.slice(1)}` : `"n${numberText(token)}"`,
  );
  return JSON.parse(text) as Coded;
}

/** Writes a number in its one form: its digits without zeros around them, and the power of ten. */
function numberText(token: string): string {
  const [, sign = "", whole = "", fraction = "", exponent = "0"] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(token) ?? [];
  const digits = (whole + fraction).replace(/^0+/, "");
  const short = digits.replace(/0+$/, "");
  if (short === "") return "0";
  const power = BigInt(exponent) - BigInt(fraction.length) + BigInt(digits.length - short.length);
  return `${sign}${short}e${power}`;
}

function contains(match: Coded, event: Coded): boolean {
  if (typeof match !== "object" || match === null) return match === event;
  if (typeof event !== "object" || event === null) return false;
  if (isList(match)) {
    return isList(event) && match.every((wanted) => event.some((one) => contains(wanted, one)));
  }
  if (isList(event)) return false;
  return Object.entries(match).every(([name, wanted]) => {
    const found = event[name];
    return found !== undefined && contains(wanted, found);
  });
}

function isList(value: object): value is readonly Coded[] {
  return Array.isArray(value);
}
