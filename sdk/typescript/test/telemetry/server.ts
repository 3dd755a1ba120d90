/** A server that takes telemetry as a test says, and holds each body against the wire's contract. */

import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";

/** An event as it came. */
export interface Event {
  readonly id: string;
  readonly flow: string;
  readonly run: string;
  readonly step: string;
  readonly call?: string;
  readonly status: string;
  readonly at: number;
  readonly metadata?: Record<string, unknown>;
  readonly runMetadata?: Record<string, unknown>;
  readonly error?: { readonly name: string; readonly message: string; readonly stack?: string };
  readonly trace?: string;
}

/** A request as it came. */
export interface Got {
  readonly headers: IncomingMessage["headers"];
  readonly path: string;
  readonly process: string;
  readonly events: readonly Event[];
  readonly bytes: number;
}

/** What is answered: a status with headers and body, nothing at all, or a connection that breaks. */
export type Reply =
  | { readonly status: number; readonly headers?: Record<string, string>; readonly body?: unknown }
  | "hang"
  | "break";

const MEMBERS: Readonly<Record<string, (value: unknown) => boolean>> = {
  id: (value) => typeof value === "string" && /^[A-Za-z0-9_.:-]{1,64}$/.test(value),
  flow: isWord,
  run: isWord,
  step: isWord,
  call: (value) => typeof value === "string" && /^[A-Za-z0-9_.:-]{1,64}$/.test(value),
  status: (value) => ["running", "success", "error", "skipped"].includes(value as string),
  at: (value) => typeof value === "number" && value > 0,
  metadata: isObject,
  runMetadata: isObject,
  error: isObject,
  trace: (value) => typeof value === "string" && /^[0-9a-f]{32}$/.test(value),
};

function isWord(value: unknown): boolean {
  return typeof value === "string" && /^[^\p{Cc}\p{Cs}]{1,200}$/u.test(value);
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A server on a free port of this machine. */
export class FakeServer {
  readonly requests: Got[] = [];
  /** What is answered next; once there is nothing, everything is taken. */
  readonly replies: Reply[] = [];
  /** What is answered where `replies` is empty. */
  otherwise: Reply | undefined;
  readonly #http: Server = createServer((request, response) => void this.#take(request, response));
  #wake: () => void = () => undefined;

  static async start(): Promise<FakeServer> {
    const server = new FakeServer();
    await once(server.#http.listen(0, "127.0.0.1"), "listening");
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#http.address() as AddressInfo).port}`;
  }

  /** All events of requests that were answered with 200, in the order in which they came. */
  readonly events: Event[] = [];

  /** Resolves once a condition holds, which is looked at after each request. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async stop(): Promise<void> {
    this.#http.closeAllConnections();
    this.#http.close();
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      return;
    }
    const raw = Buffer.concat(chunks);
    const body = request.headers["content-encoding"] === "gzip" ? gunzipSync(raw) : raw;
    const { process, events, ...rest } = JSON.parse(body.toString()) as Got;
    const problem = problemOf(events, rest);
    const { headers, url = "" } = request;
    this.requests.push({ headers, path: url, process, events, bytes: raw.length });
    const reply = problem ?? this.replies.shift() ?? this.otherwise ?? taken(events);
    if (reply === "break") request.socket.destroy();
    else if (reply !== "hang") {
      if (reply.status === 200) this.events.push(...events);
      response.writeHead(reply.status, { "content-type": "application/json", ...reply.headers });
      response.end(typeof reply.body === "string" ? reply.body : JSON.stringify(reply.body ?? {}));
    }
    this.#wake();
  }
}

/** The answer to a batch that is taken. */
export function taken(events: readonly unknown[], refused = 0): Reply {
  const body = { accepted: events.length - refused, refused: [], refusedTotal: refused };
  return { status: 200, body };
}

/** What a real server would refuse is refused here with a status that no test expects. */
function problemOf(events: readonly Event[], rest: object): Reply | undefined {
  const wrong = events.flatMap((event) =>
    Object.entries(event).filter(([name, value]) => MEMBERS[name]?.(value) !== true),
  );
  const isShort = events.some((event) => event.id === undefined || event.at === undefined);
  if (wrong.length === 0 && !isShort && events.length > 0 && Object.keys(rest).length === 0) {
    return undefined;
  }
  return { status: 418, body: { detail: `not of the contract: ${JSON.stringify(wrong)}` } };
}
