import { app, client, type Workflow, waits, workflow } from "stepwell";
import { DivergenceError, hasServer, replay, TestServer } from "stepwell/test";
import { expect, it } from "vitest";
import { rejectionOf } from "../support.js";
import { stepIs } from "./shown.js";

const scans = waits({ waitForScan: { event: "scan" } });

const child = workflow({ name: "child" }, ({ input }) => input);

/** A workflow with every sort of step; `first` is the id of the first. */
function long(first: string): Workflow {
  return workflow.withWaits(scans)({ name: "long" }, async ({ step, ctx }) => {
    const one = await step.run(first, () => 1);
    const failed = await step
      .run("fails", () => Promise.reject(new Error("no")), { retry: false })
      .catch((error: Error) => error.message);
    const scan = await step.waitForScan();
    const won = await step.race("race", {
      nap: (two) => two.sleep("nap", "1ms"),
      long: (two) => two.sleep("long", "1h"),
    });
    await step.emit("tell", { event: "told" });
    const two = await step.invoke("child", { workflow: child, input: one });
    await step.skip("gift");
    return [one, failed, scan, won, two, ctx.random()];
  });
}

/** §4.1, §4.10: what a server shows of a run is a history, while it runs and after. */
it.skipIf(!hasServer())("code is held against runs of a server", { timeout: 60_000 }, async () => {
  await using server = await TestServer.start();
  const shop = app("shop", { workflows: [long("one"), child] });
  await using _runner = await shop.serve({ url: server.url, log: false });
  const stepwell = client({ url: server.url });
  const run = await stepwell.start("long");
  await stepIs(run, "wait waitForScan", "waiting");
  expect(await replay(shop, await run.show())).toEqual({ steps: 3, hasEnded: false });
  await stepwell.send("scan", 7);
  await run.wait();
  const history = JSON.parse(JSON.stringify(await run.show()));
  expect(await replay(shop, history)).toEqual({ steps: 9, hasEnded: true });
  const changed = app("shop", { workflows: [long("another"), child] });
  const error = await rejectionOf(replay(changed, history));
  expect(error instanceof DivergenceError && error.stepId).toBe("another");
});
