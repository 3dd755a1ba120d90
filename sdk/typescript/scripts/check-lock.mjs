/** Checks that a package-lock.json (the argument, or that of this package) names the public registry only, and what a package has to be. */

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const REGISTRY = "https://registry.npmjs.org/";

const file = process.argv[2] ?? fileURLToPath(new URL("../package-lock.json", import.meta.url));
const { packages } = JSON.parse(readFileSync(file, "utf8"));
const wrong = [];
const unsure = [];
let checked = 0;
for (const [path, { resolved, integrity, link, optional, os }] of Object.entries(packages)) {
  // The package itself, and that of a platform, which is packed beside it.
  if (!path.startsWith("node_modules/") || link) continue;
  checked++;
  if (!resolved?.startsWith(REGISTRY)) wrong.push(`${path}: it comes from ${resolved}`);
  if (integrity?.startsWith("sha512-")) continue;
  // npm writes it where it has seen the package, and it has not seen those of other platforms everywhere.
  if (optional && os !== undefined && integrity === undefined) unsure.push(path);
  else wrong.push(`${path}: its integrity is ${integrity}`);
}
process.stdout.write(`package-lock.json: ${checked} packages of ${REGISTRY}\n`);
if (unsure.length > 0) {
  process.stdout.write(`without integrity, for other platforms: ${unsure.join(", ")}\n`);
}
for (const line of wrong) process.stderr.write(`error: package-lock.json: ${line}\n`);
process.exitCode = wrong.length === 0 ? 0 : 1;
