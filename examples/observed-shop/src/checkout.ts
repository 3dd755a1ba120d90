/** What happens to an order. Nothing here is durable: its steps are observed. */

import type { TelemetryClient } from "stepwell/telemetry";
import type { Order, Receipt, Shop } from "./shop.ts";

/** Takes an order. */
export async function checkout(
  order: Order,
  shop: Shop,
  telemetry: TelemetryClient,
): Promise<Receipt> {
  const run = telemetry.run("checkout", { runId: order.id });
  await run.step("validate-cart", () => shop.validate(order));
  await run.step("reserve-stock", () => shop.reserve(order));
  const tx = await run.step("charge-card", () => shop.charge(order));
  if (order.gift === true) await run.step("gift-wrap", () => shop.wrap(order));
  else await run.skip("gift-wrap");
  await run.step("send-receipt", () => shop.sendReceipt(order, tx));
  return { order: order.id, tx, run: run.runId };
}
