import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { thrownBy } from "../../test/support.js";
import { findServer, NoServer, type Surroundings } from "./find.js";

const folder = mkdtempSync(join(tmpdir(), "stepwell-bin-"));
mkdirSync(join(folder, "bin"));
const packaged = join(folder, "bin", "stepwell");
const own = join(folder, "own");
for (const path of [packaged, own]) writeFileSync(path, "", { mode: 0o755 });

const installed: Surroundings = {
  env: {},
  platform: "linux",
  arch: "x64",
  resolve: (path) => {
    if (path !== "@stepwell/linux-x64/package.json") throw new Error(`no ${path}`);
    return join(folder, "package.json");
  },
};
const bare: Surroundings = {
  ...installed,
  resolve: () => {
    throw new Error("nothing is installed");
  },
};

function told(surroundings: Surroundings): string {
  const error = thrownBy(() => findServer(surroundings));
  if (!(error instanceof NoServer)) throw error;
  return error.message;
}

afterAll(() => rmSync(folder, { recursive: true }));

describe("the server", () => {
  it("is that of the platform's package", () => {
    expect(findServer(installed)).toBe(packaged);
    expect(findServer({ ...installed, env: { STEPWELL_BINARY: "" } })).toBe(packaged);
  });

  it("is the one that STEPWELL_BINARY names, whatever is installed", () => {
    const env = { STEPWELL_BINARY: own };
    expect([findServer({ ...installed, env }), findServer({ ...bare, env })]).toEqual([own, own]);
  });

  it("is missed with what to do about it", () => {
    expect(told(bare)).toContain(
      "the package @stepwell/linux-x64, which holds the server, is not installed",
    );
    expect(told({ ...bare, platform: "darwin", arch: "arm64" })).toBe(
      "there is no package with a server for darwin-arm64; there is one for: linux-x64. " +
        "Build the server and set STEPWELL_BINARY to its path.",
    );
    expect(told({ ...bare, env: { STEPWELL_BINARY: "/nowhere" } })).toContain(
      "the server /nowhere is not there (STEPWELL_BINARY",
    );
    const plain = join(folder, "plain");
    writeFileSync(plain, "");
    chmodSync(plain, 0o644);
    expect(told({ ...bare, env: { STEPWELL_BINARY: plain } })).toContain("cannot be run");
  });
});
