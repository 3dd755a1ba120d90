import { describe, expect, it, vi } from "vitest";
import { BINARY, Server } from "../server.js";

describe.skipIf(BINARY === undefined)("a runner under fake timers", { timeout: 20_000 }, () => {
  /** A test's fake timers, which nobody moves, do not hold a runner up. */
  it("goes on", async () => {
    await using server = await Server.start();
    // The thread of the connection is a file of the built package.
    const built: string = new URL("../../dist/index.js", import.meta.url).href;
    const { app, client, workflow }: typeof import("../../src/index.js") = await import(built);
    const nap = workflow({ name: "nap" }, async ({ step }) => {
      await step.run(
        "fails once",
        ({ attempt }) => {
          if (attempt === 1) throw new Error("no");
        },
        { retry: { maxAttempts: 2, backoff: "60ms" } },
      );
      await step.sleep("nap", "20ms");
      return "slept";
    });
    const runner = await app("fake", { workflows: [nap] }).serve({ url: server.url, log: false });
    const { id } = await client({ url: server.url }).start("nap");
    vi.useFakeTimers();
    try {
      const run = client({ url: server.url }).run(id);
      while ((await run.show()).status !== "completed");
    } finally {
      vi.useRealTimers();
    }
    expect(await client({ url: server.url }).run(id).wait()).toBe("slept");
    await runner.stop();
  });
});
