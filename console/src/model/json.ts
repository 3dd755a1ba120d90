/** JSON as lines of pieces in two inks: names and punctuation faint, values strong. */

import { visible } from "./words.ts";

export interface Piece {
  readonly text: string;
  readonly ink: "faint" | "strong";
}

export interface JsonLine {
  readonly indent: number;
  readonly pieces: readonly Piece[];
}

/** A text of more characters goes on over lines, so that none is too long to be drawn. */
const TEXT_CHARS_MAX = 2000;
const TEXT_LINE_CHARS = 200;

const faint = (text: string): Piece => ({ text, ink: "faint" });
const strong = (text: string): Piece => ({ text, ink: "strong" });

/** Formats a value over lines. */
export function linesOf(value: unknown): readonly JsonLine[] {
  const lines: JsonLine[] = [];
  write(lines, value, { indent: 0, lead: [], tail: "" });
  return lines;
}

interface Place {
  readonly indent: number;
  /** What stands before the value on its first line. */
  readonly lead: readonly Piece[];
  /** The comma after it, or nothing. */
  readonly tail: string;
}

function write(lines: JsonLine[], value: unknown, place: Place): void {
  const { indent, lead, tail } = place;
  const entries = entriesOf(value);
  if (typeof value === "string" && value.length > TEXT_CHARS_MAX) {
    lines.push(...textLines(value, place));
    return;
  }
  if (entries === null) {
    lines.push({
      indent,
      pieces: [...lead, strong(scalar(value)), ...(tail ? [faint(tail)] : [])],
    });
    return;
  }
  const [begin, end] = Array.isArray(value) ? ["[", "]"] : ["{", "}"];
  if (entries.length === 0) {
    lines.push({ indent, pieces: [...lead, faint(`${begin}${end}${tail}`)] });
    return;
  }
  lines.push({ indent, pieces: [...lead, faint(begin)] });
  entries.forEach(([name, member], at) => {
    const named = name === null ? [] : [faint(`${text(name)}: `)];
    const comma = at < entries.length - 1 ? "," : "";
    write(lines, member, { indent: indent + 1, lead: named, tail: comma });
  });
  lines.push({ indent, pieces: [faint(`${end}${tail}`)] });
}

/** A long text: over its own lines, each of which may need several. */
function textLines(value: string, { indent, lead, tail }: Place): readonly JsonLine[] {
  const written = value.split("\n").flatMap(chunks);
  const most = written.length - 1;
  return written.map((part, at) => ({
    indent: at === 0 ? indent : indent + 1,
    pieces: [
      ...(at === 0 ? [...lead, faint('"')] : []),
      strong(visible(part)),
      ...(at === most ? [faint(`"${tail}`)] : []),
    ],
  }));
}

function chunks(line: string): readonly string[] {
  if (line.length <= TEXT_LINE_CHARS) return [line];
  const parts: string[] = [];
  for (let at = 0; at < line.length; at += TEXT_LINE_CHARS) {
    parts.push(line.slice(at, at + TEXT_LINE_CHARS));
  }
  return parts;
}

function entriesOf(value: unknown): readonly (readonly [string | null, unknown])[] | null {
  if (Array.isArray(value)) return value.map((member) => [null, member] as const);
  return typeof value === "object" && value !== null ? Object.entries(value) : null;
}

function scalar(value: unknown): string {
  return typeof value === "string" ? text(value) : String(value);
}

function text(value: string): string {
  return visible(JSON.stringify(value));
}

/** Formats the begin of a value on one line of about `charsMax`, without looking at the rest of it. */
export function oneLine(value: unknown, charsMax: number): readonly Piece[] {
  const pieces: Piece[] = [];
  let left = charsMax;
  const put = (piece: Piece) => {
    if (left <= 0) return;
    const cut = piece.text.length > left;
    pieces.push(cut ? { ...piece, text: `${piece.text.slice(0, left)}…` } : piece);
    left -= piece.text.length;
  };
  const walk = (one: unknown): void => {
    const entries = typeof one === "object" && one !== null ? Object.keys(one) : null;
    if (entries === null) {
      put(strong(typeof one === "string" ? text(one.slice(0, charsMax + 1)) : String(one)));
      return;
    }
    const list = Array.isArray(one);
    put(faint(list ? "[" : "{"));
    for (const [at, name] of entries.entries()) {
      if (left <= 0) return;
      if (at > 0) put(faint(", "));
      if (!list) put(faint(`${text(name)}: `));
      // The names are the object's own, so the member is there.
      walk((one as Record<string, unknown>)[name]);
    }
    put(faint(list ? "]" : "}"));
  };
  walk(value);
  return pieces;
}

/** Returns the numbers of lines that hold a text, whatever its case. */
export function linesWith(lines: readonly JsonLine[], wanted: string): readonly number[] {
  const low = wanted.toLowerCase();
  if (low === "") return [];
  return lines.flatMap((line, at) => {
    const whole = line.pieces.map((piece) => piece.text).join("");
    return whole.toLowerCase().includes(low) ? [at] : [];
  });
}
