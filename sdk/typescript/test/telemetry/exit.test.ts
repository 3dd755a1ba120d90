import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FakeServer } from "./server.js";

const CHILD = fileURLToPath(new URL("../runtimes/observed.mjs", import.meta.url));

let server: FakeServer;

beforeEach(async () => {
  server = await FakeServer.start();
});

afterEach(async () => await server.stop());

/** Runs the program; returns its exit code, and what it said. */
async function run(what: string, url: string = server.url): Promise<[number | null, string]> {
  const env = { ...process.env, STEPWELL_URL: url, STEPWELL_PROJECT_KEY: "sw_project_key" };
  const child = spawn(process.execPath, [CHILD, what], { env, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk) => {
      said += String(chunk);
    });
  }
  const [code] = (await once(child, "close")) as [number | null];
  return [code, said];
}

describe("the end of a process", () => {
  /** §10.3: what is left is sent as the process ends, which it does by itself. */
  it.each([
    ["alone", 0, 6],
    ["underway", 0, 6],
    ["exit", 7, 6],
    ["signal", 0, 6],
    ["strict", 0, 6],
    ["many", 0, 60],
    ["idle", 0, 0],
  ])(
    "loses nothing: %s",
    async (what, code, events) => {
      expect(await run(what)).toEqual([code, ""]);
      expect(server.events).toHaveLength(events);
    },
    60_000,
  );

  /** §10.3: the same where the server has to be asked twice. */
  it("sends again what was not taken", async () => {
    const busy = { status: 503, headers: { "retry-after": "0" } };
    for (const what of ["alone", "strict"]) {
      server.replies.push(busy, busy);
      expect(await run(what)).toEqual([0, ""]);
    }
    expect(server.events).toHaveLength(12);
  });

  /** §10.3: no server keeps a process alive: it ends, and what was not sent is lost. */
  it("waits for no server that is away or hangs", async () => {
    server.otherwise = "hang";
    for (const url of [server.url, "http://127.0.0.1:1"]) {
      for (const what of ["alone", "underway"]) expect(await run(what, url)).toEqual([0, ""]);
    }
    expect(server.events).toHaveLength(0);
  });
});
