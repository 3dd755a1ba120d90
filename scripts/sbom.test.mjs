// `node --test scripts/sbom.test.mjs`: what is left out of the bill of materials and what is not.

import assert from "node:assert/strict";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { bill, built, bundled, checksums, notices } from "./sbom.mjs";

const one = (name, more = {}) => ({ id: name, name, version: "1.0.0", license: "MIT", targets: [], ...more });
const dep = (pkg, ...kinds) => ({ pkg, dep_kinds: kinds.map((kind) => ({ kind })) });
const metadata = {
  workspace_members: ["server", "other"],
  packages: ["server", "other", "a", "b", "tests", "builds"].map((name) => one(name)),
  resolve: {
    nodes: [
      { id: "server", deps: [dep("a", null), dep("tests", "dev"), dep("builds", "build")] },
      { id: "other", deps: [dep("tests", null)] },
      { id: "a", deps: [dep("b", "dev", null)] },
      { id: "b", deps: [] },
      { id: "builds", deps: [] },
      { id: "tests", deps: [] },
    ],
  },
};

test("what only tests need is left out", () => {
  const names = built(metadata, ["server"]).map((found) => found.name);
  assert.deepEqual(names, ["a", "b", "builds", "server"]);
  assert.throws(() => built(metadata, ["server", "nothing"]), /not all of/);
});

test("npm packages for development are left out", () => {
  const lock = {
    packages: {
      "": { name: "console" },
      "node_modules/react": { version: "1.0.0", license: "MIT" },
      "node_modules/x/node_modules/@a/b": { version: "2.0.0" },
      "node_modules/vite": { version: "3.0.0", dev: true },
      "node_modules/native": { version: "3.0.0", optional: true },
    },
  };
  assert.deepEqual(bundled(lock).map((found) => found.name), ["@a/b", "react"]);
});

test("the bill names everything, and is the same for the same input", () => {
  const sums = checksums('[[package]]\nname = "a"\nversion = "1.0.0"\nchecksum = "c0ffee"\n');
  const input = {
    crates: built(metadata, ["server"]),
    modules: [{ name: "@a/b", version: "2.0.0", license: "MIT/ISC", integrity: "sha512-AAEC" }],
    sums,
    version: "1.0.0",
    instant: new Date(0),
  };
  const made = bill(input);
  assert.equal(JSON.stringify(made), JSON.stringify(bill(input)));
  assert.match(made.serialNumber, /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.equal(made.metadata.timestamp, "1970-01-01T00:00:00.000Z");
  const found = made.components.find((component) => component.name === "@a/b");
  assert.equal(found.purl, "pkg:npm/%40a/b@2.0.0");
  assert.deepEqual(found.licenses, [{ expression: "MIT OR ISC" }]);
  assert.deepEqual(found.hashes, [{ alg: "SHA-512", content: "000102" }]);
  assert.deepEqual(made.components.find((component) => component.name === "a").hashes[0].content, "c0ffee");
  const refs = new Set(made.components.map((component) => component["bom-ref"]));
  assert.equal(refs.size, made.components.length);
});

test("a text of a licence stands once, and who brings none is named", () => {
  const folder = mkdtempSync(join(tmpdir(), "sbom-"));
  writeFileSync(join(folder, "LICENSE-MIT"), "Permission is hereby granted\r\n");
  writeFileSync(join(folder, "README.md"), "no licence");
  const parts = [
    { name: "a 1", license: "MIT", folder },
    { name: "b 1", license: "MIT", folder },
    { name: "c 1", license: "ISC", folder: join(folder, "nowhere") },
  ];
  const text = notices(parts);
  assert.equal(text.split("Permission is hereby granted").length, 2);
  assert.match(text, /a 1 \(MIT\)\nb 1 \(MIT\)\n/);
  assert.match(text, /c 1: ISC/);
  assert.doesNotMatch(text, /no licence\b(?! is)/);
});
