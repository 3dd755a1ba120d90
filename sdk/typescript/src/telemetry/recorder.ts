/** Writes what happens as events of the wire (§10.4). */

import { randomBytes } from "node:crypto";
import { member, messageOf, nameOf, textOf } from "../errors/thrown.js";
import { cut } from "../text.js";
import type { RecordedStep, TelemetryOptions } from "../types/telemetry.js";
import { instant, instantText } from "./instant.js";
import { jsonText, Writer } from "./metadata.js";
import type { Reports } from "./reports.js";
import type { Sink } from "./sink.js";
import { activeTrace } from "./trace.js";

/** What is kept of an error: as much as the server keeps. */
const NAME_BYTES_MAX = 200;
const MESSAGE_BYTES_MAX = 8 * 1_024;
const STACK_BYTES_MAX = 32 * 1_024;

/** What can name a flow, a run or a step: 1 to 200 characters, none of them for control, none half. */
const WORD = /^[^\p{Cc}\p{Cs}]{1,200}$/u;

const TRACE = /^[0-9a-f]{32}$/i;

/** What a run's events have in common. */
export interface Head {
  /** Its members as JSON; nothing where what names it is not accepted. */
  readonly text: string | undefined;
  /** Why there is none. */
  readonly problem: string;
  readonly trace: string;
  /** Its metadata as JSON, until an event has taken it along. */
  metadata: string | undefined;
}

/** A call of a step that has begun. */
export interface Call {
  readonly head: Head;
  readonly step: string;
  readonly id: string;
  readonly at: number;
}

/** What comes of an event: a promise where it is awaited. */
export type Told = Promise<void> | undefined;

/** Events of one client. Nothing here throws, but for what awaited promises are rejected with. */
export class Recorder {
  readonly #sink: Sink;
  readonly #reports: Reports;
  readonly #writer: Writer;
  readonly #options: Pick<TelemetryOptions, "captureStack" | "defaultMetadata">;
  /** 96 random bits: ids of different processes do not meet. */
  readonly #prefix = `${randomBytes(12).toString("base64url")}.`;
  #count = 0;

  constructor(sink: Sink, reports: Reports, options: TelemetryOptions) {
    this.#sink = sink;
    this.#reports = reports;
    this.#writer = new Writer(options.redact, reports);
    this.#options = options;
  }

  /** Names a run. Nothing is sent. */
  head(flow: unknown, run: unknown, metadata: unknown, trace: unknown): Head {
    const [slug, id] = [wordOf(flow), wordOf(run)];
    const isNamed = slug !== undefined && id !== undefined;
    return {
      text: isNamed ? `"flow":${jsonText(slug)},"run":${jsonText(id)}` : undefined,
      problem: `${slug === undefined ? "the flow's key" : "`runId`"} ${ACCEPTED}`,
      trace: this.#trace(trace),
      metadata: this.#writer.object(this.#options.defaultMetadata, metadata),
    };
  }

  /** Tells that a call begins. Where that cannot be told there is no call, and its end is not told either. */
  begin(
    head: Head,
    key: unknown,
    metadata: unknown,
  ): { readonly call: Call | undefined; readonly told: Told } {
    let call: Call | undefined;
    const told = this.#tell(() => {
      const begun = { head, step: stepOf(key), id: this.#id(), at: instant() };
      const rest = this.#metadata(metadata);
      const sent = this.#take(head, begun.id, begun.step, "running", begun.at, begun.id, rest);
      call = begun;
      return sent;
    });
    return { call, told };
  }

  /** Tells that a call returned. */
  succeed(call: Call): Told {
    return this.#end(call, "success", instant(), () => "");
  }

  /** Tells that a call threw. */
  fail(call: Call, thrown: unknown): Told {
    return this.#end(call, "error", instant(), () => `,"error":${this.#error(thrown)}`);
  }

  /** Tells that a step does not apply. */
  skip(head: Head, key: unknown): Told {
    return this.#tell(() => this.#take(head, this.#id(), stepOf(key), "skipped", instant()));
  }

  /** Tells of a step by hand. */
  record(given: Readonly<Record<keyof RecordedStep, unknown>>): Told {
    return this.#tell(() => {
      const { flowKey, runId, stepKey, status, metadata, error, at } = given;
      const head = this.head(flowKey, runId, undefined, undefined);
      if (head.text === undefined) throw new Untold(head.problem);
      const step = stepOf(stepKey);
      const isError = status === "error";
      if (!isError && status !== "running" && status !== "success") throw new Untold(STATUSES);
      const rest =
        isError && error !== undefined && error !== null ? `,"error":${this.#error(error)}` : "";
      const moment = at === undefined || at === null ? instant() : instantOf(at);
      const more = this.#metadata(metadata) + rest;
      return this.#take(head, this.#id(), step, status, moment, undefined, more);
    });
  }

  /** Lets nothing out but what awaited sending fails with. */
  #tell(make: () => Told): Told {
    try {
      return make();
    } catch (error) {
      return this.#sink.refuse(error instanceof Untold ? error.message : UNWRITTEN);
    }
  }

  #end(call: Call, status: string, now: number, rest: () => string): Told {
    return this.#tell(() => {
      // The clock may have been set back meanwhile.
      const at = Math.max(now, call.at);
      return this.#take(call.head, this.#id(), call.step, status, at, call.id, rest());
    });
  }

  #take(
    head: Head,
    id: string,
    step: string,
    status: string,
    at: number,
    call?: string,
    rest = "",
  ): Told {
    if (head.text === undefined) throw new Untold(head.problem);
    const run = head.metadata === undefined ? "" : `,"runMetadata":${head.metadata}`;
    head.metadata = undefined;
    const parts = ['{"id":"', id, '",', head.text, head.trace, ',"step":', step];
    if (call !== undefined) parts.push(',"call":"', call, '"');
    parts.push(',"status":"', status, '","at":', instantText(at), rest, run, "}");
    // One text, and not a tree of its parts, which would be held as long as it waits.
    return this.#sink.take(parts.join(""));
  }

  #metadata(metadata: unknown): string {
    const text = this.#writer.object(metadata);
    return text === undefined ? "" : `,"metadata":${text}`;
  }

  #id(): string {
    this.#count += 1;
    return this.#prefix + this.#count.toString(36);
  }

  #trace(given: unknown): string {
    const id = given === undefined ? activeTrace() : given;
    if (typeof id === "string" && TRACE.test(id)) return `,"trace":"${id.toLowerCase()}"`;
    if (given !== undefined) this.#reports.once("`traceId` is not 32 hexadecimal digits");
    return "";
  }

  #error(thrown: unknown): string {
    const isObject =
      (typeof thrown === "object" && thrown !== null) || typeof thrown === "function";
    const name = isObject ? nameOf(thrown) : "Error";
    const message = isObject ? messageOf(thrown) : textOf(thrown);
    // An object without a message is shown as metadata is: by its members, of which some may be secret.
    const told = message ?? this.#writer.value(thrown);
    const parts = [
      `"name":${jsonText(this.#text(name, "error.name", NAME_BYTES_MAX))}`,
      `"message":${jsonText(this.#text(told, "error.message", MESSAGE_BYTES_MAX))}`,
    ];
    const stack = isObject && this.#options.captureStack === true ? member(thrown, "stack") : "";
    if (typeof stack === "string" && stack !== "") {
      parts.push(`"stack":${jsonText(this.#text(stack, "error.stack", STACK_BYTES_MAX))}`);
    }
    return `{${parts.join(",")}}`;
  }

  /** Cuts a text behind what is kept of it once secrets are out: half of one would not look like one. */
  #text(text: string, path: string, bytesMax: number): string {
    return cut(this.#writer.text(cut(text, bytesMax * 2), path), bytesMax);
  }
}

/** Thrown and caught here: an event cannot be told. */
class Untold extends Error {}

const ACCEPTED = "is not a text of 1 to 200 characters without control characters";
const STATUSES = "`status` is not one of running, success, error";
const INSTANTS = "`at` is no instant: a Date, ISO 8601 text, or milliseconds since 1970";
const UNWRITTEN = "an event could not be written";

function stepOf(key: unknown): string {
  const step = wordOf(key);
  if (step === undefined) throw new Untold(`the step's key ${ACCEPTED}`);
  return jsonText(step);
}

/** Returns what names something. Ids of databases are numbers often enough. */
function wordOf(value: unknown): string | undefined {
  const text = typeof value === "number" || typeof value === "bigint" ? `${value}` : value;
  return typeof text === "string" && WORD.test(text) ? text : undefined;
}

function instantOf(at: unknown): number {
  const isKnown = typeof at === "number" || typeof at === "string" || at instanceof Date;
  const ms = isKnown ? new Date(at).getTime() : Number.NaN;
  if (Number.isNaN(ms)) throw new Untold(INSTANTS);
  // A Date has no fraction.
  return typeof at === "number" ? at : ms;
}
