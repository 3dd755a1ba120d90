/** Instants of the API as numbers of milliseconds since 1970, with fractions. */

/** `2026-11-22T14:02:07.123456Z`: what the API writes. */
const USUAL = 27;
const DAY = 10;

/** The day that was read last: the instants of a run are of few days. */
let day = { text: "", ms: 0 };

/** Reads an instant of ISO 8601 in UTC, with its microseconds, which `Date` would drop. */
export function instant(text: string): number {
  if (text.length === USUAL && text.endsWith("Z")) {
    if (!text.startsWith(day.text) || day.text === "") {
      const date = text.slice(0, DAY);
      day = { text: date, ms: Date.parse(`${date}T00:00:00Z`) };
    }
    const minutes = two(text, 11) * 60 + two(text, 14);
    const milliseconds = two(text, 20) * 10 + digit(text, 22);
    const microseconds = digit(text, 23) * 100 + two(text, 24);
    return day.ms + (minutes * 60 + two(text, 17)) * 1000 + milliseconds + microseconds / 1000;
  }
  const whole = Date.parse(`${text.slice(0, 23)}Z`);
  if (text.length <= 24 || Number.isNaN(whole)) return Date.parse(text);
  return whole + Number.parseInt(text.slice(23, 26), 10) / 1000;
}

function two(text: string, at: number): number {
  return digit(text, at) * 10 + digit(text, at + 1);
}

function digit(text: string, at: number): number {
  return text.charCodeAt(at) - 48;
}

/** Reads an instant that may be absent. */
export function instantOr<T>(text: string | null, otherwise: T): number | T {
  return text === null ? otherwise : instant(text);
}
