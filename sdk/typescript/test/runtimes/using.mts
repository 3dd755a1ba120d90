/** Servers, runners and tests that end as their block is left. */

import { app, client, workflow } from "stepwell";
import { Test, TestServer } from "stepwell/test";
import { run, same } from "./cases.mjs";

const double = workflow({ name: "double" }, async ({ input, step }) => {
  const { n } = input as { n: number };
  return await step.run("double", (): number => 2 * n);
});

const doubles = app("doubles", { workflows: [double] });

await run("using", {
  "`await using` of a server, a runner and a test": async () => {
    await using server = await TestServer.start();
    await using runner = await doubles.serve({ url: server.url, log: false });
    same(runner.name, "doubles");
    same(await client({ url: server.url }).startAndWait(double, { n: 4 }), 8);
    await using test = await Test.of(doubles);
    same((await test.start(double, { n: 5 })).output(), 10);
  },
});
