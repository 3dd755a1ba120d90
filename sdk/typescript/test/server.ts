/** A real server for tests, and a runner that speaks the protocol without the SDK. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { WebSocket } from "ws";

/** The server's binary; tests that need one are skipped without. */
export const BINARY: string | undefined = process.env.STEPWELL_BINARY;

/** A server that runs. */
export class Server implements AsyncDisposable {
  readonly url: string;
  readonly #process: ChildProcess;
  readonly #data: string;
  readonly #settings: readonly string[];

  private constructor(
    url: string,
    process: ChildProcess,
    data: string,
    settings: readonly string[],
  ) {
    this.url = url;
    this.#process = process;
    this.#data = data;
    this.#settings = settings;
  }

  /** Starts a server on a free port; `settings` are further flags. */
  static async start(settings: readonly string[] = []): Promise<Server> {
    const data = mkdtempSync(join(tmpdir(), "stepwell-"));
    return await Server.#start("127.0.0.1:0", data, settings);
  }

  static async #start(listen: string, data: string, settings: readonly string[]): Promise<Server> {
    if (BINARY === undefined) throw new Error("STEPWELL_BINARY names no server");
    const fixed = ["start", "--data", data, "--listen", listen, "--log-format", "json"];
    const args = [...fixed, ...settings];
    const child = spawn(BINARY, args, { stdio: ["ignore", "ignore", "pipe"] });
    for await (const line of createInterface({ input: child.stderr })) {
      const address = /"listening".*"address":"([^"]+)"/.exec(line)?.[1];
      if (address === undefined) continue;
      // What it says from here on is read by nobody, and must not fill the pipe.
      child.stderr.resume();
      return new Server(`http://${address}`, child, data, settings);
    }
    throw new Error("the server did not start");
  }

  /** Kills the server and starts another one on its data, at its address. */
  async restart(): Promise<Server> {
    await this.#kill();
    return await Server.#start(new URL(this.url).host, this.#data, this.#settings);
  }

  async #kill(): Promise<void> {
    const gone = once(this.#process, "exit");
    this.#process.kill("SIGKILL");
    await gone;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#kill();
    rmSync(this.#data, { recursive: true, force: true });
  }
}

/** What the node says, as far as this runner reads it. */
interface ToRunner {
  readonly welcome?: object;
  readonly activate?: { readonly a: number; readonly workflow: string; readonly input?: unknown };
  readonly end?: { readonly a: number };
  readonly refused?: { readonly code: string; readonly message: string };
}

/** How a run of {@link rawRunner} ends; nothing leaves it running. */
export type RawEnd = { readonly output?: unknown } | { readonly error: object } | undefined;

/** Connects a runner that ends runs as `end` says; resolves once the server has taken it. */
export async function rawRunner(
  url: string,
  workflows: readonly object[],
  end: (workflow: string, input: unknown) => RawEnd,
): Promise<WebSocket> {
  const socket = new WebSocket(`${url.replace("http", "ws")}/api/v1/worker`, "stepwell.v1");
  const say = (message: object): void => socket.send(JSON.stringify([message]));
  await once(socket, "open");
  const hello = {
    protocol: 1,
    sdk: "test/1",
    app: "shop",
    runner: "raw",
    instance: `i${Math.random()}`,
  };
  say({ hello: { ...hello, slots: 10, creditBytes: 1_000_000, workflows } });
  return await new Promise((resolve, reject) => {
    socket.on("message", (frame) => {
      for (const message of JSON.parse(String(frame)) as ToRunner[]) {
        if (message.welcome !== undefined) resolve(socket);
        if (message.refused !== undefined) reject(new Error(message.refused.message));
        if (message.end !== undefined) say({ finished: { a: message.end.a } });
        if (message.activate === undefined) continue;
        const { a, workflow, input } = message.activate;
        const ended = end(workflow, input);
        if (ended !== undefined) say({ finished: { a, ...ended } });
      }
    });
  });
}
