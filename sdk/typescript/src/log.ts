/** Where a process shows lines, beside where they are stored (§2.2). */

import type { LogBridge, LogFields, LogLevel, LogLine } from "./types/log.js";

const LEVELS: readonly LogLevel[] = ["debug", "info", "warn", "error"];

/** The part of the console that is used; any object with these methods will do. */
export type ConsoleLike = Pick<Console, LogLevel>;

/** The part of a pino logger that is used. */
export type PinoLike = {
  readonly [L in LogLevel]: (fields: object, message: string) => void;
};

/** Options of {@link consoleLog}. */
export interface ConsoleLogOptions {
  /** The least level that is shown. Default `"info"`. */
  readonly level?: LogLevel;
  /** Where to show it. Default: the console. */
  readonly to?: ConsoleLike;
}

/** Shows lines on the console: `[checkout run_01… charge] paid { cents: 500 }`. */
export function consoleLog(options: ConsoleLogOptions = {}): LogBridge {
  const least = LEVELS.indexOf(options.level ?? "info");
  return (line) => {
    if (LEVELS.indexOf(line.level) < least) return;
    const to = options.to ?? console;
    const place = [line.from.workflow, line.from.run, line.from.step].filter(Boolean).join(" ");
    const text = place === "" ? `[stepwell] ${line.message}` : `[${place}] ${line.message}`;
    if (line.fields === undefined) to[line.level](text);
    else to[line.level](text, line.fields);
  };
}

/**
 * Gives lines to a pino logger, with app, workflow, run, step and attempt as fields.
 *
 * ```ts
 * await shop.serve({ log: pinoLog(pino()) });
 * ```
 */
export function pinoLog(logger: PinoLike): LogBridge {
  return ({ level, message, fields, from }) => logger[level]({ ...fields, ...from }, message);
}

/**
 * Returns the text of a line as it is stored: its message, then its fields as JSON. What is not JSON
 * among them is shown as a text; a line never fails.
 */
export function storedText(line: Pick<LogLine, "message" | "fields">): string {
  if (line.fields === undefined || Object.keys(line.fields).length === 0) return line.message;
  return `${line.message} ${fieldsText(line.fields)}`;
}

function fieldsText(fields: LogFields): string {
  try {
    return JSON.stringify(fields, (_, value: unknown) => {
      if (value instanceof Error) return `${value.name}: ${value.message}`;
      return typeof value === "bigint" ? String(value) : value;
    });
  } catch {
    return "{…}";
  }
}
