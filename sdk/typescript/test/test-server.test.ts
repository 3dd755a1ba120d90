import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
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
