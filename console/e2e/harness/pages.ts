/**
 * Serves the built console where the server does not do that itself: with the same policy, and with everything
 * below /api and /healthz handed on to the server. It can also hand on all there is, to count open streams.
 */

import { once } from "node:events";
import { statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import {
  createServer,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from "node:http";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

/** The policy of the console's pages. */
export const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; worker-src 'self'";

const DIST = fileURLToPath(new URL("../../dist/", import.meta.url));

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".json": "application/json",
};

/** Pages that stand in front of a server. */
export class Pages {
  readonly #http: Server;
  readonly #streams = new Set<ServerResponse>();

  private constructor(server: string, ownPages: boolean) {
    this.#http = createServer((asked, answer) => {
      const path = new URL(asked.url ?? "/", server).pathname;
      if (path === "/api/v1/stream") this.#count(answer);
      if (ownPages || /^\/(api|healthz)(\/|$)/.test(path)) handOn(server, asked, answer);
      else void page(path, answer);
    });
  }

  /** Starts to serve on a free port; with `ownPages` the server's own pages. */
  static async start(server: string, ownPages = false): Promise<Pages> {
    const pages = new Pages(server, ownPages);
    pages.#http.listen(0, "127.0.0.1");
    await once(pages.#http, "listening");
    return pages;
  }

  /** How many streams of changes are open now. */
  get streams(): number {
    return this.#streams.size;
  }

  /** Its address. */
  get url(): string {
    const address = this.#http.address();
    if (address === null || typeof address === "string")
      throw new Error("the pages are not served");
    return `http://127.0.0.1:${address.port}`;
  }

  #count(answer: ServerResponse): void {
    this.#streams.add(answer);
    answer.on("close", () => this.#streams.delete(answer));
  }

  async end(): Promise<void> {
    this.#http.closeAllConnections();
    this.#http.close();
    await once(this.#http, "close");
  }
}

/** Asks the server in place of the page, as if it were the server's own; what it streams is streamed on. */
function handOn(server: string, asked: IncomingMessage, answer: ServerResponse): void {
  const { host } = new URL(server);
  const headers = { ...asked.headers, host, ...(asked.headers.origin && { origin: server }) };
  const on = request(
    new URL(asked.url ?? "/", server),
    { method: asked.method, headers },
    (got) => {
      answer.writeHead(got.statusCode ?? 502, got.headers);
      answer.flushHeaders();
      got.pipe(answer);
      got.on("error", () => answer.destroy());
    },
  );
  // A server that is away is one whose connection breaks, as it would for its own pages.
  on.on("error", () => answer.destroy());
  answer.on("close", () => on.destroy());
  asked.pipe(on);
}

/** Addresses at which the console has pages, with all below them, as the server has it. */
const PAGES: readonly string[] = ["", "runs", "events", "runners", "flows", "access", "reference"];

async function page(path: string, answer: ServerResponse): Promise<void> {
  const file = normalize(join(DIST, path));
  const isAsset = file.startsWith(DIST) && statSync(file, { throwIfNoEntry: false })?.isFile();
  if (isAsset !== true && !PAGES.includes(path.split("/")[1] ?? "")) {
    answer.writeHead(404).end();
    return;
  }
  try {
    const found = isAsset === true ? file : join(DIST, "index.html");
    const body = await readFile(found);
    answer.writeHead(200, {
      "content-type": TYPES[extname(found)] ?? "application/octet-stream",
      "content-security-policy": POLICY,
    });
    answer.end(body);
  } catch {
    answer.writeHead(404).end();
  }
}
