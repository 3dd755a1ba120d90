/** Who sends: the machine and the process. */

import { hostname } from "node:os";

const LENGTH_MAX = 128;

/** Returns a name of this process, such as `shop-7f2/4123`. */
export function processName(): string {
  return `${machine()}/${process.pid}`.replace(/[^\x21-\x7e]/g, "_").slice(-LENGTH_MAX);
}

function machine(): string {
  try {
    return hostname();
  } catch {
    // Deno asks for a permission of its own.
    return "process";
  }
}
