/** Cases that run on any runtime: a line each, and an exit code that says whether all were good. */

import { isDeepStrictEqual } from "node:util";

/** How long a case may take before it counts as hanging. */
const CASE_MS = 60_000;

/** ONLY runs the cases whose name holds it. */
const { RUNTIME = `Node ${process.versions.node}`, ONLY = "" } = process.env;

/** Fails where two values are not the same. */
export function same(found, wanted) {
  if (isDeepStrictEqual(found, wanted)) return;
  throw new Error(`found ${JSON.stringify(found)}, wanted ${JSON.stringify(wanted)}`);
}

/** Returns what a promise rejects with; fails where it does not. */
export async function rejection(promise) {
  let value;
  try {
    value = await promise;
  } catch (error) {
    return error;
  }
  throw new Error(`it was to fail, and gave ${JSON.stringify(value)}`);
}

/** Runs cases by their names, one after another. */
export async function run(group, cases) {
  let failed = 0;
  for (const [name, call] of Object.entries(cases)) {
    if (!name.includes(ONLY)) continue;
    const begun = performance.now();
    let why;
    try {
      await Promise.race([call(), late()]);
    } catch (error) {
      failed++;
      why = error instanceof Error ? (error.stack ?? error.message) : String(error);
    }
    const seconds = ((performance.now() - begun) / 1_000).toFixed(1);
    say(`${RUNTIME}: ${group}: ${name}: ${why === undefined ? "ok" : "FAILED"} (${seconds} s)`);
    if (why !== undefined) say(why);
  }
  // What a failed case has left may hold the process; where all is good it ends by itself.
  if (failed > 0) process.exit(1);
}

function say(line) {
  process.stdout.write(`${line}\n`);
}

function late() {
  return new Promise((_, reject) => {
    setTimeout(() => reject(new Error(`not done after ${CASE_MS} ms`)), CASE_MS).unref();
  });
}
