/** The telemetry client (§10.1). */

import { durationMillis } from "../duration.js";
import { ArgumentError } from "../errors/base.js";
import { keyOf } from "../key.js";
import { type Addresses, serverUrls } from "../server-url.js";
import type { Duration } from "../types/duration.js";
import type {
  ObservedRun,
  ObservedRunOptions,
  RecordedStep,
  TelemetryClient,
  TelemetryOptions,
  TelemetryStats,
} from "../types/telemetry.js";
import { Awaited } from "./awaited.js";
import { membersOf } from "./members.js";
import { Outbox } from "./outbox.js";
import { isLocal, Post } from "./post.js";
import { Recorder } from "./recorder.js";
import { Reports } from "./reports.js";
import { SilentRun, ToldRun } from "./run.js";
import { Nowhere, type Sink } from "./sink.js";

/** How long `flush` and `close` take at most, unless told otherwise. */
const FLUSH_MS = 5_000;

const NO_KEY =
  "there is no project key: neither `projectKey` nor STEPWELL_PROJECT_KEY nor STEPWELL_KEY is set; " +
  "events go to a server on this machine only";

const MEMBERS: readonly string[] = [
  "projectKey",
  "url",
  "enabled",
  "captureStack",
  "onError",
  "throwOnSendError",
  "defaultMetadata",
  "redact",
];

/**
 * Makes a client that observes code (§10). It never throws into the program, keeps no process alive, and waits
 * for nothing but the functions of steps:
 *
 * ```ts
 * import { createTelemetryClient } from "stepwell/telemetry";
 *
 * const telemetry = createTelemetryClient();
 * const run = telemetry.run("checkout", { runId: requestId });
 * const receipt = await run.step("charge-card", () => charge());
 * ```
 *
 * @throws `ArgumentError` with `throwOnSendError`, where there is no key, or what there is cannot be one
 */
export function createTelemetryClient(options: TelemetryOptions = {}): TelemetryClient {
  const given: TelemetryOptions = membersOf(options);
  if (given.enabled === false) return new Silent();
  const reports = new Reports(given.onError);
  for (const name of Object.keys(given)) {
    if (!MEMBERS.includes(name))
      reports.once(`an option is not known; accepted: ${MEMBERS.join(", ")}`);
  }
  const sink = sinkOf(given, reports);
  return new Observing(sink, new Recorder(sink, reports, given), reports);
}

/** Returns where events go. */
function sinkOf(options: TelemetryOptions, reports: Reports): Sink {
  const isStrict = options.throwOnSendError === true;
  let post: Post;
  try {
    const urls = addressesOf(options.url);
    const key = projectKeyOf(options.projectKey);
    if (key === undefined) {
      if (isStrict) throw new ArgumentError(NO_KEY);
      reports.once(NO_KEY);
      if (!urls.every(isLocal)) return new Nowhere();
    }
    post = new Post(urls, key);
  } catch (error) {
    // §10.1: what is wrong here is told, and breaks nothing.
    if (isStrict || !ArgumentError.is(error)) throw error;
    reports.once(`${error.message}; nothing is sent`);
    return new Nowhere();
  }
  return isStrict ? new Awaited(post, reports) : new Outbox(post, reports);
}

function projectKeyOf(given: string | undefined): string | undefined {
  return keyOf("telemetry", given ?? (process.env.STEPWELL_PROJECT_KEY || undefined), "projectKey");
}

function addressesOf(given: Addresses | undefined): URL[] {
  const urls = serverUrls(given);
  if (urls.every((url) => url.username === "" && url.password === "")) return urls;
  throw new ArgumentError("telemetry: `url` holds a user or password; accepted: http://host:port");
}

/** A client that observes. */
class Observing implements TelemetryClient {
  readonly #sink: Sink;
  readonly #recorder: Recorder;
  readonly #reports: Reports;

  constructor(sink: Sink, recorder: Recorder, reports: Reports) {
    this.#sink = sink;
    this.#recorder = recorder;
    this.#reports = reports;
  }

  run(flowKey: string, options: ObservedRunOptions): ObservedRun {
    const { runId, metadata, traceId } = optionsOf(options);
    const head = this.#recorder.head(flowKey, runId, metadata, traceId);
    return new ToldRun(flowKey, runId, this.#recorder, head);
  }

  async recordStep(step: RecordedStep): Promise<void> {
    await this.#recorder.record(membersOf(step) as Record<keyof RecordedStep, unknown>);
  }

  async flush(timeout: Duration = FLUSH_MS): Promise<boolean> {
    return await this.#sink.flush(this.#millis(timeout));
  }

  async close(timeout: Duration = FLUSH_MS): Promise<boolean> {
    return await this.#sink.close(this.#millis(timeout));
  }

  get stats(): TelemetryStats {
    return this.#sink.stats;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #millis(timeout: Duration): number {
    try {
      return durationMillis(timeout);
    } catch {
      this.#reports.once(`a timeout is no duration; it is ${FLUSH_MS / 1_000} s instead`);
      return FLUSH_MS;
    }
  }
}

/** A client that observes nothing: functions run (`enabled: false`). */
class Silent implements TelemetryClient {
  readonly stats: TelemetryStats = { recorded: 0, sent: 0, dropped: 0, pending: 0 };

  run(flowKey: string, options: ObservedRunOptions): ObservedRun {
    return new SilentRun(flowKey, membersOf(options).runId as string);
  }

  async recordStep(): Promise<void> {}

  async flush(): Promise<boolean> {
    return true;
  }

  async close(): Promise<boolean> {
    return true;
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

/** Reads the options of a run. */
function optionsOf(given: ObservedRunOptions | undefined): ObservedRunOptions {
  try {
    return {
      runId: given?.runId,
      metadata: given?.metadata,
      traceId: given?.traceId,
    } as ObservedRunOptions;
  } catch {
    return NAMELESS;
  }
}

/** What is no text names no run: its steps tell so. */
const NAMELESS = {} as ObservedRunOptions;
