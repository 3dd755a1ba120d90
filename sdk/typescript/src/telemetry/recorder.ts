/** Writes what happens as events of the wire (§10.4). */

import { randomBytes } from "node:crypto";
import { member, messageOf, nameOf, textOf } from "../errors/thrown.js";
import { cut } from "../text.js";
import type { RecordedStep, TelemetryOptions } from "../types/telemetry.js";
import { type Call, Event, type Head } from "./event.js";
import { instant } from "./instant.js";
import { jsonText, type Taken, Writer } from "./metadata.js";
import type { Reports } from "./reports.js";
import type { Sink } from "./sink.js";
import { activeTrace } from "./trace.js";

/** What is kept of an error: as much as the server keeps. */
const NAME_BYTES_MAX = 200;
const MESSAGE_BYTES_MAX = 8 * 1_024;
const STACK_BYTES_MAX = 32 * 1_024;

/** The same of plain letters only, which stand in JSON as they are: nearly all. */
const PLAIN_WORD: RegExp = /^[ !#-[\]-~]{1,200}$/;

/** What can name a flow, a run or a step: 1 to 200 characters, none of them for control, none half. */
const WORD: RegExp = /^[^\p{Cc}\p{Cs}]{1,200}$/u;

const TRACE = /^[0-9a-f]{32}$/i;

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
    const [slug, id] = [wordText(flow), wordText(run)];
    const isNamed = slug !== undefined && id !== undefined;
    const shared = this.#options.defaultMetadata;
    return {
      prefix: this.#prefix,
      text: isNamed ? `"flow":${slug},"run":${id}${this.#trace(trace)}` : "",
      problem: isNamed ? "" : `${slug === undefined ? "the flow's key" : "`runId`"} ${ACCEPTED}`,
      metadata: this.#writer.take(shared, metadata),
    };
  }

  /** Tells that a call begins. Where that cannot be told there is no call, and its end is not told either. */
  begin(
    head: Head,
    key: unknown,
    metadata: unknown,
  ): { readonly call: Call | undefined; readonly told: Told } {
    try {
      const call = this.#call(head, stepText(key));
      const taken = metadata === undefined ? undefined : this.#writer.take(undefined, metadata);
      return { call, told: this.#begun(call, "running", true, taken) };
    } catch (error) {
      return { call: undefined, told: this.#refuse(error) };
    }
  }

  /** Tells that a call returned. */
  succeed(call: Call): Told {
    return this.#end(call, "success", instant(), undefined);
  }

  /** Tells that a call threw. */
  fail(call: Call, thrown: unknown): Told {
    return this.#end(call, "error", instant(), this.#errorOrNone(thrown));
  }

  /** Tells that a step does not apply. */
  skip(head: Head, key: unknown): Told {
    try {
      return this.#begun(this.#call(head, stepText(key)), "skipped", false, undefined);
    } catch (error) {
      return this.#refuse(error);
    }
  }

  /** Tells of a step by hand. */
  record(given: Readonly<Record<keyof RecordedStep, unknown>>): Told {
    try {
      const { flowKey, runId, stepKey, status, metadata, error, at } = given;
      const call = this.#call(this.head(flowKey, runId, undefined, undefined), stepText(stepKey));
      const isError = status === "error";
      if (!isError && status !== "running" && status !== "success") throw new Untold(STATUSES);
      const when = at === undefined || at === null ? call.at : instantOf(at);
      const hasError = isError && error !== undefined && error !== null;
      const said = {
        status,
        number: call.number,
        at: when,
        isOfCall: false,
        metadata: this.#writer.take(undefined, metadata),
        error: hasError ? this.#errorOrNone(error) : undefined,
      };
      return this.#sink.take(new Event(call, said));
    } catch (error) {
      return this.#refuse(error);
    }
  }

  #call(head: Head, step: string): Call {
    if (head.text === "") throw new Untold(head.problem);
    return { head, step, number: this.#next(), at: instant() };
  }

  #begun(call: Call, status: string, isOfCall: boolean, metadata: Taken | undefined): Told {
    const { number, at } = call;
    return this.#sink.take(
      new Event(call, { status, number, at, isOfCall, metadata, error: undefined }),
    );
  }

  #end(call: Call, status: string, now: number, error: string | undefined): Told {
    // The clock may have been set back meanwhile.
    const at = Math.max(now, call.at);
    const number = this.#next();
    return this.#sink.take(
      new Event(call, { status, number, at, isOfCall: true, metadata: undefined, error }),
    );
  }

  /** Counts an event that cannot be told. Nothing else comes of it, but where sending is awaited. */
  #refuse(error: unknown): Told {
    return this.#sink.refuse(error instanceof Untold ? error.message : UNWRITTEN);
  }

  #next(): number {
    this.#count += 1;
    return this.#count;
  }

  #trace(given: unknown): string {
    const id = given === undefined ? activeTrace() : given;
    if (typeof id === "string" && TRACE.test(id)) return `,"trace":"${id.toLowerCase()}"`;
    if (given !== undefined) this.#reports.once("`traceId` is not 32 hexadecimal digits");
    return "";
  }

  #errorOrNone(thrown: unknown): string | undefined {
    try {
      return this.#error(thrown);
    } catch {
      return undefined;
    }
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

function stepText(key: unknown): string {
  const text = wordText(key);
  if (text === undefined) throw new Untold(`the step's key ${ACCEPTED}`);
  return text;
}

/** Returns what names something, as JSON. Ids of databases are numbers often enough. */
function wordText(value: unknown): string | undefined {
  if (typeof value === "string" && PLAIN_WORD.test(value)) return `"${value}"`;
  const text = typeof value === "number" || typeof value === "bigint" ? `${value}` : value;
  return typeof text === "string" && WORD.test(text) ? jsonText(text) : undefined;
}

function instantOf(at: unknown): number {
  const isKnown = typeof at === "number" || typeof at === "string" || at instanceof Date;
  const ms = isKnown ? new Date(at).getTime() : Number.NaN;
  if (Number.isNaN(ms)) throw new Untold(INSTANTS);
  // A Date has no fraction.
  return typeof at === "number" ? at : ms;
}
