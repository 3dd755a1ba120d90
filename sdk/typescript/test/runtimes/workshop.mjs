/** Runners of the end-to-end app on the runtime that runs this, each a process that may be killed. */

import { spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const APP = fileURLToPath(new URL("app.mjs", import.meta.url));

/** What a program is run with beside the runtime itself: `run -A` for Deno. */
export const RUN = (process.env.RUNTIME_ARGS ?? "").split(" ").filter(Boolean);

/** A place for the calls of functions that several processes make. */
export class Workshop {
  #folder = mkdtempSync(join(tmpdir(), "stepwell-runtimes-"));
  #server;
  #runners = [];
  #said = new EventEmitter();
  /** What runners have said, line by line. */
  lines = [];

  constructor(server) {
    this.#server = server;
  }

  /** Calls of functions, in their order. */
  calls() {
    const file = join(this.#folder, "calls");
    return existsSync(file) ? readFileSync(file, "utf8").trimEnd().split("\n") : [];
  }

  /** Resolves once functions were called so often. */
  async called(times) {
    while (this.calls().length < times) await once(this.#said, "line");
  }

  /** Resolves once a runner has said something like this. */
  async said(pattern) {
    while (!this.lines.some((line) => pattern.test(line))) await once(this.#said, "line");
  }

  /** Starts a runner; resolves once the server has taken it. `crash` is a point in the app. */
  async runner(crash) {
    const env = {
      ...process.env,
      SERVER: this.#server,
      CALLS: join(this.#folder, "calls"),
      CRASHED: join(this.#folder, "crashed"),
      ...(crash !== undefined && { CRASH: crash }),
    };
    const stdio = ["ignore", "pipe", "pipe"];
    const child = spawn(process.execPath, [...RUN, APP], { env, stdio });
    this.#runners.push(child);
    let isServing = false;
    const hear = (line) => {
      this.lines.push(line);
      isServing ||= line === "serving";
      this.#said.emit("line");
    };
    createInterface({ input: child.stderr }).on("line", hear);
    createInterface({ input: child.stdout }).on("line", hear);
    child.once("exit", () => this.#said.emit("line"));
    while (!isServing) {
      if (hasEnded(child)) throw new Error(`the runner did not start: ${this.lines.join("\n")}`);
      await once(this.#said, "line");
    }
    return child;
  }

  /** Ends all runners without a word. */
  async close() {
    await Promise.all(this.#runners.map(kill));
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Ends a process by SIGKILL, and waits until it is gone. */
export async function kill(child) {
  if (hasEnded(child)) return;
  const gone = once(child, "exit");
  child.kill("SIGKILL");
  await gone;
}

function hasEnded(child) {
  return child.exitCode !== null || child.signalCode !== null;
}
