/** Numbers and times as words: two units at most, a no-break space before each. */

const GAP = "\u00a0";
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

// Made once: making one costs more than using it for a whole page of rows.
const NUMBER = new Intl.NumberFormat("en-US");
const dates = (form: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat("en-GB", form);
const WEEKDAY = dates({ weekday: "short" });
const DAY_MONTH = dates({ day: "numeric", month: "short" });
const DATE = dates({ day: "numeric", month: "short", year: "numeric" });
const WEEKDAY_DAY_MONTH = dates({ weekday: "short", day: "numeric", month: "short" });
const FULL_DATE = dates({ weekday: "short", day: "numeric", month: "short", year: "numeric" });

/** The zone that times are told in. */
export const ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;

/** Says how long something took: `172 ms`, `2.42 s`, `1 m 04 s`, `22 h 41 m`, `3 d 4 h`. */
export function duration(ms: number): string {
  if (!Number.isFinite(ms)) return "–";
  const length = Math.max(0, ms);
  if (length > 0 && length < 1) return `<${GAP}1${GAP}ms`;
  if (length < SECOND - 0.5) return `${Math.round(length)}${GAP}ms`;
  if (length < 10 * SECOND - 5) return `${(length / SECOND).toFixed(2)}${GAP}s`;
  if (length < MINUTE - 50) return `${tenths(length)}${GAP}s`;
  if (length < HOUR) return pair(Math.max(length, MINUTE), MINUTE, "m", SECOND, "s");
  if (length < DAY) return pair(length, HOUR, "h", MINUTE, "m");
  return `${Math.floor(length / DAY)}${GAP}d ${Math.floor((length % DAY) / HOUR)}${GAP}h`;
}

/** Says how long something may take, as people set it: `10 m`, `1 h 30 m`. */
export function roundDuration(ms: number): string {
  return duration(ms)
    .replace(/ 00\u00a0[ms]$/, "")
    .replace(/\.00(?=\u00a0s$)/, "");
}

/** Seconds with their tenths, which a whole number of them does not need. */
function tenths(ms: number): string {
  return (ms / SECOND).toFixed(1).replace(/\.0$/, "");
}

function pair(ms: number, big: number, bigWord: string, small: number, smallWord: string): string {
  const rest = String(Math.floor((ms % big) / small)).padStart(2, "0");
  return `${Math.floor(ms / big)}${GAP}${bigWord} ${rest}${GAP}${smallWord}`;
}

/**
 * Says how long something has lasted up to now, no finer than it ticks on a page: tenths under 10 s, seconds
 * under an hour, then minutes.
 */
export function elapsed(ms: number): string {
  const length = Math.max(0, ms);
  if (length < 10 * SECOND) return `${(Math.floor(length / 100) / 10).toFixed(1)}${GAP}s`;
  if (length < MINUTE) return `${Math.floor(length / SECOND)}${GAP}s`;
  return duration(length);
}

/** Says an offset from the start: `+0.191`, `+38:12`, `+1:00:06`. */
export function offset(ms: number): string {
  const length = Math.max(0, ms);
  if (length < MINUTE) return `+${(Math.floor(length) / SECOND).toFixed(3)}`;
  const seconds = Math.floor(length / SECOND);
  const two = (value: number) => String(value).padStart(2, "0");
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  return hours === 0
    ? `+${minutes}:${two(seconds % 60)}`
    : `+${hours}:${two(minutes)}:${two(seconds % 60)}`;
}

/** Says a time of the day as a clock does: `14:02:07`, with milliseconds where they are asked for. */
export function clock(ms: number, fine: "seconds" | "milliseconds" = "seconds"): string {
  const at = new Date(ms);
  const two = (value: number) => String(value).padStart(2, "0");
  const seconds = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
  if (fine === "seconds") return seconds;
  return `${seconds}.${String(at.getMilliseconds()).padStart(3, "0")}`;
}

/** Says an instant near `now` as a person would: the clock, with the day where it is another one. */
export function moment(ms: number, now: number): string {
  const at = new Date(ms);
  if (at.toDateString() === new Date(now).toDateString()) return clock(ms);
  return `${WEEKDAY_DAY_MONTH.format(at)} ${clock(ms).slice(0, 5)}`;
}

/** Says an instant in a column as short as it can: the clock today, the day before that, then the date. */
export function shortMoment(ms: number, now: number): string {
  const at = new Date(ms);
  if (at.toDateString() === new Date(now).toDateString()) return clock(ms);
  if (Math.abs(now - ms) < 6 * DAY) return `${WEEKDAY.format(at)} ${clock(ms).slice(0, 5)}`;
  const isThisYear = at.getFullYear() === new Date(now).getFullYear();
  return (isThisYear ? DAY_MONTH : DATE).format(at);
}

/** Says how many there are, where more than that were not counted: `10,000+`. */
export function countOrMore(value: number, orMore: boolean): string {
  return orMore ? `${count(value)}+` : count(value);
}

/** Says an instant in full, with its zone: what a hover shows. */
export function fullMoment(ms: number): string {
  return `${FULL_DATE.format(ms)} ${clock(ms, "milliseconds")}, ${ZONE}`;
}

/** Says a count with separators: `1,000`. */
export function count(value: number): string {
  return NUMBER.format(value);
}

/** Says a count with its noun: `1 step`, `1,000 steps`. */
export function counted(value: number, one: string, many = `${one}s`): string {
  return `${count(value)}${GAP}${value === 1 ? one : many}`;
}

/** Says which one of a row it is: `1st`, `2nd`, `11th`. */
export function ordinal(n: number): string {
  const tens = n % 100;
  if (tens >= 11 && tens <= 13) return `${n}th`;
  return `${n}${["th", "st", "nd", "rd"][n % 10] ?? "th"}`;
}

/** Names the status as people read it. */
export function statusWord(status: string): string {
  return status.replaceAll("_", " ");
}

/** Returns the text with its first letter as a capital. */
export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Lists names as prose does: `label, charge and reserve`. */
export function listed(names: readonly string[], last: "and" | "or" = "and"): string {
  if (names.length < 2) return names.join("");
  return `${names.slice(0, -1).join(", ")} ${last} ${names.at(-1)}`;
}

/** Marks that turn the direction of text. */
const TURNS = /[\u202a-\u202e\u2066-\u2069]/g;
const CONTROLS = /[^\P{Cc}\t\n]/gu;

/** Shows control characters and marks that turn the direction of text, so that no name can hide or forge one. */
export function visible(text: string): string {
  return text.replace(TURNS, "\ufffd").replace(CONTROLS, (char) => {
    const code = char.charCodeAt(0);
    if (code < 0x20) return String.fromCharCode(0x2400 + code);
    return code === 0x7f ? "\u2421" : "\ufffd";
  });
}
