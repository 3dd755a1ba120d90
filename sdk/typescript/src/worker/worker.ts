/** A runner at work: the session in this thread, the connection in another one. */

import { Worker } from "node:worker_threads";
import { after, cancel, hop, now, type Timer } from "../clock.js";
import { ConnectionError, RefusedError } from "../errors.js";
import type { Core } from "../machine/core.js";
import { shown } from "../machine/refusals.js";
import type { Step } from "../machine/state.js";
import type { Identity } from "../protocol/to-node.js";
import type { Welcome } from "../protocol/to-runner.js";
import { closeFault, Fault, refusal } from "../session/fault.js";
import type { Handlers } from "../session/handler.js";
import { Session, type Surroundings } from "../session/session.js";
import type { LogBridge, LogLevel, LogLine } from "../types/log.js";
import type { FromThread, ThreadData, ToThread } from "./ports.js";
import { isReadable } from "./target.js";

/** How often the thread of the connection is shown that this one moves, in milliseconds. */
const PULSE_MS = 500;

/** What a worker is made with. */
export interface WorkerOptions {
  /** One for each node of the server. */
  readonly urls: readonly string[];
  /** The key that is shown. */
  readonly key: string | undefined;
  /** How long functions in progress are let end once the server refuses the runner, in milliseconds. */
  readonly drainMs: number;
  readonly identity: Identity;
  readonly handlers: Handlers;
  /** Shows what the runner says, and what code logs. */
  readonly show: LogBridge;
}

/** Moves a session. */
export class RunnerWorker implements Surroundings {
  readonly #session: Session;
  readonly #thread: Worker;
  readonly #identity: Identity;
  readonly #show: LogBridge;
  readonly #drainMs: number;
  readonly #pulse: Int32Array;
  #connection = 0;
  #wakeTimer: Timer | undefined = undefined;
  #wakeAt: number = Number.POSITIVE_INFINITY;
  #pulseTimer: Timer | undefined = undefined;
  #drainTimer: Timer | undefined = undefined;
  #isLossTold = false;
  #wasWelcome = false;
  #isStopping = false;
  /** Why the server does not take the runner, or not any more. */
  #refusal: Error | undefined = undefined;
  readonly #welcome: PromiseWithResolve = withResolve();
  readonly #closed: PromiseWithResolve = withResolve();

  constructor(options: WorkerOptions) {
    this.#identity = options.identity;
    this.#show = unfailing(options.show);
    this.#drainMs = options.drainMs;
    const pulse = new SharedArrayBuffer(4);
    this.#pulse = new Int32Array(pulse);
    this.#session = new Session(options.identity, options.handlers, this);
    const { urls, key } = options;
    const data: ThreadData = { urls, pulse, ...(key !== undefined && { key }) };
    this.#thread = new Worker(new URL("./thread.js", import.meta.url), {
      workerData: data,
      name: "stepwell",
      // Flags of the program, such as `--eval` or a loader of TypeScript, are not for this thread.
      execArgv: [],
    });
    this.#thread.on("message", (message: FromThread) => this.#onMessage(message));
    this.#thread.on("error", (error) => this.#end(new ConnectionError(error.message)));
    this.#beat();
    for (const url of key === undefined ? [] : urls.filter(isReadable)) {
      this.#say("warn", `the key is sent to ${url} unencrypted: everybody on the way can read it`);
    }
  }

  /** Resolves once the server has taken the runner for the first time. */
  get welcome(): Promise<void> {
    return this.#welcome.promise;
  }

  /** Resolves when the runner has stopped; rejects where the server does not take it. */
  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  /** Stops gracefully; what still runs after `timeoutMs` is left. */
  stop(timeoutMs: number): void {
    if (this.#isStopping) return;
    this.#isStopping = true;
    this.#session.drain();
    this.#drainTimer = after(timeoutMs, () => this.#end(undefined));
    this.#afterwards();
  }

  now(): number {
    return now();
  }

  date(): number {
    // Not as it was when the module was loaded: code that is given another clock says instants by it.
    return Date.now();
  }

  wake(): void {
    hop(() => this.#turn());
  }

  wakeAt(at: number): void {
    if (at >= this.#wakeAt) return;
    cancel(this.#wakeTimer);
    this.#wakeAt = at;
    this.#wakeTimer = after(at - now(), () => {
      this.#wakeAt = Number.POSITIVE_INFINITY;
      this.#session.onTime();
      this.#afterwards();
    });
  }

  onWelcome({ pingMs, ttlMs }: Welcome): void {
    const connection = this.#connection;
    this.#tell({ kind: "welcome", connection, pingMs: Math.max(1, pingMs), ttlMs, now: now() });
    if (this.#isLossTold) this.#say("info", "connected to the server again");
    this.#isLossTold = false;
    this.#wasWelcome = true;
    this.#welcome.resolve();
  }

  print(core: Core, step: Step | undefined, line: Omit<LogLine, "from">): void {
    const { run, workflow } = core.info;
    const { app } = this.#identity;
    const attempt = step?.attempt?.n;
    const of = step === undefined ? {} : { step: shown(step.id), ...(attempt && { attempt }) };
    this.#show({ ...line, from: { app, workflow, run, ...of } });
  }

  #say(level: LogLevel, message: string): void {
    this.#show({ level, message, from: {} });
  }

  #tell(message: ToThread): void {
    this.#thread.postMessage(message);
  }

  #beat(): void {
    Atomics.add(this.#pulse, 0, 1);
    this.#pulseTimer = after(PULSE_MS, () => this.#beat(), true);
  }

  #onMessage(message: FromThread): void {
    if (typeof message === "string") {
      try {
        this.#session.onFrame(message);
      } catch (error) {
        this.#onFault(error);
        return;
      }
      // Some runtimes bring a message while microtasks wait: the turns of runs come after a hop.
      this.#afterwards();
      return;
    }
    switch (message.kind) {
      case "opened":
        this.#connection = message.connection;
        this.#session.onConnected();
        for (const frame of this.#session.takeFrames()) {
          this.#tell({ kind: "hello", connection: message.connection, frame });
        }
        return;
      case "ping":
        this.#session.onPing(message.k, message.at, message.bytes);
        return;
      case "closed":
        this.#onClosed(message.why, message.reason);
        return;
      case "refused":
        this.#onRefused(message.status, message.body);
        return;
      case "blocked": {
        const seconds = Math.round(message.ms / 1_000);
        this.#say("warn", `the event loop was blocked for ${seconds} s by a function`);
        return;
      }
      case "stopped":
        if (this.#refusal === undefined) this.#end(undefined);
        return;
    }
  }

  #turn(): void {
    this.#session.turns();
    this.#afterwards();
  }

  /** Sends what is ready, and looks whether it is time to end. */
  #afterwards(): void {
    for (const frame of this.#session.takeFrames()) this.#thread.postMessage(frame);
    if (this.#refusal !== undefined) {
      if (!this.#session.isCalling) this.#end(this.#refusal);
    } else if (this.#isStopping && this.#session.held === 0) this.#tell({ kind: "stop" });
  }

  #onClosed(why: string, reason: string | undefined): void {
    this.#session.onDisconnected();
    const fault = closeFault(reason ?? "");
    if (fault !== undefined) this.#refuse(refusedBy(fault));
    else if (this.#refusal === undefined) {
      if (!this.#isLossTold) this.#say("warn", `no connection to the server, trying on: ${why}`);
      this.#isLossTold = true;
      this.#afterwards();
    }
  }

  /**
   * The server does not take the runner. Whoever is refused later may have functions in progress. Without
   * a connection no other begins; these are let end, since what they do may be hard to stop in its middle.
   */
  #refuse(why: Error): void {
    if (this.#refusal !== undefined) return;
    this.#refusal = why;
    this.#isStopping = true;
    this.#session.onDisconnected();
    cancel(this.#drainTimer);
    this.#drainTimer = after(this.#drainMs, () => this.#end(why));
    this.#tell({ kind: "stop" });
    this.#afterwards();
  }

  #onFault(error: unknown): void {
    if (!(error instanceof Fault)) throw error;
    this.#session.onDisconnected();
    if (error.isFinal) {
      this.#refuse(refusedBy(error));
      return;
    }
    this.#say("warn", `the connection cannot go on: ${error.message}`);
    this.#tell({ kind: "drop", connection: this.#connection });
  }

  /** The server answered the request for a WebSocket with something else. */
  #onRefused(status: number, body: string): void {
    const problem = problemOf(body);
    // A key that is not taken now is not taken later: whoever runs this has to see it.
    const isAboutWhoAsks = status === 401 || status === 403;
    if (problem === undefined) {
      const text = `the server answered ${status}: ${body.slice(0, 200)}`;
      // Of no server of ours: a proxy in front of it, say.
      if (isAboutWhoAsks) this.#refuse(new ConnectionError(text));
      else this.#say("warn", text);
      return;
    }
    const { code, message } = problem;
    if (isAboutWhoAsks || refusal(code, message, true).isFinal) {
      this.#refuse(new RefusedError(message, { code, status }));
    } else if (!this.#isLossTold) this.#say("warn", `${code}: ${message}`);
  }

  #end(why: Error | undefined): void {
    cancel(this.#wakeTimer);
    cancel(this.#pulseTimer);
    cancel(this.#drainTimer);
    this.#isStopping = true;
    // What is left has nobody to talk to any more.
    this.#session.close();
    void this.#thread.terminate();
    if (why === undefined) {
      this.#welcome.resolve();
      this.#closed.resolve();
    } else {
      // Whoever serves was told that it works, and does not have to wait for the end.
      if (this.#wasWelcome) this.#say("error", `the runner has stopped: ${why.message}`);
      this.#welcome.reject(why);
      this.#closed.reject(why);
    }
  }
}

function refusedBy(fault: Fault): RefusedError {
  return new RefusedError(fault.message, { code: fault.code ?? "SW3001" });
}

/** A line never fails what it is about: neither the code that logs it, nor the connection. */
function unfailing(show: LogBridge): LogBridge {
  return (line) => {
    try {
      show(line);
    } catch {
      // There is nowhere else to say it.
    }
  };
}

/** Reads an answer that says why (RFC 9457). */
function problemOf(body: string): { code: string; message: string } | undefined {
  let problem: unknown;
  try {
    problem = JSON.parse(body);
  } catch {
    return undefined;
  }
  if (typeof problem !== "object" || problem === null) return undefined;
  const code: unknown = Reflect.get(problem, "code");
  const detail: unknown = Reflect.get(problem, "detail") ?? Reflect.get(problem, "title");
  return typeof code === "string" ? { code, message: String(detail ?? code) } : undefined;
}

interface PromiseWithResolve {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (why: Error) => void;
}

function withResolve(): PromiseWithResolve {
  let resolve: () => void = () => undefined;
  let reject: (why: Error) => void = () => undefined;
  const promise = new Promise<void>((resolved, rejected) => {
    resolve = resolved;
    reject = rejected;
  });
  // Nobody has to wait for it.
  promise.catch(() => undefined);
  return { promise, resolve, reject };
}
