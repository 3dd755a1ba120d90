/** The shop's order: reserve, charge, approve where it is dear, ship. */

import { described, object } from "./schema.ts";
import { event, NonRetryableError, workflow } from "./sdk.ts";
import { CarrierError, hash, PaymentError, pace, postToBank, work } from "./world.ts";

/** What a customer ordered. */
export interface Order {
  readonly orderId: string;
  readonly customer: { readonly name: string; readonly email: string; readonly country: string };
  readonly items: readonly {
    readonly sku: string;
    readonly pieces: number;
    readonly cents: number;
  }[];
  readonly payment: "card" | "invoice" | "sepa";
  readonly express?: boolean;
  /** Who carries it. `polar` does not go anywhere, `slowpost` takes its time. */
  readonly carrier?: string;
  /** How often the bank answers 502 first. */
  readonly bankBusy?: number;
  readonly note?: string | null;
}

/** Its JSON Schema: nested, with enums, arrays, bounds and members that may be absent. */
export const orderSchema = object(
  {
    orderId: {
      type: "string",
      pattern: "^ord_[A-Za-z0-9]{4,20}$",
      title: "Order",
      examples: ["ord_5fK2"],
    },
    customer: object({
      name: { type: "string", minLength: 1, maxLength: 120 },
      email: { type: "string", format: "email" },
      country: { type: "string", enum: ["DE", "FR", "PL", "SE", "AQ"], default: "DE" },
    }),
    items: {
      type: "array",
      minItems: 1,
      maxItems: 50,
      items: object({
        sku: { type: "string", minLength: 3 },
        pieces: { type: "integer", minimum: 1, maximum: 999, default: 1 },
        cents: { type: "integer", minimum: 0, description: "Price of a piece, in cents" },
      }),
    },
    payment: { type: "string", enum: ["card", "invoice", "sepa"], default: "card" },
    express: { type: "boolean", default: false },
    carrier: { type: "string", enum: ["northline", "slowpost", "polar"], default: "northline" },
    bankBusy: {
      type: "integer",
      minimum: 0,
      maximum: 6,
      description: "How often the bank answers 502 first",
    },
    note: { anyOf: [{ type: "string", maxLength: 500 }, { type: "null" }] },
  },
  ["express", "carrier", "bankBusy", "note"],
);

/** Somebody decided about an order. */
export const decided = event<{ orderId: string; approved: boolean; by: string }>(
  "approval.decided",
);
/** A parcel left the house. */
export const shipped = event<{ orderId: string; parcel: string; express: boolean }>(
  "order.shipped",
);

/** From this total on a person decides. */
const APPROVAL_FROM = 40_000;

/** Says whether an order smells. */
export const fraudCheck = workflow(
  { name: "fraud-check", version: "4", input: described<Order>(orderSchema) },
  async ({ input, step, ctx }) => {
    const [score, velocity, lists] = await Promise.all([
      step.run("score", () => work(pace(`score ${input.orderId}`, 60, 420)).then(() => 0.07)),
      step.run("velocity", () =>
        work(pace(`velocity ${input.orderId}`, 90, 300)).then(() => ({ orders24h: 2, cards: 1 })),
      ),
      step.run("sanction lists", () => work(60).then(() => [] as string[])),
    ]);
    ctx.log.info("checked", { orderId: input.orderId, score });
    return { score, velocity, lists, verdict: "clear" };
  },
);

/** Handles one order. */
export const checkout = workflow(
  {
    name: "checkout",
    version: "12",
    input: described<Order>(orderSchema),
    timeout: "3d",
    compensateOnCancel: true,
    onFailure: ({ error }, { log }) => {
      log.warn("told the customer", { because: error.message });
    },
  },
  async ({ input: order, step, ctx }) => {
    const cents = order.items.reduce((sum, item) => sum + item.cents * item.pieces, 0);
    ctx.setSearch({ orderId: order.orderId, country: order.customer.country, cents });
    const stock = await step.run(
      "reserve",
      { items: order.items },
      async ({ signal, log }) => {
        await work(pace(`reserve ${order.orderId}`, 40, 190), signal);
        log.info("reserved", { shelf: "B-14", pieces: order.items.length });
        return { reservation: `rsv_${hash(order.orderId)}`, shelf: "B-14" };
      },
      { compensate: async () => await work(70) },
    );
    const [charge] = await Promise.all([
      step.run(
        "charge",
        { orderId: order.orderId, cents },
        async ({ attempt, idempotencyKey, log }) => {
          log.info(`attempt ${attempt}`, { idempotencyKey });
          const id = await postToBank(
            `/v1/charges?order=${order.orderId}`,
            attempt,
            order.bankBusy ?? 0,
          );
          return { charge: id, cents, currency: "EUR" };
        },
        {
          retry: { maxAttempts: 4, backoff: "300ms", jitter: false },
          compensate: async ({ charge }, { log }) => {
            await work(110);
            log.info("refunded", { charge });
            return { refund: `re_${hash(charge)}` };
          },
        },
      ),
      step.invoke("fraud", { workflow: fraudCheck, input: order }),
    ]);
    if (cents >= APPROVAL_FROM) {
      const match = { orderId: order.orderId };
      const answer = await step.waitForEvent("approval", { event: decided, match, timeout: "1d" });
      if (!answer?.approved) throw new NonRetryableError(`order ${order.orderId} was not approved`);
    } else {
      await step.skip("approval", { reason: "under 400 EUR nobody has to approve" });
    }
    const label = await step.run("label", async () => {
      await work(pace(`label ${order.orderId}`, 30, 140));
      return { tracking: `NL${hash(stock.reservation).toUpperCase()}`, format: "zpl" };
    });
    await step.run(
      "ship",
      { tracking: label.tracking, carrier: order.carrier ?? "northline" },
      async ({ input, signal, log }) => {
        await work(
          input.carrier === "slowpost" ? 20 * 60_000 : pace(input.tracking, 80, 900),
          signal,
        );
        if (input.carrier !== "polar") return { pickedUp: true, dock: 3 };
        log.error("refused", { carrier: input.carrier });
        throw new CarrierError(`polar does not serve ${order.customer.country}: no route`);
      },
      { retry: { maxAttempts: 4, backoff: "150ms", jitter: false } },
    );
    const data = {
      orderId: order.orderId,
      parcel: label.tracking,
      express: order.express === true,
    };
    await step.emit("tell", { event: shipped, data });
    return { orderId: order.orderId, charge: charge.charge, tracking: label.tracking, cents };
  },
);

/** Gives money back; the bank is away for some minutes, so that a person may hurry it. */
export const refund = workflow({ name: "refund", version: "3" }, async ({ input, step, ctx }) => {
  const { orderId, busyFor } = input as { orderId: string; busyFor?: number };
  ctx.setSearch({ orderId });
  return await step.run(
    "refund",
    { orderId },
    async ({ attempt }) => {
      await work(50);
      if (attempt <= (busyFor ?? 2))
        throw new PaymentError("refunds are closed until the batch at 17:00");
      return { refund: `re_${hash(orderId)}` };
    },
    { retry: { maxAttempts: 8, backoff: "25m", jitter: false } },
  );
});
