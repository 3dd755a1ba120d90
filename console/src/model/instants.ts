/** Instants of the API as numbers of milliseconds since 1970, with fractions. */

/** Reads an instant of ISO 8601 in UTC, with its microseconds, which `Date` would drop. */
export function instant(text: string): number {
  const whole = Date.parse(`${text.slice(0, 23)}Z`);
  if (text.length <= 24 || Number.isNaN(whole)) return Date.parse(text);
  return whole + Number.parseInt(text.slice(23, 26), 10) / 1000;
}

/** Reads an instant that may be absent. */
export function instantOr<T>(text: string | null, otherwise: T): number | T {
  return text === null ? otherwise : instant(text);
}
