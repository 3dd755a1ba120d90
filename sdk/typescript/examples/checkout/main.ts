/**
 * Handles the orders of a file with durable runs: this program serves the app, and starts a run for each
 * order. An order's number is its run's idempotency key: started twice, it is still shipped once.
 *
 * ```sh
 * npx stepwell dev -- npx tsx main.ts orders.jsonl
 * ```
 */

import { client } from "stepwell";
import { shopApp } from "./checkout.ts";
import { read } from "./order.ts";

const shop = shopApp();
const orders = await read(process.argv[2] ?? "orders.jsonl");
await using runner = await shop.serve();
const stepwell = client({ app: shop });
const ends = await Promise.allSettled(
  orders.map(async (order) => {
    const run = await stepwell.start("checkout", order, { key: order.id });
    const { parcel, cents } = await run.wait();
    process.stdout.write(`order ${order.id}: ${parcel}, ${cents} cents\n`);
  }),
);
for (const end of ends) if (end.status === "rejected") process.stdout.write(`${end.reason}\n`);
process.stdout.write(`${runner.name} has handled ${ends.length} orders\n`);
