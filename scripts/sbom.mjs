// Says what a program and its web console are made of: a bill of materials (CycloneDX 1.6, JSON), and the licences
// of all of it as one text.
//
//   cargo metadata --locked --format-version 1 --filter-platform TARGET \
//       | node scripts/sbom.mjs --roots stepwell-server,checkout --lock console/package-lock.json \
//             --bill FILE --licences FILE
//
// Packages that only tests need are left out. The same input makes the same bytes; the time in it is that of
// SOURCE_DATE_EPOCH.

import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** What a file of a package has to be called to be a licence. */
const LICENCE = /^(licen[cs]e|copying|copyright|notice|unlicense)/i;

/** Returns the packages that `roots` are built from, they themselves included, in the order of their names. */
export function built(metadata, roots) {
  const nodes = new Map(metadata.resolve.nodes.map((node) => [node.id, node]));
  const packages = new Map(metadata.packages.map((one) => [one.id, one]));
  const members = new Set(metadata.workspace_members);
  const open = metadata.packages.filter((one) => members.has(one.id) && roots.includes(one.name)).map((one) => one.id);
  if (open.length !== roots.length) throw new Error(`not all of ${roots.join(", ")} are in the workspace`);
  const seen = new Set(open);
  while (open.length > 0) {
    for (const dep of nodes.get(open.pop()).deps) {
      const isBuilt = dep.dep_kinds.some((one) => one.kind !== "dev");
      if (isBuilt && !seen.has(dep.pkg)) {
        seen.add(dep.pkg);
        open.push(dep.pkg);
      }
    }
  }
  const found = [...seen].map((id) => ({ ...packages.get(id), isOurs: members.has(id) }));
  return found.sort((a, b) => order(`${a.name}@${a.version}`, `${b.name}@${b.version}`));
}

/** Returns the npm packages of a lock file that are in what is built, without those for development. */
export function bundled(lock) {
  return Object.entries(lock.packages)
    .filter(([path, one]) => path !== "" && !one.dev && !one.optional && !one.devOptional && !one.peer)
    .map(([path, one]) => ({ ...one, path, name: path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length) }))
    .sort((a, b) => order(`${a.name}@${a.version}`, `${b.name}@${b.version}`));
}

function order(a, b) {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** SPDX wants `OR` where old manifests have a slash. */
function licences(expression) {
  return expression ? [{ expression: expression.replaceAll("/", " OR ") }] : undefined;
}

function ofCargo(one, checksums) {
  const purl = `pkg:cargo/${one.name}@${one.version}`;
  const hash = checksums.get(`${one.name} ${one.version}`);
  return {
    type: one.isOurs && one.targets.some((target) => target.kind.includes("bin")) ? "application" : "library",
    "bom-ref": purl,
    name: one.name,
    version: one.version,
    description: one.description?.replace(/\s+/g, " ").trim() || undefined,
    hashes: hash ? [{ alg: "SHA-256", content: hash }] : undefined,
    licenses: licences(one.license),
    purl,
  };
}

function ofNpm(one) {
  const purl = `pkg:npm/${one.name.replace("@", "%40")}@${one.version}`;
  const [algorithm, digest] = (one.integrity ?? "").split("-");
  const names = { sha512: "SHA-512", sha384: "SHA-384", sha256: "SHA-256" };
  const content = digest && Buffer.from(digest, "base64").toString("hex");
  return {
    type: "library",
    "bom-ref": purl,
    name: one.name,
    version: one.version,
    hashes: content ? [{ alg: names[algorithm], content }] : undefined,
    licenses: licences(one.license),
    purl,
  };
}

/** Reads the checksums of packages from Cargo.lock. */
export function checksums(lock) {
  const found = new Map();
  for (const part of lock.split("[[package]]").slice(1)) {
    const value = (key) => part.match(new RegExp(`^${key} = "(.*)"$`, "m"))?.[1];
    if (value("checksum")) found.set(`${value("name")} ${value("version")}`, value("checksum"));
  }
  return found;
}

/** Makes the bill. */
export function bill({ crates, modules, sums, version, instant }) {
  const components = [...crates.map((one) => ofCargo(one, sums)), ...modules.map(ofNpm)];
  const made = {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: {
      timestamp: instant.toISOString(),
      component: { type: "application", "bom-ref": `stepwell@${version}`, name: "stepwell", version },
    },
    components,
  };
  // A number that is the same for the same content, as RFC 9562 §5.8 lets one be made.
  const digest = createHash("sha256").update(JSON.stringify(made)).digest("hex");
  const parts = [digest.slice(0, 8), digest.slice(8, 12), `8${digest.slice(13, 16)}`, `a${digest.slice(17, 20)}`];
  return { ...made, serialNumber: `urn:uuid:${parts.join("-")}-${digest.slice(20, 32)}` };
}

/** Returns the texts of licences in a folder. */
function texts(folder) {
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder, { withFileTypes: true }).filter((one) => one.isFile() && LICENCE.test(one.name));
  return names.map((one) => readFileSync(join(folder, one.name), "utf8").replaceAll("\r\n", "\n").trim()).sort();
}

/** Makes one text of all licences; each text stands once, with all that come under it. */
export function notices(parts) {
  const under = new Map();
  const without = [];
  for (const { name, license, folder } of parts) {
    const found = texts(folder);
    if (found.length === 0) without.push(`${name}: ${license ?? "no licence is named"}`);
    for (const text of found) under.set(text, [...(under.get(text) ?? []), `${name} (${license ?? "see below"})`]);
  }
  const blocks = [...under].map(([text, names]) => `${names.join("\n")}\n\n${text}\n`).sort(order);
  const rule = `\n${"-".repeat(100)}\n\n`;
  const head = "What Stepwell is built from, with the licences under which it may be used.\n";
  const bare = "Packages that name a licence and bring no text of it along:\n\n" + without.join("\n") + "\n";
  return [head, bare, ...blocks].join(rule);
}

function main() {
  const given = Object.fromEntries(
    process.argv.slice(2).flatMap((one, at, all) => (one.startsWith("--") ? [[one.slice(2), all[at + 1]]] : [])),
  );
  const metadata = JSON.parse(readFileSync(0, "utf8"));
  const crates = built(metadata, given.roots.split(","));
  const modules = bundled(JSON.parse(readFileSync(given.lock, "utf8")));
  const instant = new Date(Number(process.env.SOURCE_DATE_EPOCH ?? 0) * 1000);
  const version = crates.find((one) => one.name === given.roots.split(",")[0]).version;
  const sums = checksums(readFileSync(join(metadata.workspace_root, "Cargo.lock"), "utf8"));
  const made = bill({ crates, modules, sums, version, instant });
  writeFileSync(given.bill, `${JSON.stringify(made, null, 1)}\n`);
  const others = crates.filter((one) => !one.isOurs);
  const parts = [
    ...others.map((one) => ({ name: `${one.name} ${one.version}`, license: one.license, folder: dirname(one.manifest_path) })),
    ...modules.map((one) => ({
      name: `${one.name} ${one.version}`,
      license: one.license,
      folder: join(dirname(given.lock), one.path),
    })),
  ];
  writeFileSync(given.licences, notices(parts));
  console.log(`${crates.length} crates and ${modules.length} npm packages are in the bill of materials`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
