/** Programs as they are written for other systems, on the dialects of the SDK: their pages say what a console shows of them. */

import { workflow } from "../../../sdk/typescript/dist/dialects/durablex/index.js";
import { createFailpathClient } from "../../../sdk/typescript/dist/dialects/failpath/index.js";
import { loop } from "../../../sdk/typescript/dist/dialects/loops/index.js";
import { type App, app } from "../../../sdk/typescript/dist/index.js";
import { work } from "./world.ts";

export { createFailpathClient };

/** What a patient's record shows of itself. */
export const PROFILE = { id: "p-7", region: "north", plan: "plus" };

/** Asks for a scan; a patient whom nobody knows makes it fail, a slow record keeps it running. */
const dailyScan = loop({
  name: "daily-scan",
  async run({ step, input }) {
    await step.do("Load profile", async () => {
      await work(input === "slow" ? 3_600_000 : 40);
      if (input === "nobody") throw new TypeError("there is no such patient");
      return PROFILE;
    });
    await step.do("Ask for a scan <now>", async () => "asked");
    await step.waitForScan({ timeout: "30 minutes" });
    await step.do("Send notification", async () => {});
  },
});

/** What an order gives to the step that charges. */
export const CHARGE = { orderId: "o-7", amount: 4200 };

const fraud = workflow({ name: "fraud-check" }, async (ctx) => ({
  ok: true,
  asked: ctx.event.data,
}));

/** Every sort of step, some side by side, and a pause that is longer than all of them. */
const fulfil = workflow({ name: "fulfil" }, async (ctx) => {
  await Promise.all([
    ctx.step.run("user", async () => await work(400)),
    ctx.step.run("prefs", async () => await work(400)),
  ]);
  const charge = await ctx.step.run("charge", CHARGE, async (input) => {
    await work(60);
    return { tx: `tx-${input.orderId}` };
  });
  await ctx.step.sleep("wait-for-settlement", "2s");
  await ctx.step.runWorkflow("fraud", { name: "fraud-check", data: { orderId: "o-7" } });
  await ctx.step.emit("notify", { name: "fulfil.told", data: { kind: "shipped" } });
  await ctx.step.run("ship", () => `parcel of ${charge.tx}`);
  await ctx.step.waitForEvent("await-approval", { event: "fulfil.approved", timeout: "24h" });
});

/** An app of each. */
export const care: App = app("care", { workflows: [dailyScan] });
export const orders: App = app("orders", { workflows: [fulfil, fraud] });
