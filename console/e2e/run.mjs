/** Runs a program of this folder that is written in TypeScript: `node e2e/run.mjs workshop/main.ts …`. */

import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { runnerImport } from "vite";

const [, , file, ...args] = process.argv;
if (file === undefined) throw new Error("which file is to run?");
const path = resolve(fileURLToPath(new URL(".", import.meta.url)), file);
process.argv = [process.argv[0] ?? "node", path, ...args];
await runnerImport(path, { configFile: false, logLevel: "error" });
