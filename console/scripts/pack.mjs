// Compresses what vite built into the folder that the server embeds, with a stamp that tells what it was built from.
// With --is-current it only says by its exit code whether that is so. Where REQUIRE_CONSOLE=1 the server refuses to
// be built with an older one (build.rs there).

import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { constants, gzipSync } from "node:zlib";

const root = fileURLToPath(new URL("..", import.meta.url));
const target = join(root, "../crates/stepwell-console/dist");
// What the console is made of; build.rs has the same list.
const FILES = [
  "index.html",
  "package-lock.json",
  "package.json",
  "tsconfig.json",
  "vite.config.ts",
];
const FOLDERS = ["public", "src"];

function list(folder) {
  return readdirSync(join(root, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join("/"));
}

function stamp() {
  const hash = createHash("sha256");
  // By bytes, as everybody sorts them, and not by somebody's language.
  const names = [...FILES, ...FOLDERS.flatMap(list)].sort((a, b) => (a < b ? -1 : 1));
  for (const name of names) {
    const bytes = readFileSync(join(root, name));
    hash.update(`${name}\n${bytes.length}\n`);
    hash.update(bytes);
  }
  return hash.digest("hex");
}

function isCurrent(now) {
  try {
    return readFileSync(join(target, ".stamp"), "utf8").trim() === now;
  } catch {
    return false;
  }
}

const now = stamp();
// What is current is left alone: touching it would have the server embed it again.
if (process.argv[2] === "--is-current") process.exit(isCurrent(now) ? 0 : 1);
rmSync(target, { recursive: true, force: true });
let sum = 0;
for (const path of list("dist")) {
  const gzip = gzipSync(readFileSync(join(root, path)), { level: constants.Z_BEST_COMPRESSION });
  const packed = join(target, `${relative("dist", path)}.gz`);
  mkdirSync(dirname(packed), { recursive: true });
  writeFileSync(packed, gzip);
  sum += gzip.length;
}
writeFileSync(join(target, ".stamp"), `${now}\n`);
process.stdout.write(`the console is ${Math.ceil(sum / 1024)} KiB, compressed\n`);
