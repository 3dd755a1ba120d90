/** How much a line matters. */
export type LogLevel = "debug" | "info" | "warn" | "error";

/** Values that stand beside a line's text. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Takes the lines of a handler or of a step's function; they are stored with it (§2.2). */
export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

/** A line, as a {@link LogBridge} gets it. */
export interface LogLine {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields?: LogFields;
  /** Where it comes from; empty for what the runner itself says. */
  readonly from: {
    readonly app?: string;
    readonly workflow?: string;
    readonly run?: string;
    readonly step?: string;
    readonly attempt?: number;
  };
}

/** Where a process shows lines, beside where they are stored: the console, pino, or anything else. */
export type LogBridge = (line: LogLine) => void;
