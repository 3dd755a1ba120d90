/** Durations that the compiler accepts (§11). */

type Short = { w: "w"; d: "d"; h: "h"; m: "m"; s: "s"; ms: "ms" };

type Word =
  | "milliseconds"
  | "millisecond"
  | "msecs"
  | "msec"
  | "seconds"
  | "second"
  | "secs"
  | "sec"
  | "minutes"
  | "minute"
  | "mins"
  | "min"
  | "hours"
  | "hour"
  | "hrs"
  | "hr"
  | "days"
  | "day"
  | "weeks"
  | "week";

/** Compounds name their units from the longest to the shortest, each once. */
type Below<Unit extends keyof Short> = {
  w: "d" | "h" | "m" | "s" | "ms";
  d: "h" | "m" | "s" | "ms";
  h: "m" | "s" | "ms";
  m: "s" | "ms";
  s: "ms";
  ms: never;
}[Unit];

type Compound<Unit extends keyof Short, Gap extends "" | " "> = {
  [U in Unit]: `${number}${U}` | `${number}${U}${Gap}${Compound<Below<U>, Gap>}`;
}[Unit];

type Words =
  | `${number} ${Word | keyof Short}`
  | `${number}${Word}`
  | `${number} ${"weeks" | "week"} ${number} ${"days" | "day" | "hours" | "hour"}`
  | `${number} ${"days" | "day"} ${number} ${"hours" | "hour" | "minutes" | "minute"}`
  | `${number} ${"hours" | "hour"} ${number} ${"minutes" | "minute" | "seconds" | "second"}`
  | `${number} ${"minutes" | "minute"} ${number} ${"seconds" | "second"}`;

/**
 * A duration (§11): a number of milliseconds, or a text such as `"500ms"`, `"10s"`, `"5m"`, `"1h"`,
 * `"7d"`, `"1w"`, `"1d12h"` or `"30 minutes"`.
 *
 * Months, years, signs and a capital `M` are refused. A text that the compiler cannot know is read
 * with {@link parseDuration}, which gives milliseconds.
 */
export type Duration =
  | number
  | `${number}`
  | Compound<keyof Short, "">
  | Compound<keyof Short, " ">
  | Words;
