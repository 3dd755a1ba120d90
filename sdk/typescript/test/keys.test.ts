import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { inspect } from "node:util";
import {
  type App,
  app,
  ConnectionError,
  client,
  type LogLine,
  RefusedError,
  workflow,
} from "stepwell";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";
import { WELCOME } from "../src/test/node/node.js";
import { rejectionOf } from "./support.js";

const KEY = "sw_testkey_secretsecret";
const RUN = "run_01930000000070008000000000000001";

/** What the server says to a request: an answer that refuses it, or a runner's connection. */
type Answer = { readonly status: number; readonly body: unknown } | ((socket: WebSocket) => void);

/** A server that answers as a test says, and keeps the requests that it got. */
class Stub {
  readonly requests: IncomingMessage[] = [];
  readonly answers: Answer[] = [];
  readonly #http: Server = createServer();
  readonly #sockets = new WebSocketServer({ noServer: true, handleProtocols: () => "stepwell.v1" });

  async listen(): Promise<void> {
    this.#http.on("request", (request, response) => {
      const answer = this.#next(request);
      if (typeof answer === "function") throw new Error("this is no WebSocket");
      response.writeHead(answer.status).end(JSON.stringify(answer.body));
    });
    this.#http.on("upgrade", (request, socket, head) => {
      const answer = this.#next(request);
      if (typeof answer === "function") {
        this.#sockets.handleUpgrade(request, socket, head, (opened) => {
          opened.once("message", () => answer(opened));
        });
        return;
      }
      const body = typeof answer.body === "string" ? answer.body : JSON.stringify(answer.body);
      const start = `HTTP/1.1 ${answer.status} No\r\nretry-after: 0\r\ncontent-length: ${body.length}`;
      socket.end(`${start}\r\nconnection: close\r\n\r\n${body}`);
    });
    await once(this.#http.listen(0, "127.0.0.1"), "listening");
  }

  #next(request: IncomingMessage): Answer {
    this.requests.push(request);
    const answer = this.answers.shift();
    if (answer === undefined) throw new Error(`one request too many: ${request.url}`);
    return answer;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#http.address() as AddressInfo).port}`;
  }

  close(): void {
    for (const socket of this.#sockets.clients) socket.terminate();
    this.#http.close();
  }
}

function deferred<T>(): { readonly promise: Promise<T>; readonly resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((resolved) => {
    resolve = resolved;
  });
  return { promise, resolve };
}

const refusal = (code: string, detail: string): object => ({ title: "t", code, detail });

let stub: Stub;

beforeEach(async () => {
  stub = new Stub();
  await stub.listen();
});

afterEach(() => {
  stub.close();
  vi.unstubAllEnvs();
});

function shop(): App {
  return app("shop", { workflows: [workflow({ name: "w" }, () => 1)] });
}

describe("a key", () => {
  it("is shown with each request, and with the connection of a runner", async () => {
    const no = { status: 401, body: refusal("SW1010", "the key is not known") };
    stub.answers.push(no, no, no);
    const stepwell = client({ url: stub.url, key: KEY });
    const asked = await rejectionOf(stepwell.run(RUN).status());
    const served = await rejectionOf(shop().serve({ url: stub.url, key: `${KEY}\n`, log: false }));
    vi.stubEnv("STEPWELL_KEY", "sw_other");
    await rejectionOf(client({ url: stub.url }).workflows());
    const shown = stub.requests.map((one) => [one.url, one.headers.authorization]);
    expect(shown).toEqual([
      [`/api/v1/runs/${RUN}/result`, `Bearer ${KEY}`],
      ["/api/v1/worker", `Bearer ${KEY}`],
      ["/api/v1/workflows", "Bearer sw_other"],
    ]);
    for (const error of [asked, served]) {
      expect(RefusedError.is(error) && [error.code, error.status]).toEqual(["SW1010", 401]);
      expect(String(error)).toContain("the key is not known");
      expect((error as RefusedError).docs).toBe("docs/errors/SW1010.md");
    }
  });

  it("is not shown by what has it", async () => {
    stub.answers.push((socket) => socket.send(JSON.stringify([{ welcome: WELCOME }])));
    const lines: LogLine[] = [];
    const options = { url: stub.url, key: KEY, log: (line: LogLine) => void lines.push(line) };
    const served = shop();
    const runner = await served.serve(options);
    const stepwell = client({ url: stub.url, key: KEY });
    const all = [served, runner, stepwell, stepwell.run(RUN), lines];
    expect(inspect(all, { depth: 9, showHidden: true })).not.toMatch(/testkey|secret/);
    await runner.stop();
  });

  it.each([
    [401, refusal("SW1010", "it has expired"), "SW1010"],
    [403, refusal("SW1011", "a client's key is no worker's"), "SW1011"],
    [403, refusal("SW1006", "the host is not this server"), "SW1006"],
  ])("that is refused with %d ends the runner with the code", async (status, body, code) => {
    stub.answers.push({ status, body });
    const error = await rejectionOf(shop().serve({ url: stub.url, log: false }));
    expect(RefusedError.is(error) && [error.code, error.status]).toEqual([code, status]);
    expect(stub.requests.length).toBe(1);
  });

  it("that something else refuses ends the runner too", async () => {
    stub.answers.push({ status: 401, body: "who?" });
    const error = await rejectionOf(shop().serve({ url: stub.url, log: false }));
    expect(ConnectionError.is(error) && error.message).toBe("the server answered 401: who?");
  });

  it("is shown again to a server that has too much to do", async () => {
    const busy = { status: 429, body: refusal("SW1012", "slowly") };
    const away = { status: 503, body: refusal("SW1008", "it starts") };
    stub.answers.push(busy, away, { status: 401, body: refusal("SW1010", "no") });
    const error = await rejectionOf(shop().serve({ url: stub.url, log: false }));
    expect(RefusedError.is(error) && error.code).toBe("SW1010");
    stub.answers.push(busy, { status: 200, body: { id: RUN, status: "queued" } });
    expect(await client({ url: stub.url, retryFor: "5s" }).run(RUN).status()).toBe("queued");
  });
});

describe("a key that is refused later", () => {
  const held = { a: 1, run: RUN, epoch: 1, nonce: 7 };
  const activate = { ...held, namespace: "default", workflow: "w", createdAtUs: 0 };

  /** A runner with a function in progress, and the connection of the server. */
  async function busy(): Promise<{
    readonly socket: WebSocket;
    readonly closed: Promise<unknown>;
    readonly release: () => void;
    readonly seen: string[];
  }> {
    const seen: string[] = [];
    const released = deferred<void>();
    const begun = deferred<void>();
    const handler = workflow({ name: "w" }, async ({ step }) => {
      await step.run("wait", async () => {
        begun.resolve(undefined);
        await released.promise;
        seen.push("the function ended");
      });
      await step.run("other", () => void seen.push("another began"));
    });
    const opened = deferred<WebSocket>();
    stub.answers.push((socket) => {
      socket.send(JSON.stringify([{ welcome: WELCOME }, { activate }]));
      opened.resolve(socket);
    });
    const served = app("shop", { workflows: [handler] });
    const runner = await served.serve({ url: stub.url, key: KEY, log: false });
    const closed = rejectionOf(runner.closed).finally(() => void seen.push("the runner ended"));
    await begun.promise;
    return {
      socket: await opened.promise,
      closed,
      release: () => released.resolve(undefined),
      seen,
    };
  }

  it("lets functions end, begins no other, and then ends the runner", async () => {
    const { socket, closed, release, seen } = await busy();
    socket.close(1008, "SW1010: the key `ci` was revoked");
    await once(socket, "close");
    release();
    const error = await closed;
    expect(RefusedError.is(error) && [error.code, error.message]).toEqual([
      "SW1010",
      "the key `ci` was revoked",
    ]);
    expect(seen).toEqual(["the function ended", "the runner ended"]);
  });

  it("does so where the connection broke, and the next one is refused", async () => {
    const { socket, closed, release, seen } = await busy();
    stub.answers.push({ status: 401, body: refusal("SW1010", "it has expired") });
    socket.terminate();
    await vi.waitFor(() => expect(stub.answers).toEqual([]));
    release();
    const error = await closed;
    expect(RefusedError.is(error) && error.message).toBe("it has expired");
    expect(seen).toEqual(["the function ended", "the runner ended"]);
  });
});
