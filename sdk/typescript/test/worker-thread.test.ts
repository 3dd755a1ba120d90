import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { Worker } from "node:worker_threads";
import { expect, it } from "vitest";
import { WebSocketServer } from "ws";
import type { FromThread, ThreadData, ToThread } from "../src/worker/ports.js";

const THREAD = new URL("../dist/worker/thread.js", import.meta.url);

/** A server that tells of requests for connections, and takes none by itself. */
async function gate(): Promise<{
  readonly url: string;
  readonly next: () => Promise<{ readonly take: () => Promise<import("ws").WebSocket> }>;
  readonly close: () => void;
}> {
  const http = createServer();
  const sockets = new WebSocketServer({ noServer: true, handleProtocols: () => "stepwell.v1" });
  await once(http.listen(0, "127.0.0.1"), "listening");
  const { port } = http.address() as AddressInfo;
  const next = async (): Promise<{ take: () => Promise<import("ws").WebSocket> }> => {
    const [request, socket, head] = (await once(http, "upgrade")) as [
      IncomingMessage,
      Socket,
      Buffer,
    ];
    return {
      take: () => new Promise((resolve) => sockets.handleUpgrade(request, socket, head, resolve)),
    };
  };
  return { url: `ws://127.0.0.1:${port}/`, next, close: () => void http.close() };
}

/** §4.9: what was said for a connection that is lost does not end the thread, nor reach another one. */
it("the connection's thread outlives words for a connection that is lost", async () => {
  const server = await gate();
  const data: ThreadData = { urls: [server.url], pulse: new SharedArrayBuffer(4) };
  const first = server.next();
  const thread = new Worker(THREAD, { workerData: data });
  const said: FromThread[] = [];
  const hears = async (kind: string): Promise<FromThread> => {
    for (;;) {
      const found = said.findIndex((one) => typeof one === "object" && one.kind === kind);
      if (found >= 0) return said.splice(found, 1)[0] as FromThread;
      await once(thread, "message");
    }
  };
  thread.on("message", (message: FromThread) => said.push(message));
  const failed = once(thread, "error").then(([error]) => Promise.reject(error));
  const tell = (message: ToThread): void => thread.postMessage(message);
  const scenario = async (): Promise<void> => {
    const lost = await (await first).take();
    expect(await hears("opened")).toEqual({ kind: "opened", connection: 1 });
    const second = server.next();
    lost.terminate();
    await hears("closed");
    const pending = await second;
    // The thread connects: there is no connection to speak on.
    tell({ kind: "hello", connection: 1, frame: '["stale"]' });
    tell({ kind: "welcome", connection: 1, pingMs: 1, ttlMs: 10_000, now: performance.now() });
    tell('["stale too"]');
    // It says nothing to them that could be awaited.
    await new Promise((resolve) => setTimeout(resolve, 50));
    const socket = await pending.take();
    expect(await hears("opened")).toEqual({ kind: "opened", connection: 2 });
    const heard = once(socket, "message");
    tell({ kind: "welcome", connection: 1, pingMs: 1, ttlMs: 10_000, now: performance.now() });
    tell({ kind: "hello", connection: 2, frame: '["hello"]' });
    expect(String((await heard)[0])).toBe('["hello"]');
    tell({ kind: "stop" });
    await hears("stopped");
  };
  try {
    await Promise.race([scenario(), failed]);
  } finally {
    await thread.terminate();
    server.close();
  }
});

/** §4.7: a node that is lost, or takes no runners now, is passed over; its word on when to come again is for it alone. */
it("the connection's thread goes on to the next node", async () => {
  const [one, other] = await Promise.all([gate(), gate()]);
  const busy = createServer();
  busy.on("upgrade", (_request, socket: Socket) => {
    socket.end("HTTP/1.1 503 Service Unavailable\r\nretry-after: 600\r\ncontent-length: 0\r\n\r\n");
  });
  await once(busy.listen(0, "127.0.0.1"), "listening");
  const { port } = busy.address() as AddressInfo;
  const urls = [one.url, `ws://127.0.0.1:${port}/`, other.url];
  const data: ThreadData = { urls, pulse: new SharedArrayBuffer(4) };
  const came: string[] = [];
  const visits = (at: typeof one): Promise<import("ws").WebSocket> =>
    at.next().then(({ take }) => {
      came.push(at.url);
      return take();
    });
  const first = [visits(one), visits(other)] as const;
  const thread = new Worker(THREAD, { workerData: data });
  try {
    const lost = await Promise.race(first);
    lost.terminate();
    const at = first[came[0] === one.url ? 1 : 0];
    await at;
    expect(new Set(came)).toEqual(new Set([one.url, other.url]));
  } finally {
    await thread.terminate();
    one.close();
    other.close();
    busy.close();
  }
});
