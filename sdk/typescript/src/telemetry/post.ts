/** One request with events, and what came of it. */

import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { promisify } from "node:util";
import { gzip as gzipCallback } from "node:zlib";
import { after, cancel, hop } from "../clock.js";
import { keyHeaders } from "../key.js";
import { anyPlace } from "../server-url.js";
import type { Event } from "./event.js";
import { processName } from "./process-name.js";

const gzip = promisify(gzipCallback);

const PATH = "/api/v1/telemetry";

/** How long a request may take, in milliseconds: a server that hangs is one that is down. */
const REQUEST_MS = 10_000;

/** Requests of one client at once, where each event is awaited; in the background it is one. */
const SOCKETS_MAX = 8;

/** From how many bytes on a body is packed; not for this machine, where it would cost more than it saves. */
const PACKED_BYTES_MIN = 2_048;

/** So many events are written before other code has its turn. */
const TURN_EVENTS = 50;

/** As much of an answer is read. */
const ANSWER_CHARACTERS_MAX = 64 * 1_024;

/** A request's body, ready to be sent more than once. */
export interface Body {
  /** How many events it holds. */
  readonly events: number;
  readonly bytes: Buffer;
  readonly isPacked: boolean;
}

/** What came of a request. */
export type Answer =
  | { readonly kind: "taken"; readonly refused: number; readonly why: string | undefined }
  | {
      readonly kind: "failed";
      readonly why: string;
      /** Another try may help. */
      readonly again: boolean;
      readonly status?: number;
      /** When the server says to come again, in milliseconds from now. */
      readonly afterMs?: number;
    };

/** Whether a request keeps the process alive until it is answered. */
export type Hold = "holds" | "lets go";

/** The server, as telemetry reaches it. */
export class Post {
  readonly #nodes: readonly { readonly url: URL; readonly agent: HttpAgent }[];
  /** Which node is told. */
  #at: number;
  readonly #key: string | undefined;
  readonly #isLocal: boolean;
  readonly #process: string = JSON.stringify(processName());

  /** @param urls - one for each node of the server; there is one at least */
  constructor(urls: readonly URL[], key: string | undefined) {
    const options = { keepAlive: true, maxSockets: SOCKETS_MAX, maxFreeSockets: 1 };
    this.#nodes = urls.map((given) => {
      const url = new URL(given);
      url.pathname = `${given.pathname.replace(/\/+$/, "")}${PATH}`;
      const isEncrypted = url.protocol === "https:";
      return { url, agent: isEncrypted ? new HttpsAgent(options) : new HttpAgent(options) };
    });
    this.#at = anyPlace(urls);
    this.#key = key;
    this.#isLocal = urls.every(isLocal);
  }

  /** Writes the body of a request. Packing is done beside this thread. Never rejects. */
  async body(events: readonly Pick<Event, "text">[]): Promise<Body> {
    const texts: string[] = [];
    for (const event of events) {
      texts.push(event.text());
      if (texts.length % TURN_EVENTS === 0) await new Promise<void>((resolve) => hop(resolve));
    }
    const bytes = Buffer.from(`{"process":${this.#process},"events":[${texts.join(",")}]}`);
    const count = events.length;
    const plain = { events: count, bytes, isPacked: false };
    if (this.#isLocal || bytes.length < PACKED_BYTES_MIN) return plain;
    try {
      return { events: count, bytes: await gzip(bytes, { level: 1 }), isPacked: true };
    } catch {
      return plain;
    }
  }

  /** Sends a body to a node; what it does not take may be sent again, and goes to the next one. Never rejects. */
  async send(body: Body, hold: Hold): Promise<Answer> {
    const at = this.#at;
    const answer = await this.#sendTo(at, body, hold);
    const isPassed = answer.kind === "failed" && answer.again && this.#at === at;
    if (isPassed) this.#at = (at + 1) % this.#nodes.length;
    return answer;
  }

  #sendTo(at: number, body: Body, hold: Hold): Promise<Answer> {
    return new Promise((resolve) => {
      const fail = (error: unknown): void => resolve(broken(error));
      try {
        const node = this.#nodes[at];
        if (node === undefined) throw new Error("there is no address of a server");
        const isEncrypted = node.url.protocol === "https:";
        const request = (isEncrypted ? httpsRequest : httpRequest)(node.url, {
          method: "POST",
          agent: node.agent,
          headers: {
            ...keyHeaders(this.#key),
            "content-type": "application/json",
            "content-length": body.bytes.length,
            ...(body.isPacked && { "content-encoding": "gzip" }),
          },
        });
        const late = (): void => {
          request.destroy(new Error(`no answer within ${REQUEST_MS / 1_000} s`));
        };
        const timer = after(REQUEST_MS, late, hold === "lets go");
        request.on("close", () => cancel(timer));
        // A socket holds no process; the timer does, where that is wanted.
        request.on("socket", (socket) => socket.unref?.());
        request.on("error", fail);
        request.on("response", (response) => read(response, resolve, fail));
        request.end(body.bytes);
      } catch (error) {
        fail(error);
      }
    });
  }

  /** Closes the sockets. */
  end(): void {
    for (const { agent } of this.#nodes) agent.destroy();
  }
}

/** Tells whether a server is on this machine. */
export function isLocal({ hostname }: URL): boolean {
  return /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/i.test(hostname);
}

function read(
  response: IncomingMessage,
  resolve: (answer: Answer) => void,
  fail: (error: unknown) => void,
): void {
  let text = "";
  response.setEncoding("utf8");
  response.on("data", (chunk: string) => {
    if (text.length < ANSWER_CHARACTERS_MAX) text += chunk;
  });
  response.on("end", () => resolve(answerOf(response, text)));
  response.on("error", fail);
  response.on("close", () => fail(new Error("the answer broke off")));
}

function answerOf(response: IncomingMessage, text: string): Answer {
  const status = response.statusCode ?? 0;
  const said = parse(text);
  if (status === 200 && typeof said?.accepted === "number") {
    const { refusedTotal, refused } = said;
    const first: unknown = Array.isArray(refused) ? refused[0] : undefined;
    const why = (first as { detail?: unknown } | undefined)?.detail;
    return {
      kind: "taken",
      refused: typeof refusedTotal === "number" ? refusedTotal : 0,
      why: typeof why === "string" ? why : undefined,
    };
  }
  const detail = typeof said?.detail === "string" ? said.detail : text.slice(0, 200);
  const code = typeof said?.code === "string" ? ` (${said.code})` : "";
  const again = status === 408 || status === 429 || status >= 500;
  const afterMs = pauseOf(response.headers["retry-after"]);
  return {
    kind: "failed",
    why: `the server answered ${status}: ${detail}${code}`,
    again,
    status,
    ...(afterMs !== undefined && { afterMs }),
  };
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    // Whatever members it has, they are looked at before they are used.
    return typeof value === "object"
      ? ((value ?? undefined) as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

/** Reads `Retry-After` (RFC 9110 §10.2.3): seconds, or a date. */
function pauseOf(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  const ms = /^\d+$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - Date.now();
  return ms >= 0 ? ms : undefined;
}

function broken(error: unknown): Answer {
  const { message, code } = error as Error & { code?: unknown };
  const parts = [message, typeof code === "string" && !message.includes(code) ? code : ""];
  const why = parts.filter((part) => part !== "").join(": ");
  return { kind: "failed", why: `the server was not reached: ${why}`, again: true };
}
