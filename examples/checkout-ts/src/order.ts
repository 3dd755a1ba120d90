/** What happens to an order: a saga with a race and a child run. */

import { app, event, NonRetryableError, type Step, StepError, unchecked, workflow } from "stepwell";
import type { Line, Order } from "./orders.ts";
import { type Shipment, sendParcel } from "./shipping.ts";
import { Shop } from "./shop.ts";

/** From this total on a person has to approve an order. */
const APPROVAL_FROM = 40_000;

/** Says what a person thinks of an order. */
export const reviewed = event("order.reviewed", unchecked<{ order: string; approved: boolean }>());

/** What becomes of an order. */
export interface Shipped {
  readonly order: string;
  readonly parcel: string;
  readonly receipt: string;
  readonly cents: number;
  readonly leftOut: readonly string[];
}

/**
 * Reserves every line at the same time, has dear orders approved, charges once, and has the order shipped by
 * a run of its own. Where an order fails, what was done for it is taken back, the last first: the money, then
 * what was set aside.
 */
export const handleOrder = workflow.withDeps<Shop>()(
  {
    name: "order",
    input: unchecked<Order>(),
    compensateOnCancel: true,
    // A shop would write to the customer.
    onFailure: ({ error, uncertainSteps }, { ctx, log }) => {
      log.warn(`the order failed: ${error.message}`);
      ctx.deps.saySorry(uncertainSteps);
    },
  },
  async ({ input: order, step, ctx }): Promise<Shipped> => {
    const shop = ctx.deps;
    const reserved = await Promise.all(order.lines.map((line) => reserve(step, shop, line)));
    const there = order.lines.filter((_, at) => reserved[at] === true);
    const leftOut = order.lines.filter((_, at) => reserved[at] !== true).map(({ sku }) => sku);
    if (there.length === 0) throw new NonRetryableError(`nothing of ${order.id} is in stock`);
    const cents = there.reduce((sum, line) => sum + line.cents * line.pieces, 0);

    if (cents >= APPROVAL_FROM) await approve(step, order);
    else await step.skip("approval", { reason: "it costs less than what has to be approved" });
    const receipt = await charge(step, shop, order, cents);

    // Another run, with a history of its own. Where it fails, this line does.
    const shipment: Shipment = {
      order: order.id,
      customer: order.customer,
      gift: order.gift === true,
    };
    const parcel = await step.invoke("shipping", {
      workflow: sendParcel,
      input: shipment,
      timeout: "7d",
    });
    ctx.log.info(`order ${order.id} of ${order.customer} is on its way`);
    return { order: order.id, parcel, receipt, cents, leftOut };
  },
);

/** Reserves a line; false where it is out of stock, which is no reason to keep the rest. */
async function reserve(step: Step<Shop>, shop: Shop, { sku, pieces }: Line): Promise<boolean> {
  try {
    await step.run(`reserve ${sku}`, () => shop.reserve(sku, pieces), {
      compensate: (shelf) => shop.putBack(sku, pieces, shelf),
    });
    return true;
  } catch (error) {
    if (StepError.is(error)) return false;
    throw error;
  }
}

/**
 * Waits for what a person says, or for as long as the order says: whatever comes first. The run is parked
 * meanwhile, for days if need be, and takes no place in this program.
 */
async function approve(step: Step<Shop>, order: Order): Promise<void> {
  const { value } = await step.race("approval", {
    review: (one) => one.waitForEvent("review", { event: reviewed, match: { order: order.id } }),
    limit: async (one) => {
      await one.sleep("time limit", order.reviewWithin ?? "1d");
      return null;
    },
  });
  if (value === null) throw new NonRetryableError("nobody reviewed the order in time");
  if (!value.approved) throw new NonRetryableError("the order was not approved");
}

/** Takes the money. The bank takes a payment once for each key, however often it is tried. */
async function charge(step: Step<Shop>, shop: Shop, order: Order, cents: number): Promise<string> {
  return await step.run(
    "charge",
    { cents },
    ({ attempt, idempotencyKey, log }) => {
      log.info(`charging ${cents} cents, attempt ${attempt}`);
      return shop.charge(idempotencyKey, order, cents, attempt);
    },
    {
      retry: { maxAttempts: 6, backoff: "100ms" },
      timeout: "10s",
      compensate: (receipt, { idempotencyKey, log }) =>
        log.info(shop.refund(idempotencyKey, receipt)),
    },
  );
}

/** Makes the shop's app. */
export const shopApp = (shop: Shop = new Shop()) =>
  app("shop", { workflows: [handleOrder, sendParcel], deps: shop });
