/** How an order leaves the shop: a run of its own. */

import { unchecked, workflow } from "stepwell";
import type { Shop } from "./shop.ts";

/** What is to be shipped. */
export interface Shipment {
  readonly order: string;
  readonly customer: string;
  readonly gift: boolean;
}

/**
 * Labels and wraps at the same time, while the customer may change their mind, then gives the parcel to the
 * carrier. Returns the parcel's number.
 */
export const sendParcel = workflow.withDeps<Shop>()(
  { name: "parcel", input: unchecked<Shipment>() },
  async ({ input, step, ctx }) => {
    const shop = ctx.deps;
    const wrap = input.gift
      ? step.run("wrap", () => undefined)
      : step.skip("wrap", { reason: "not a gift" });
    // The pause outlives every process.
    const [parcel] = await Promise.all([
      step.run("label", () => shop.label(input.order)),
      wrap,
      step.sleep("time to change one's mind", "1s"),
    ]);
    await step.run("hand over", () => shop.handOver(parcel, input.customer));
    return parcel;
  },
);
