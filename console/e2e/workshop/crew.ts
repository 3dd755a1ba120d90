/** Runners as processes: started, listened to, stopped and killed, each by its id. */

import { type ChildProcess, spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { AppName, Build } from "./apps.ts";

const RUN = fileURLToPath(new URL("../run.mjs", import.meta.url));

/** One runner process. */
export class Member {
  readonly lines: string[] = [];
  readonly #child: ChildProcess;
  readonly #said: EventEmitter = new EventEmitter();
  readonly #exit = () => this.#child.kill("SIGKILL");

  constructor(url: string, apps: readonly AppName[], build: Build) {
    const args = [
      RUN,
      "workshop/runner.ts",
      "--url",
      url,
      "--apps",
      apps.join(","),
      "--build",
      build,
    ];
    this.#child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "pipe"] });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      if (stream !== null)
        createInterface({ input: stream }).on("line", (line) => this.#hear(line));
    }
    this.#child.once("exit", () => this.#said.emit("line"));
    process.once("exit", this.#exit);
  }

  /** Resolves once it has said something like this. */
  async said(pattern: RegExp): Promise<void> {
    while (!this.lines.some((line) => pattern.test(line))) {
      if (this.#hasEnded()) throw new Error(`a runner ended: ${this.lines.join("\n")}`);
      await once(this.#said, "line");
    }
  }

  /** Ends it: by SIGTERM it gives its runs back, by SIGKILL it does not. */
  async end(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    process.off("exit", this.#exit);
    if (this.#hasEnded()) return;
    const gone = once(this.#child, "exit");
    this.#child.kill(signal);
    await gone;
  }

  #hear(line: string): void {
    this.lines.push(line);
    this.#said.emit("line");
  }

  #hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }
}

/** All runners that were started for a server. */
export class Crew {
  readonly #members: Member[] = [];

  constructor(readonly url: string) {}

  /** Starts a runner; resolves once the server has taken it. */
  async start(apps: readonly AppName[], build: Build = "2026.11.1"): Promise<Member> {
    const member = new Member(this.url, apps, build);
    this.#members.push(member);
    await member.said(/^serving$/);
    return member;
  }

  /** Ends all of them without a word. */
  async end(): Promise<void> {
    await Promise.all(this.#members.map(async (member) => await member.end("SIGKILL")));
  }
}
