/** What code that is not durable tells of itself (§10). */

import type { TelemetrySendError } from "../errors/telemetry.js";
import type { Duration } from "./duration.js";

/** Small facts beside a run or a step, as JSON: identifiers, counts, codes. No secrets (§10.7). */
export type TelemetryMetadata = Readonly<Record<string, unknown>>;

/** How a step of an observed run stands, where it is told by hand (§10.2). */
export type RecordedStatus = "running" | "success" | "error";

/** Options of {@link createTelemetryClient} (§10.1). */
export interface TelemetryOptions {
  /**
   * The project key, which can do nothing but write telemetry. Default: the variable `STEPWELL_PROJECT_KEY`,
   * else `STEPWELL_KEY`. Without a key there is one warning, and events go to a server on this machine only.
   */
  readonly projectKey?: string | undefined;
  /**
   * The server's address, or those of several nodes, as a list or with commas between. Default: the variable
   * `STEPWELL_URL`, else `http://127.0.0.1:7878`.
   */
  readonly url?: string | readonly string[] | undefined;
  /** `false`: functions run, nothing is recorded. Default: `true`. */
  readonly enabled?: boolean | undefined;
  /** Sends the stack of what a step threw, too. Default: `false`. */
  readonly captureStack?: boolean | undefined;
  /**
   * Is told of each failure to send, and, once each, of what is wrong with options and arguments. What it
   * throws is swallowed. Default: failures to send are counted, the rest is one line on the console.
   */
  readonly onError?: ((error: TelemetrySendError) => void) | undefined;
  /**
   * Sends each event by itself, waits for its answer, and throws where there is none (§10.3). For tests and
   * jobs that must not go unseen. Default: `false`.
   */
  readonly throwOnSendError?: boolean | undefined;
  /** Metadata of every run; that of a run wins over it. */
  readonly defaultMetadata?: TelemetryMetadata | undefined;
  /**
   * Is given each text, number and boolean of metadata, and the texts of errors, before it is kept; returns
   * what is sent in its place. `path` is such as `card.brand`, `error.message` or `error.stack`. What it gives
   * `undefined` for, or throws at, is left out. What looks like a secret is redacted after it all the same.
   */
  readonly redact?: ((value: string | number | boolean, path: string) => unknown) | undefined;
}

/** Options of {@link TelemetryClient.run}. */
export interface ObservedRunOptions {
  /** The run's id, 1 to 200 characters: of the request, the job, the delivery. The same in every process. */
  readonly runId: string;
  /** Facts about the run. */
  readonly metadata?: TelemetryMetadata | undefined;
  /** A W3C trace id, 32 hexadecimal digits. Default: that of the active OpenTelemetry span, if there is one. */
  readonly traceId?: string | undefined;
}

/** A step that is told by hand, as {@link TelemetryClient.recordStep} takes it. */
export interface RecordedStep {
  /** The flow's slug. */
  readonly flowKey: string;
  /** The run's id. */
  readonly runId: string;
  /** The step's key. */
  readonly stepKey: string;
  /** What is told: that it began, or how it ended. */
  readonly status: RecordedStatus;
  /** Facts about the step. */
  readonly metadata?: TelemetryMetadata | undefined;
  /** With status `error`: what was thrown, or a text. */
  readonly error?: unknown;
  /** When it happened: a Date, ISO 8601 text, or milliseconds since 1970. Default: now. */
  readonly at?: Date | string | number | undefined;
}

/** What has become of a client's events. Each is in one of `sent`, `dropped` and `pending`. */
export interface TelemetryStats {
  /** Events that there were. */
  readonly recorded: number;
  /** Those that the server has taken. */
  readonly sent: number;
  /** Those that are lost: too many at once, refused, could not be told, or not sent before the end. */
  readonly dropped: number;
  /** Those that wait to be sent, or are on their way. */
  readonly pending: number;
}

/** Observes code, and sends what it sees in the background (§10). */
export interface TelemetryClient extends AsyncDisposable {
  /**
   * Names a run of a flow. Sends nothing (§10.2); several such objects with one `runId`, in whichever process,
   * are one run.
   */
  run(flowKey: string, options: ObservedRunOptions): ObservedRun;
  /**
   * Tells of a step whose function is not called here: of another service, a callback, a job. Resolves at once.
   *
   * @throws `TelemetrySendError` with `throwOnSendError`, where it was not sent
   */
  recordStep(step: RecordedStep): Promise<void>;
  /**
   * Sends what there is. Resolves to whether all of it was sent within the time, by default 5 s; does not
   * throw. For the end of a serverless function, and before `process.exit`.
   */
  flush(timeout?: Duration): Promise<boolean>;
  /** Flushes and ends the client: steps still run their functions, and tell nothing. */
  close(timeout?: Duration): Promise<boolean>;
  /** What has become of the events so far. */
  readonly stats: TelemetryStats;
}

/** A run of a flow that is observed (§10.2). */
export interface ObservedRun {
  /** The flow's slug. */
  readonly flowKey: string;
  /** The run's id. */
  readonly runId: string;
  /**
   * Calls a function, and tells that it began and how it ended. Gives what it gives, and throws the very value
   * that it throws. Waits for the function only.
   *
   * @throws what `fn` throws; with `throwOnSendError` also `TelemetrySendError`, before `fn` is called, or after
   * it succeeded with what it gave as `value`
   */
  step<T>(key: string, fn: () => T, options?: ObservedStepOptions): Promise<Awaited<T>>;
  /** Tells that a step does not apply to this run. Calls nothing, and resolves at once. */
  skip(key: string): Promise<void>;
}

/** Options of {@link ObservedRun.step}. */
export interface ObservedStepOptions {
  /** Facts about this call. */
  readonly metadata?: TelemetryMetadata | undefined;
}
