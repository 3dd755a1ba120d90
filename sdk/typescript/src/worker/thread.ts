/**
 * The thread of the connection: it owns the socket and sends the pings.
 *
 * A function that blocks its thread must not cost the runner its grant (§4.7), so pings come from a
 * thread that user code cannot block; and a socket of Node belongs to one thread. So the whole
 * connection lives here, and frames pass as texts through the thread's port: measured on two cores,
 * a text there and another one back take some 36 µs together, against 450 µs that a step may take.
 * The socket in the thread of the code, with a second connection for the pings, was rejected: the
 * node counts the silence of a connection, not of a process.
 */

import { writeSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { parentPort, workerData } from "node:worker_threads";
import { WebSocket } from "ws";
import { after, cancel, now, type Timer } from "../clock.js";
import { keyHeaders } from "../key.js";
import { ping } from "../protocol/to-node.js";
import { anyPlace } from "../server-url.js";
import { Backoff } from "./backoff.js";
import type { FromThread, ThreadData, ToThread } from "./ports.js";

/** How long the node may take to answer the handshake, in milliseconds. */
const WELCOME_WAIT_MS = 10_000;

/** How often it is looked whether the other thread still moves. */
const PULSE_LOOK_MS = 1_000;

/** From when on a blocked thread is reported, and until when its grant is kept (§4.7). */
const BLOCKED_TOLD_MS = 10_000;
const BLOCKED_MAX_MS = 5 * 60_000;

const FRAME_BYTES_MAX = 32 * 1024 * 1024;
const BODY_BYTES_MAX = 64 * 1024;

/** Longest time for which a server's word counts on when to come again. */
const PAUSE_MAX_MS = 60_000;

class Thread {
  readonly #urls: readonly string[];
  /** Which of them is connected to. */
  #at: number;
  /** How many were tried since one took the runner. */
  #tried = 0;
  readonly #headers: Record<string, string>;
  readonly #pulse: Int32Array;
  readonly #tell: (message: FromThread) => void;
  readonly #backoff: Backoff = new Backoff();
  #socket: WebSocket | undefined = undefined;
  #connection = 0;
  /** The present connection is made: before, nothing can be said on it. */
  #isOpen = false;
  /** The handshake was given: texts are for this connection. */
  #isTalking = false;
  #isStopping = false;
  #heardAt = 0;
  #silentMs = WELCOME_WAIT_MS;
  /** How much more this thread's clock shows than that of the thread of the code, at most. */
  #aheadMs = 0;
  #pings: Timer | undefined = undefined;
  #retry: Timer | undefined = undefined;
  #beats = 0;
  #beatAt: number = now();
  #isBlockedTold = false;

  constructor(data: ThreadData, tell: (message: FromThread) => void) {
    this.#urls = data.urls;
    this.#at = anyPlace(data.urls);
    this.#headers = keyHeaders(data.key);
    this.#pulse = new Int32Array(data.pulse);
    this.#tell = tell;
    this.#lookAtPulse();
    this.#connect();
  }

  onMessage(message: ToThread): void {
    if (typeof message === "string") {
      if (this.#isTalking) this.#socket?.send(message);
      return;
    }
    switch (message.kind) {
      case "hello":
        if (!this.#isPresent(message.connection)) return;
        this.#isTalking = true;
        this.#socket?.send(message.frame);
        return;
      case "welcome":
        if (!this.#isPresent(message.connection)) return;
        this.#backoff.reset();
        this.#tried = 0;
        this.#silentMs = message.ttlMs;
        // §4.7: this came after it was said, so pings seem older than they are, and a grant never longer.
        this.#aheadMs = now() - message.now;
        this.#ping(1, message.pingMs);
        return;
      case "drop":
        if (this.#isPresent(message.connection)) this.#lose("it cannot go on");
        return;
      case "stop":
        this.#stop();
        return;
    }
  }

  /** Tells whether a word is for the present connection: that of the other thread may be lost by now. */
  #isPresent(connection: number): boolean {
    return this.#isOpen && connection === this.#connection;
  }

  #connect(): void {
    if (now() - this.#beatAt >= BLOCKED_MAX_MS) {
      // Nobody would answer what the node says.
      this.#retry = after(PULSE_LOOK_MS, () => this.#connect());
      return;
    }
    this.#retry = undefined;
    const socket = new WebSocket(this.#urls[this.#at] ?? "", "stepwell.v1", {
      handshakeTimeout: WELCOME_WAIT_MS,
      headers: this.#headers,
      // A key is for the server that it was given for.
      followRedirects: false,
      maxPayload: FRAME_BYTES_MAX,
      perMessageDeflate: false,
    });
    this.#socket = socket;
    const isPresent = (): boolean => this.#socket === socket;
    socket.on("open", () => {
      if (!isPresent()) return;
      this.#connection++;
      this.#isOpen = true;
      this.#heardAt = now();
      this.#silentMs = WELCOME_WAIT_MS;
      this.#watchSilence(socket);
      this.#tell({ kind: "opened", connection: this.#connection });
    });
    socket.on("message", (data: Buffer, isBinary: boolean) => {
      if (!isPresent()) return;
      this.#heardAt = now();
      if (isBinary) this.#lose("the server sent a binary message");
      else this.#tell(data.toString("utf8"));
    });
    socket.on("unexpected-response", (request, response: IncomingMessage) => {
      void bodyOf(response).then((body) => {
        request.destroy();
        if (!isPresent()) return;
        this.#tell({ kind: "refused", status: response.statusCode ?? 0, body });
        this.#lose("the server refused the connection", { pauseMs: pauseOf(response) });
      });
    });
    socket.on("error", (error) => {
      if (isPresent()) this.#lose(error.message === "" ? String(error) : error.message);
    });
    socket.on("close", (_code, reason) => {
      const told = reason.toString("utf8");
      const why = `the server closed the connection${told === "" ? "" : `: ${told}`}`;
      if (isPresent()) this.#lose(why, { reason: told });
    });
  }

  /** The connection is over; another one is made after a while, to the next node. */
  #lose(why: string, { pauseMs = 0, reason = "" } = {}): void {
    const socket = this.#socket;
    this.#socket = undefined;
    this.#isOpen = false;
    this.#isTalking = false;
    cancel(this.#pings);
    socket?.on("error", () => undefined);
    socket?.terminate();
    if (this.#isStopping) {
      this.#end();
      return;
    }
    this.#tell({ kind: "closed", why, ...(reason !== "" && { reason }) });
    this.#at = (this.#at + 1) % this.#urls.length;
    this.#tried++;
    // A word on when to come again counts once all nodes were tried.
    const least = this.#tried % this.#urls.length === 0 ? pauseMs : 0;
    const pause = Math.max(this.#backoff.next(Math.random()), least);
    this.#retry = after(pause, () => this.#connect());
  }

  /** §4.7: a node that is silent for longer than a grant lasts is gone. */
  #watchSilence(socket: WebSocket): void {
    const left = this.#heardAt + this.#silentMs - now();
    if (this.#socket !== socket) return;
    if (left <= 0) this.#lose("the server is silent");
    else after(left, () => this.#watchSilence(socket), true);
  }

  #ping(k: number, everyMs: number): void {
    const text = `[${ping(k)}]`;
    const at = now() - this.#aheadMs;
    this.#socket?.send(text);
    this.#tell({ kind: "ping", k, at, bytes: text.length });
    this.#pings = after(everyMs, () => this.#ping(k + 1, everyMs));
  }

  /** Looks whether the thread of the code still moves. */
  #lookAtPulse(): void {
    const beats = Atomics.load(this.#pulse, 0);
    const blockedMs = now() - this.#beatAt;
    if (beats !== this.#beats) {
      if (this.#isBlockedTold) this.#tell({ kind: "blocked", ms: blockedMs });
      this.#beats = beats;
      this.#beatAt = now();
      this.#isBlockedTold = false;
    } else if (blockedMs >= BLOCKED_TOLD_MS && !this.#isBlockedTold) {
      this.#isBlockedTold = true;
      // The console of this thread passes through the one that is blocked.
      writeSync(
        2,
        `stepwell: a function has blocked the event loop for ${Math.round(blockedMs / 1_000)} s; ` +
          "nothing else runs in this process. Its runs are kept for up to 5 minutes.\n",
      );
    } else if (blockedMs >= BLOCKED_MAX_MS && this.#socket !== undefined) {
      this.#lose("a function has blocked the event loop for 5 minutes");
    }
    after(PULSE_LOOK_MS, () => this.#lookAtPulse(), true);
  }

  #stop(): void {
    this.#isStopping = true;
    cancel(this.#retry);
    const socket = this.#socket;
    if (socket === undefined || socket.readyState !== WebSocket.OPEN) {
      this.#end();
      return;
    }
    // What is told last is to arrive: a run that was given back goes on at once.
    socket.close();
    after(1_000, () => this.#end());
  }

  #end(): void {
    this.#socket = undefined;
    cancel(this.#pings);
    // Hearing this, the other thread ends this one: what was told before has come by then.
    this.#tell({ kind: "stopped" });
  }
}

/** Reads when to come again, in milliseconds, where the server says so in seconds. */
function pauseOf(response: IncomingMessage): number {
  const seconds = Number(response.headers["retry-after"] ?? Number.NaN);
  return seconds >= 0 ? Math.min(seconds * 1_000, PAUSE_MAX_MS) : 0;
}

/** Reads the beginning of an answer's body. */
async function bodyOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of response) {
      if (!Buffer.isBuffer(chunk)) continue;
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > BODY_BYTES_MAX) break;
    }
  } catch {
    // What came before the answer broke off says enough.
  }
  return Buffer.concat(chunks).toString("utf8");
}

const port = parentPort;
if (port !== null) {
  // The one place where this thread is started gives it this.
  const data = workerData as ThreadData;
  const thread = new Thread(data, (message) => port.postMessage(message));
  port.on("message", (message: ToThread) => thread.onMessage(message));
}
