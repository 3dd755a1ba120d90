/** Where the server's binary is. */

import { accessSync, constants } from "node:fs";
import { dirname, join } from "node:path";

/** What finding the server depends on. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: string;
  readonly arch: string;
  /** Returns the path of a file in a package; throws where the package is not installed. */
  readonly resolve: (path: string) => string;
}

/** There is no server to run; the message says what to do. */
export class NoServer extends Error {}

/** Where packages with a server exist for. */
const PACKAGED = ["linux-x64"];

/**
 * Returns the path of the server: that of STEPWELL_BINARY where it is set, since who sets it means it,
 * else that in the package for this platform.
 *
 * @throws `NoServer`
 */
export function findServer({ env, platform, arch, resolve }: Surroundings): string {
  const set = env.STEPWELL_BINARY;
  if (set !== undefined && set !== "") {
    return runnable(set, "STEPWELL_BINARY names it");
  }
  const target = `${platform}-${arch}`;
  const name = `@stepwell/${target}`;
  let manifest: string;
  try {
    manifest = resolve(`${name}/package.json`);
  } catch {
    throw new NoServer(
      PACKAGED.includes(target)
        ? `the package ${name}, which holds the server, is not installed. Install it ` +
            `(\`npm install --include=optional\`), or set STEPWELL_BINARY to a server of your own.`
        : `there is no package with a server for ${target}; there is one for: ${PACKAGED.join(", ")}. ` +
            "Build the server and set STEPWELL_BINARY to its path.",
    );
  }
  return runnable(join(dirname(manifest), "bin", "stepwell"), `it belongs to the package ${name}`);
}

function runnable(path: string, whence: string): string {
  try {
    accessSync(path, constants.X_OK);
    return path;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = code === "ENOENT" ? "is not there" : "cannot be run";
    throw new NoServer(
      `the server ${path} ${why} (${whence}). Set STEPWELL_BINARY to one that can be run.`,
    );
  }
}
