/**
 * The same with one step made durable. The lines of `checkout.ts` stand in a workflow, and in one of them `run.step`
 * has become `step.run`: the card is charged by a step whose result is saved, and that is not called again once it
 * is. The other steps are observed as before; where a process dies they are called again, as further attempts. Both
 * have the id of the durable run, which so shows the observed steps beside its own.
 */

import { type App, app, unchecked, workflow } from "stepwell";
import type { TelemetryClient } from "stepwell/telemetry";
import type { Order, Receipt, Shop } from "./shop.ts";

/** What the workflow is given. */
export interface Deps {
  readonly shop: Shop;
  readonly telemetry: TelemetryClient;
}

/** Takes an order. */
export const durableCheckout = workflow.withDeps<Deps>()(
  { name: "checkout", input: unchecked<Order>() },
  async ({ input: order, step, ctx }): Promise<Receipt> => {
    const { shop, telemetry } = ctx.deps;
    const run = telemetry.run("checkout", { runId: ctx.runId });
    await run.step("validate-cart", () => shop.validate(order));
    await run.step("reserve-stock", () => shop.reserve(order));
    const tx = await step.run("charge-card", () => shop.charge(order));
    if (order.gift === true) await run.step("gift-wrap", () => shop.wrap(order));
    else await run.skip("gift-wrap");
    await run.step("send-receipt", () => shop.sendReceipt(order, tx));
    return { order: order.id, tx, run: run.runId };
  },
);

/** The app with the workflow. */
export function durableShop(deps: Deps): App<"observed-shop", readonly [typeof durableCheckout]> {
  return app("observed-shop", { workflows: [durableCheckout], deps });
}
