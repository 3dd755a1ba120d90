/** Runners of the end-to-end app, each a process that a test may kill. */

import { type ChildProcess, spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const APP = fileURLToPath(new URL("app.mjs", import.meta.url));

/** A place for the calls of functions that several processes make. */
export class Workshop implements AsyncDisposable {
  readonly #folder: string = mkdtempSync(join(tmpdir(), "stepwell-e2e-"));
  readonly #server: string;
  readonly #runners: ChildProcess[] = [];
  /** What runners have said, line by line. */
  readonly lines: string[] = [];
  readonly #called: EventEmitter = new EventEmitter();

  constructor(server: string) {
    this.#server = server;
  }

  /** Calls of functions, in their order. */
  calls(): string[] {
    const file = join(this.#folder, "calls");
    return existsSync(file) ? readFileSync(file, "utf8").trimEnd().split("\n") : [];
  }

  /** Resolves once functions were called so often. */
  async called(times: number): Promise<void> {
    while (this.calls().length < times) await once(this.#called, "called");
  }

  /** Starts a runner; resolves once the server has taken it. `crash` is a point in the app. */
  async runner(crash?: string): Promise<ChildProcess> {
    const env = {
      ...process.env,
      SERVER: this.#server,
      CALLS: join(this.#folder, "calls"),
      CRASHED: join(this.#folder, "crashed"),
      ...(crash !== undefined && { CRASH: crash }),
    };
    const child = spawn(process.execPath, [APP], { env, stdio: ["ignore", "pipe", "pipe"] });
    this.#runners.push(child);
    createInterface({ input: child.stderr }).on("line", (line) => this.lines.push(line));
    const lines = createInterface({ input: child.stdout });
    lines.on("line", (line) => {
      this.lines.push(line);
      if (line === "called") this.#called.emit("called");
    });
    for await (const [line] of on(lines)) if (line === "serving") return child;
    throw new Error(`the runner did not start: ${this.lines.join("\n")}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#runners.map(kill));
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

async function* on(lines: ReturnType<typeof createInterface>): AsyncGenerator<[string]> {
  for (;;) {
    const [line] = await Promise.race([
      once(lines, "line") as Promise<[string]>,
      once(lines, "close").then((): [string] => [""]),
    ]);
    if (line === "") return;
    yield [line];
  }
}

/** Ends a runner without a word, and waits until it is gone. */
async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill("SIGKILL");
  await gone;
}
