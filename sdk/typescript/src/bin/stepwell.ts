#!/usr/bin/env node
/** The command `stepwell`: runs the server's binary with the same arguments, signals and exit code. */

import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { findServer, NoServer } from "./find.js";

/** The exit code of what cannot be run, as shells have it. */
const NOT_FOUND = 127;

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2"] as const;

function serverPath(): string {
  const { env, platform, arch } = process;
  const { resolve } = createRequire(import.meta.url);
  try {
    return findServer({ env, platform, arch, resolve });
  } catch (error) {
    if (!(error instanceof NoServer)) throw error;
    process.stderr.write(`stepwell: ${error.message}\n`);
    process.exit(NOT_FOUND);
  }
}

function isRunning(): boolean {
  return child.exitCode === null && child.signalCode === null;
}

const path = serverPath();
const child = spawn(path, process.argv.slice(2), { stdio: "inherit" });

for (const signal of SIGNALS) {
  process.on(signal, () => {
    // A terminal gives Ctrl-C to both processes; given twice, it would mean "at once".
    const shared = signal === "SIGINT" && process.stdin.isTTY === true;
    // Not by `child.kill`: Deno then shows this signal as the child's end, however that ended.
    if (!shared && child.pid !== undefined && isRunning()) process.kill(child.pid, signal);
  });
}

child.on("error", (error) => {
  process.stderr.write(`stepwell: ${path} cannot be run: ${error.message}\n`);
  process.exitCode = NOT_FOUND;
});

child.on("exit", (code, signal) => {
  if (signal === null) {
    process.exitCode = code ?? 1;
    return;
  }
  // Ends by the same signal, so that the caller sees what happened to the server.
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
});
