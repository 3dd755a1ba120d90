/** Builds the package before the tests: some of them run it in processes of their own. */

import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/** Called by vitest, once. */
export function setup(): void {
  const root = fileURLToPath(new URL("..", import.meta.url));
  const tsc = `${root}node_modules/typescript/bin/tsc`;
  execFileSync(process.execPath, [tsc, "-p", `${root}tsconfig.build.json`], { stdio: "inherit" });
}
