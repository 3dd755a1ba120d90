/**
 * Tells how large the built console is, and fails where it is larger than it may be: `npm run size` after a build.
 * The shell is what the first page loads: the scripts of index.html and what they import at once.
 */

import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const DIST = fileURLToPath(new URL("../dist/", import.meta.url));
/** Most JavaScript of the shell, gzip. */
const SHELL_BYTES_MAX = 220 * 1024;
/** Most that is embedded in all: files are embedded compressed. */
const ALL_BYTES_MAX = 1024 * 1024;

/** Returns the scripts that index.html loads, and those that they import at once. */
function shell(): ReadonlySet<string> {
  const page = readFileSync(join(DIST, "index.html"), "utf8");
  const wanted = [...page.matchAll(/(?:src|href)="\/([^"]+\.js)"/g)].map(([, path = ""]) => path);
  const found = new Set<string>();
  while (wanted.length > 0) {
    const path = wanted.pop() ?? "";
    if (found.has(path)) continue;
    found.add(path);
    const text = readFileSync(join(DIST, path), "utf8");
    const imports = text.matchAll(/(?:\bfrom|\bimport)\s*["']\.\/([^"']+\.js)["']/g);
    for (const [, name = ""] of imports) wanted.push(join("assets", basename(name)));
  }
  return found;
}

function files(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(DIST.length));
}

function gzipped(path: string): number {
  return gzipSync(readFileSync(join(DIST, path)), { level: 9 }).length;
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1024).toFixed(1)} KB`;
}

const inShell = shell();
const rows = files(DIST).map((path) => ({
  path,
  raw: statSync(join(DIST, path)).size,
  zipped: gzipped(path),
}));
for (const { path, raw, zipped } of [...rows].sort((a, b) => b.zipped - a.zipped)) {
  const part = inShell.has(path) ? "shell" : "";
  say(
    `${path.padEnd(44)} ${kilobytes(raw).padStart(10)}  gzip ${kilobytes(zipped).padStart(9)}  ${part}`,
  );
}
const shellBytes = [...inShell].reduce((sum, path) => sum + gzipped(path), 0);
const all = rows.reduce((sum, row) => sum + row.zipped, 0);
say(`shell JavaScript, gzip: ${kilobytes(shellBytes)} of ${kilobytes(SHELL_BYTES_MAX)}`);
say(`embedded, gzip: ${kilobytes(all)} of ${kilobytes(ALL_BYTES_MAX)}`);
process.exitCode = shellBytes > SHELL_BYTES_MAX || all > ALL_BYTES_MAX ? 1 : 0;

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
