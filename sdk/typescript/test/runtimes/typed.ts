/** TypeScript that the runtime itself runs, with what ends by leaving its block. */

import { app, client, workflow } from "stepwell";
import { TestServer } from "stepwell/test";
import { run, same } from "./cases.mjs";

const double = workflow({ name: "double" }, async ({ input, step }) => {
  const { n } = input as { n: number };
  return await step.run("double", (): number => 2 * n);
});

await run("typed", {
  "a .ts program, `await using`": async () => {
    await using server = await TestServer.start();
    await using runner = await app("typed", { workflows: [double] }).serve({
      url: server.url,
      log: false,
    });
    same(runner.name, "typed");
    same(await client({ url: server.url }).startAndWait(double, { n: 4 }), 8);
  },
});
