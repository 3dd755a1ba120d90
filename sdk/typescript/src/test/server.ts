/** A real server for tests: the binary, on a free port and a folder of its own. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { findServer, NoServer } from "../bin/find.js";

/** Options of {@link TestServer.start}. */
export interface TestServerOptions {
  /** The server's binary. Default: STEPWELL_BINARY, else that of the platform's package. */
  readonly binary?: string;
  /** Further arguments of `stepwell start`. */
  readonly args?: readonly string[];
}

/**
 * A server that runs for a test, on 127.0.0.1 and with a folder of its own, which is removed at the end.
 *
 * ```ts
 * await using server = await TestServer.start();
 * await using runner = await shop.serve({ url: server.url });
 * ```
 */
export class TestServer implements AsyncDisposable {
  /** Its address. */
  readonly url: string;
  readonly #process: ChildProcess;
  readonly #data: string;
  readonly #options: TestServerOptions;
  readonly #kill: () => void;

  private constructor(url: string, child: ChildProcess, data: string, options: TestServerOptions) {
    this.url = url;
    this.#process = child;
    this.#data = data;
    this.#options = options;
    // A test process that ends without `stop` leaves no server behind.
    this.#kill = () => child.kill("SIGKILL");
    process.once("exit", this.#kill);
  }

  /**
   * Starts a server; resolves once it listens.
   *
   * @throws `Error` where there is no binary, or it does not start: with what it said.
   */
  static async start(options: TestServerOptions = {}): Promise<TestServer> {
    const data = mkdtempSync(join(tmpdir(), "stepwell-test-"));
    try {
      return await TestServer.#start("127.0.0.1:0", data, options);
    } catch (error) {
      rmSync(data, { recursive: true, force: true });
      throw error;
    }
  }

  static async #start(
    listen: string,
    data: string,
    options: TestServerOptions,
  ): Promise<TestServer> {
    const binary = options.binary ?? serverBinary();
    const given = options.args ?? [];
    const args = ["start", "--data", data, "--listen", listen, "--log-format", "json"];
    // It is for this machine only: no test needs a key, unless it asks for that.
    if (!given.includes("--access")) args.push("--access", "loopback");
    const child = spawn(binary, [...args, ...given], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    const said: string[] = [];
    // What cannot be spawned has no output either: the loop below ends, and the message says why.
    child.on("error", (error) => said.push(error.message));
    for await (const line of createInterface({ input: child.stderr })) {
      said.push(line);
      const address = /"listening".*"address":"([^"]+)"/.exec(line)?.[1];
      if (address === undefined) continue;
      // What it says from here on is read by nobody, and must not fill the pipe.
      child.stderr.resume();
      // A test that forgets to stop the server ends all the same.
      child.unref();
      if (child.stderr instanceof Socket) child.stderr.unref();
      return new TestServer(`http://${address}`, child, data, options);
    }
    throw new Error(`the server ${binary} did not start; it said: ${said.join("\n") || "nothing"}`);
  }

  /** Kills the server, as a crash does, and starts another one on its folder, at its address. */
  async restart(): Promise<TestServer> {
    await this.#end();
    return await TestServer.#start(new URL(this.url).host, this.#data, this.#options);
  }

  /** Ends the server at once, as a crash does, and removes its folder. */
  async stop(): Promise<void> {
    await this.#end();
    rmSync(this.#data, { recursive: true, force: true });
  }

  async #end(): Promise<void> {
    process.off("exit", this.#kill);
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const gone = once(this.#process, "exit");
    this.#process.ref();
    this.#process.kill("SIGKILL");
    await gone;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

/**
 * Returns the path of the server's binary.
 *
 * @throws `Error` that says what to do where there is none.
 */
export function serverBinary(): string {
  const { env, platform, arch } = process;
  const { resolve } = createRequire(import.meta.url);
  return findServer({ env, platform, arch, resolve });
}

/** Tells whether there is a server's binary: tests that need one can be skipped without. */
export function hasServer(): boolean {
  try {
    serverBinary();
    return true;
  } catch (error) {
    if (error instanceof NoServer) return false;
    throw error;
  }
}
