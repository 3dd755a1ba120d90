/** Requests to the server and their answers; tries again what may be tried again. */

import { after, cancel, now } from "../clock.js";
import { ConnectionError, RefusedError } from "../errors/client.js";
import { keyHeaders } from "../key.js";
import { anyPlace } from "../server-url.js";

/** The pause before a request is tried again, at first and at most. */
const PAUSE_MS = 100;
const PAUSE_MS_MAX = 2_000;

/** Reasons that a request meets whose body the server does not read on, and from which size on it may be why. */
const BROKEN = ["EPIPE", "ECONNRESET", "other side closed"];
const LARGE_BYTES = 512 * 1024;

/** The code of what may have been done, or not. */
const IN_DOUBT = "SW1015";

/** What the reason of a failed request holds where the server cannot have seen it. */
const NOT_SENT = [
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "UND_ERR_CONNECT_TIMEOUT",
  // Deno's errors have no code.
  "client error (Connect)",
];

/** Reasons that a server is not trusted by its certificate. */
const UNTRUSTED = [
  "SELF_SIGNED_CERT",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
];

/** What is asked of the server. */
export interface Request {
  readonly method: "GET" | "POST";
  /** Below the server's address, with the query. */
  readonly path: string;
  /** The body, as JSON. */
  readonly body?: string;
  /** Asking twice does what asking once does: it is asked again when the connection breaks. */
  readonly repeatable: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** An answer of success. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** What an {@link Http} needs of the world. */
export interface HttpOptions {
  /** One for each node; there is one at least. */
  readonly urls: readonly URL[];
  /** The key that is shown. */
  readonly key: string | undefined;
  /** How long requests are tried again, in milliseconds. */
  readonly retryForMs: number;
  readonly fetch: typeof fetch;
}

/** The server, as requests reach it. */
export class Http {
  readonly #options: HttpOptions;
  /** Which node is asked. */
  #at: number;

  constructor(options: HttpOptions) {
    this.#options = options;
    this.#at = anyPlace(options.urls);
  }

  /**
   * Sends a request, and again while that may help: to the next node at once, to the same one after a pause.
   *
   * @throws `RefusedError` with the server's code, `ConnectionError` where there is no answer that is
   * understood, and the reason of `signal` once it aborts.
   */
  async send(request: Request): Promise<Answer> {
    const { urls, retryForMs } = this.#options;
    const until = now() + retryForMs;
    for (let pause = PAUSE_MS; ; pause = Math.min(pause * 2, PAUSE_MS_MAX)) {
      let last: Failed | undefined;
      for (const _ of urls) {
        const at = this.#at;
        const tried = await this.#try(request, urls[at]);
        if ("body" in tried) return tried;
        if (!tried.again) throw tried.error;
        last = tried;
        // Whoever meets it first passes a node over.
        if (this.#at === at) this.#at = (at + 1) % urls.length;
      }
      const wait = last?.afterMs ?? pause / 2 + (pause / 2) * Math.random();
      if (now() + wait > until) throw last?.error;
      await sleep(wait, request.signal);
    }
  }

  async #try(request: Request, server: URL | undefined): Promise<Answer | Failed> {
    const { method, path, body, signal } = request;
    const url = new URL(path, server);
    const shown = `${method} ${url}`;
    let response: Response;
    let text: string;
    try {
      response = await this.#options.fetch(url, {
        method,
        redirect: "error",
        // A key is for the server that it was given for: redirects are errors.
        headers: {
          ...keyHeaders(this.#options.key),
          ...(body !== undefined && { "content-type": "application/json" }),
        },
        ...(body !== undefined && { body }),
        ...(signal !== undefined && { signal }),
      });
      text = await response.text();
    } catch (error) {
      signal?.throwIfAborted();
      const why = reasons(error);
      const notSent = NOT_SENT.some((code) => why.includes(code));
      return {
        error: new ConnectionError(`${shown}: ${why}; ${advice(why, body)}`, { cause: error }),
        again: request.repeatable || notSent,
      };
    }
    const parsed = parse(text);
    if (response.ok && parsed !== undefined) return { status: response.status, body: parsed.value };
    const asked = { shown, repeatable: request.repeatable };
    return refused(asked, response, parsed?.value, text);
  }
}

/** Says what may be wrong. A body that is too large is not read to its end: the connection breaks. */
function advice(why: string, body: string | undefined): string {
  if (UNTRUSTED.some((code) => why.includes(code))) {
    const what = "the server's certificate is of an authority that is not trusted here";
    return `${what}; NODE_EXTRA_CA_CERTS names a private one`;
  }
  const bytes = body === undefined ? 0 : Buffer.byteLength(body);
  if (bytes < LARGE_BYTES || !BROKEN.some((code) => why.includes(code))) {
    return "is a server running there? `stepwell dev` starts one";
  }
  return `it was sent ${bytes} bytes, which may be more than the server takes`;
}

interface Failed {
  readonly error: Error;
  readonly again: boolean;
  readonly afterMs?: number;
}

function refused(
  { shown, repeatable }: { readonly shown: string; readonly repeatable: boolean },
  response: Response,
  body: unknown,
  text: string,
): Failed {
  const problem = body as
    | { code?: unknown; title?: unknown; detail?: unknown; errors?: unknown }
    | null
    | undefined;
  if (typeof problem?.code !== "string") {
    const begin = text.slice(0, 200);
    const error = new ConnectionError(
      `${shown}: the answer is not understood: ${response.status} ${begin}`,
    );
    return { error, again: false };
  }
  const { code, title, detail, errors } = problem;
  const why = typeof detail === "string" && detail !== "" ? detail : String(title);
  const error = new RefusedError(`${why} (${code})`, {
    code,
    status: response.status,
    issues: Array.isArray(errors) ? errors : undefined,
  });
  // SW1008, SW1012: nothing was done, and the server says when to come again. SW1015: maybe it was done.
  const again = code === IN_DOUBT ? repeatable : response.status === 503 || response.status === 429;
  const after = Number(response.headers.get("retry-after") ?? Number.NaN);
  return { error, again, ...(after >= 0 && { afterMs: after * 1_000 }) };
}

function parse(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return undefined;
  }
}

/** Says an error with what stands behind it: that of `fetch` alone says "fetch failed". */
function reasons(error: unknown): string {
  const parts: string[] = [];
  for (let next: unknown = error; next instanceof Error && parts.length < 4; next = next.cause) {
    const { message, code } = next as Error & { code?: unknown };
    parts.push(
      typeof code === "string" && !message.includes(code) ? `${message} (${code})` : message,
    );
  }
  return parts.filter((part) => part !== "").join(": ") || String(error);
}

async function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const abort = (): void => {
      cancel(timer);
      reject(signal?.reason);
    };
    const timer = after(ms, () => {
      signal?.removeEventListener("abort", abort);
      resolve();
    });
    signal?.addEventListener("abort", abort, { once: true });
  });
}
