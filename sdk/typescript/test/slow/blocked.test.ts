import { client } from "stepwell";
import { hasServer } from "stepwell/test";
import { expect, it } from "vitest";
import { Workshop } from "../e2e/process.js";
import { Server } from "../server.js";

/** How long the function blocks the only thread that code has: six times the silence that is allowed. */
const BLOCKED_MS = 60_000;

/** §4.7: a function that blocks its thread for a minute keeps its run, though another runner waits for it. */
it.skipIf(!hasServer())(
  "a function that blocks the event loop for 60 s runs once",
  { timeout: 5 * BLOCKED_MS },
  async () => {
    await using server = await Server.start();
    await using workshop = new Workshop(server.url);
    await workshop.runner();
    await workshop.runner();
    const begun = performance.now();
    const run = await client({ url: server.url }).start("block", { ms: BLOCKED_MS });
    expect(await run.wait()).toBe("unblocked");
    expect(performance.now() - begun).toBeGreaterThanOrEqual(BLOCKED_MS - 100);
    expect(workshop.calls()).toEqual(["block"]);
    const { steps } = await run.show();
    expect(steps[0]?.attempts.map(({ status }) => status)).toEqual(["completed"]);
  },
);
