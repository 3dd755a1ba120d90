import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { client } from "../src/index.js";
import { hasServer, TestServer } from "../src/test/index.js";
import { rejectionOf } from "./support.js";

describe("a server for tests", () => {
  it.skipIf(!hasServer())("serves until it is stopped", async () => {
    const server = await TestServer.start();
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
    await server.stop();
    await server.stop();
    expect(await rejectionOf(fetch(`${server.url}/healthz`))).toBeInstanceOf(TypeError);
  });

  /** §4.9: what was acknowledged is there after a crash. */
  it.skipIf(!hasServer())("goes on with its data after a crash", async () => {
    const first = await TestServer.start();
    await client({ url: first.url }).send("a", 1, { id: "one" });
    const second = await first.restart();
    expect(second.url).toBe(first.url);
    expect(await client({ url: second.url }).send("a", 1, { id: "one" })).toMatchObject({
      accepted: false,
    });
    await second.stop();
  });

  it("that does not start says why", async () => {
    const node = rejectionOf(TestServer.start({ binary: process.execPath, args: ["x"] }));
    expect(await node).toHaveProperty(
      "message",
      expect.stringContaining("did not start; it said: "),
    );
    expect(existsSync("/nowhere/stepwell")).toBe(false);
    const none = await rejectionOf(TestServer.start({ binary: "/nowhere/stepwell" }));
    expect(none).toHaveProperty(
      "message",
      expect.stringContaining("spawn /nowhere/stepwell ENOENT"),
    );
  });
});
