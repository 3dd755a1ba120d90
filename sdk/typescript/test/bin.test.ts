import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "stepwell-command-"));
const command = join(root, "dist", "bin", "stepwell.js");

/** Stands in for the server: says what it is given, and does what its first argument says. */
const SERVER = `#!/usr/bin/env node
const [what, ...rest] = process.argv.slice(2);
if (what === "exit") process.exit(Number(rest[0]));
if (what === "die") process.kill(process.pid, rest[0]);
if (what === "say") console.log(JSON.stringify(rest));
if (what === "wait") {
  process.on("SIGTERM", () => { console.log("SIGTERM"); process.exit(5); });
  process.on("SIGINT", () => { console.log("SIGINT"); process.exit(6); });
  console.log("ready");
  setInterval(() => {}, 1e6);
}
`;

function run(args: string[], binary?: string): ChildProcess {
  const env = { ...process.env, STEPWELL_BINARY: binary };
  return spawn(process.execPath, [command, ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
}

async function ended(
  child: ChildProcess,
): Promise<{ code: number | null; signal: string | null; out: string; err: string }> {
  let out = "";
  let err = "";
  child.stdout?.on("data", (chunk) => {
    out += String(chunk);
  });
  child.stderr?.on("data", (chunk) => {
    err += String(chunk);
  });
  const [code, signal] = (await once(child, "close")) as [number | null, string | null];
  return { code, signal, out, err };
}

afterAll(() => rmSync(folder, { recursive: true }));

describe("the command", () => {
  const server = join(folder, "server");

  beforeAll(() => {
    writeFileSync(server, SERVER.replace("#!/usr/bin/env node", `#!${process.execPath}`), {
      mode: 0o755,
    });
  });

  it("gives the server its arguments, and ends as it ends", async () => {
    const args = ["say", "a b", "--x=$HOME", ""];
    expect(await ended(run(args, server))).toMatchObject({
      code: 0,
      out: `${JSON.stringify(args.slice(1))}\n`,
    });
    expect(await ended(run(["exit", "3"], server))).toMatchObject({ code: 3, signal: null });
    expect(await ended(run(["die", "SIGKILL"], server))).toMatchObject({
      code: null,
      signal: "SIGKILL",
    });
    expect(await ended(run(["die", "SIGTERM"], server))).toMatchObject({
      code: null,
      signal: "SIGTERM",
    });
  });

  it.each([
    ["SIGTERM", 5],
    ["SIGINT", 6],
  ] as const)("passes %s on", async (signal, code) => {
    const child = run(["wait"], server);
    const end = ended(child);
    if (child.stdout !== null) await once(child.stdout, "data");
    child.kill(signal);
    expect(await end).toMatchObject({ code, out: `ready\n${signal}\n` });
  });

  it("says what to do where there is no server", async () => {
    const { code, err } = await ended(run(["dev"], "/nowhere/stepwell"));
    expect([code, err.split("\n").length]).toEqual([127, 2]);
    expect(err).toContain(
      "stepwell: the server /nowhere/stepwell is not there (STEPWELL_BINARY names it)",
    );
  });
});
