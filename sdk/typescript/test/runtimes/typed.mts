/** TypeScript that the runtime itself runs. */

import { app, workflow } from "stepwell";
import { Test } from "stepwell/test";
import { run, same } from "./cases.mjs";

interface Order {
  readonly cents: number;
}

const order = workflow({ name: "order" }, async ({ input, step }) => {
  const { cents } = input as Order;
  return await step.run("charge", (): string => `paid ${cents}`);
});

await run("typed", {
  "a program in TypeScript": async () => {
    const test = await Test.of(app("shop", { workflows: [order] }));
    const started = await test.start("order", { cents: 5 } satisfies Order);
    same(started.output(), "paid 5");
    await test.end();
  },
});
