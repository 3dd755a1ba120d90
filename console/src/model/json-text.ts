/** JSON as people type it: where it is wrong, and how much of it differs from what it was. */

export type Parsed =
  | { readonly ok: true; readonly value: unknown }
  | {
      readonly ok: false;
      /** Where, from 1. */
      readonly line: number;
      readonly column: number;
      readonly message: string;
    };

/** Reads JSON. What browsers say of an error differs, so its place is found here. */
export function parseJson(text: string): Parsed {
  try {
    return { ok: true, value: JSON.parse(text) };
  } catch {
    const { at, message } = faultIn(text);
    const before = text.slice(0, at).split("\n");
    return { ok: false, line: before.length, column: (before.at(-1) ?? "").length + 1, message };
  }
}

/** Writes a value as it is shown for editing. */
export function formatJson(value: unknown): string {
  return JSON.stringify(value ?? null, null, 2);
}

interface Fault {
  readonly at: number;
  readonly message: string;
}

const SPACE = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const STRING = /"(?:[ !#-[\]-\uffff]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const STRING_BEGIN = /"(?:[ !#-[\]-\uffff]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*/y;
const WORD = /true|false|null/y;

/** Finds the first place where a text stops being JSON. */
function faultIn(text: string): Fault {
  let at = 0;
  const take = (pattern: RegExp): boolean => {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found === null) return false;
    at += found[0].length;
    return true;
  };
  const fail = (message: string): never => {
    throw { at, message } satisfies Fault;
  };
  const expect = (char: string, message: string): void => {
    take(SPACE);
    if (text[at] !== char) fail(message);
    at += 1;
  };
  const string = (what: string): void => {
    if (take(STRING)) return;
    if (text[at] !== '"') fail(`expected ${what}`);
    take(STRING_BEGIN);
    fail(at >= text.length || text[at] === "\n" ? "the text has no end" : "not allowed in a text");
  };
  const members = (end: string, member: () => void): void => {
    at += 1;
    take(SPACE);
    if (text[at] === end) {
      at += 1;
      return;
    }
    for (;;) {
      member();
      take(SPACE);
      if (text[at] === end) break;
      expect(",", `expected , or ${end}`);
      take(SPACE);
    }
    at += 1;
  };
  const value = (): void => {
    take(SPACE);
    if (text[at] === "{") {
      members("}", () => {
        string("a name in quotes");
        expect(":", "expected :");
        value();
      });
    } else if (text[at] === "[") members("]", value);
    else if (text[at] === '"') string("a value");
    else if (!take(NUMBER) && !take(WORD)) fail("expected a value");
  };
  try {
    value();
    take(SPACE);
    return { at, message: at < text.length ? "nothing may follow the value" : "not JSON" };
  } catch (fault) {
    // Only `fail` throws here, or a text that is nested deeper than the stack.
    return fault instanceof RangeError ? { at, message: "nested too deep" } : (fault as Fault);
  }
}

/** Lists the places in which two values differ, as JSON pointers; a part that is new or gone is one place. */
export function changesOf(before: unknown, after: unknown): readonly string[] {
  const found: string[] = [];
  walk(before, after, "", found);
  return found;
}

function walk(before: unknown, after: unknown, path: string, found: string[]): void {
  if (Object.is(before, after)) return;
  const both = [before, after];
  const alike = both.every(Array.isArray) || both.every(isPlain);
  if (!alike) {
    found.push(path);
    return;
  }
  const [was, is] = both as [Record<string, unknown>, Record<string, unknown>];
  for (const name of new Set([...Object.keys(was), ...Object.keys(is)])) {
    const place = `${path}/${pointerPart(name)}`;
    if (!Object.hasOwn(was, name) || !Object.hasOwn(is, name)) found.push(place);
    else walk(was[name], is[name], place, found);
  }
}

function isPlain(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Writes a name as a part of a JSON pointer. */
export function pointerPart(name: string | number): string {
  return String(name).replaceAll("~", "~0").replaceAll("/", "~1");
}

/** Lines of more texts than this are not compared: it would cost more than it shows. */
const COMPARED_LINES_MAX = 600;

/** Returns which lines of a text are not in what it was, from 0; none for texts too long to compare. */
export function changedLines(before: string, after: string): ReadonlySet<number> {
  const [was, is] = [before.split("\n"), after.split("\n")];
  let head = 0;
  while (head < Math.min(was.length, is.length) && was[head] === is[head]) head += 1;
  let tail = 0;
  const most = Math.min(was.length, is.length) - head;
  while (tail < most && was.at(-1 - tail) === is.at(-1 - tail)) tail += 1;
  const old = was.slice(head, was.length - tail);
  const own = is.slice(head, is.length - tail);
  if (old.length > COMPARED_LINES_MAX || own.length > COMPARED_LINES_MAX) return new Set();
  const kept = commonLines(old, own);
  return new Set(own.flatMap((_, at) => (kept.has(at) ? [] : [head + at])));
}

/** Returns which lines of `own` belong to a longest sequence that both have. */
function commonLines(old: readonly string[], own: readonly string[]): ReadonlySet<number> {
  const width = own.length + 1;
  const lengths = new Uint16Array((old.length + 1) * width);
  const at = (row: number, column: number) => lengths[row * width + column] ?? 0;
  for (let row = old.length - 1; row >= 0; row -= 1) {
    for (let column = own.length - 1; column >= 0; column -= 1) {
      lengths[row * width + column] =
        old[row] === own[column]
          ? at(row + 1, column + 1) + 1
          : Math.max(at(row + 1, column), at(row, column + 1));
    }
  }
  const kept = new Set<number>();
  for (let row = 0, column = 0; row < old.length && column < own.length; ) {
    if (old[row] === own[column]) {
      kept.add(column);
      row += 1;
      column += 1;
    } else if (at(row + 1, column) >= at(row, column + 1)) row += 1;
    else column += 1;
  }
  return kept;
}
