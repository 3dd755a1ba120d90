/**
 * Runs a program of this folder, or all of them one after the other, on the server of STEPWELL_URL:
 *
 * ```sh
 * node dist/main.js loops
 * ```
 */

import { Checks, type Program } from "./checks.ts";
import { program as durablex } from "./durablex.ts";
import { program as failpathEvents } from "./failpath-events.ts";
import { program as failpathRuns } from "./failpath-runs.ts";
import { program as loops } from "./loops.ts";
import { program as questpie } from "./questpie.ts";

const PROGRAMS: Readonly<Record<string, Program>> = {
  "failpath-runs": failpathRuns,
  "failpath-events": failpathEvents,
  loops,
  durablex,
  questpie,
};

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(PROGRAMS);
for (const name of names) {
  const program = PROGRAMS[name];
  if (program === undefined) {
    throw new Error(`no program ${name}; there are ${Object.keys(PROGRAMS).join(", ")}`);
  }
  const checks = new Checks(say);
  await program(checks);
  say(`${name}: ${checks.made} results are as they should be`);
}
