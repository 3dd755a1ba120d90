/** A server that a test may kill and start again, on the same folder and at the same port. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { serverBinary } from "../../../sdk/typescript/dist/test/index.js";

/** The real binary (`STEPWELL_BINARY`), on loopback and with a folder of its own, which is removed at the end. */
export class Server {
  readonly #data: string = mkdtempSync(join(tmpdir(), "stepwell-console-"));
  #listen = "127.0.0.1:0";
  #child: ChildProcess | null = null;
  /** A test process that ends without `end` leaves no server behind. */
  readonly #exit = () => this.#child?.kill("SIGKILL");

  private constructor(readonly args: readonly string[]) {}

  /** Starts one; resolves once it listens. `args` are further flags. */
  static async start(args: readonly string[] = []): Promise<Server> {
    const server = new Server(args);
    process.once("exit", server.#exit);
    await server.begin();
    return server;
  }

  /** Its address. */
  get url(): string {
    return `http://${this.#listen}`;
  }

  /** Starts it again after {@link kill}; resolves once it listens. */
  async begin(): Promise<void> {
    const place = ["--data", this.#data, "--listen", this.#listen];
    const args = ["start", "--access", "loopback", ...place, "--log-format", "json"];
    const child = spawn(serverBinary(), [...args, ...this.args], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    const said: string[] = [];
    child.on("error", (error) => said.push(error.message));
    for await (const line of createInterface({ input: child.stderr })) {
      said.push(line);
      const address = /"listening".*"address":"([^"]+)"/.exec(line)?.[1];
      if (address === undefined) continue;
      // What it says from here on is read by nobody, and must not fill the pipe.
      child.stderr.resume();
      this.#child = child;
      this.#listen = address;
      return;
    }
    throw new Error(`the server did not start: ${said.join("\n")}`);
  }

  /** Ends it at once, as a crash does. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
  }

  /** Ends it and removes its folder. */
  async end(): Promise<void> {
    process.off("exit", this.#exit);
    await this.kill();
    rmSync(this.#data, { recursive: true, force: true });
  }
}
