/** A server that a test may kill and start again, on the same folder and at the same port. */

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout } from "node:timers/promises";
import { promisify } from "node:util";
import { serverBinary } from "../../../sdk/typescript/dist/test/index.js";

/** How a server is started. */
export interface Start {
  /** Whether it asks for keys; it does not where this is not given. */
  readonly access?: "keys" | "loopback";
  /** The folder of the backup that it is restored from. */
  readonly backup?: string;
}

const run = promisify(execFile);

/** The real binary (`STEPWELL_BINARY`), on loopback and with a folder of its own, which is removed at the end. */
export class Server {
  readonly #home: string = mkdtempSync(join(tmpdir(), "stepwell-console-"));
  readonly #data = join(this.#home, "data");
  readonly #keyFile = join(this.#home, "admin.key");
  readonly #backups = join(this.#home, "backups");
  #listen = "127.0.0.1:0";
  #child: ChildProcess | null = null;
  /** A test process that ends without `end` leaves no server behind. */
  readonly #exit = () => this.#child?.kill("SIGKILL");

  private constructor(readonly access: "keys" | "loopback") {}

  /** Starts one; resolves once it listens. */
  static async start({ access = "loopback", backup }: Start = {}): Promise<Server> {
    const server = new Server(access);
    process.once("exit", server.#exit);
    if (backup !== undefined) {
      await run(serverBinary(), ["restore", backup, "--data", server.#data]);
    }
    await server.begin();
    return server;
  }

  /** Its address. */
  get url(): string {
    return `http://${this.#listen}`;
  }

  /** Returns the first admin key of a server that asks for keys: it is made once it listens. */
  async adminKey(): Promise<string> {
    for (let tries = 0; tries < 1500; tries++) {
      const key = existsSync(this.#keyFile) ? readFileSync(this.#keyFile, "utf8").trim() : "";
      if (key !== "") return key;
      await setTimeout(20);
    }
    throw new Error("the server made no first key");
  }

  /** Makes a backup of it, and returns its folder. */
  async backUp(): Promise<string> {
    await run(serverBinary(), ["backup", "--url", this.url]);
    const [name] = readdirSync(this.#backups);
    if (name === undefined) throw new Error("there is no backup");
    return join(this.#backups, name);
  }

  /** Starts it again after {@link kill}; resolves once it listens. */
  async begin(): Promise<void> {
    const folders = ["--data", this.#data, "--backup-dir", this.#backups];
    const place = [...folders, "--listen", this.#listen];
    const keys = this.access === "keys" ? ["--admin-key-file", this.#keyFile] : [];
    const args = ["start", "--access", this.access, ...keys, ...place, "--log-format", "json"];
    const child = spawn(serverBinary(), args, {
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
    rmSync(this.#home, { recursive: true, force: true });
  }
}
