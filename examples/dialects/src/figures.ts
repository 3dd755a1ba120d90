/**
 * Prints what the tables of docs/coming-from/ come to, and fails where something is wrong with them:
 *
 * ```sh
 * node dist/figures.js path/of/the/repository
 * ```
 */

import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { figuresOf, SYSTEMS } from "./statements.ts";

const root = pathToFileURL(`${resolve(process.argv[2] ?? "../..")}/`);
for (const one of SYSTEMS) {
  const { statements, tests, open, faults } = figuresOf(one, root);
  process.stdout.write(`${one}: ${statements} statements, ${tests} tests, open ${open}\n`);
  for (const fault of faults) process.stderr.write(`error: ${one}: ${fault}\n`);
  if (faults.length > 0 || statements === 0) process.exitCode = 1;
}
