/**
 * Handles the orders of a file with durable runs: this program serves the app, and starts a run for each
 * order. An order's number is its run's idempotency key: started twice, it is still shipped once.
 *
 * ```sh
 * node dist/main.js orders.jsonl
 * ```
 */

import { client } from "stepwell";
import { shopApp } from "./order.ts";
import { type Order, read } from "./orders.ts";

const shop = shopApp();
const orders = await read(process.argv[2] ?? "orders.jsonl");
const runner = await shop.serve();
const stepwell = client({ app: shop });
// Ctrl-C stops the runner; what is not awaited any more goes on as soon as it is started again.
const stopped = new AbortController();
runner.closed.finally(() => stopped.abort()).catch(() => undefined);

/** Starts the run of an order, or finds it, and says how it ended. */
async function handle(order: Order): Promise<string> {
  const run = await stepwell.start("order", order, { key: order.id });
  try {
    const { parcel, cents } = await run.wait({ signal: stopped.signal });
    return `order ${order.id}: ${parcel}, ${cents} cents`;
  } catch (error) {
    return `order ${order.id}: ${stopped.signal.aborted ? "goes on later" : error}`;
  }
}

/** Says how each order ended, as it ends. */
async function tell(order: Order): Promise<void> {
  process.stdout.write(`${await handle(order)}\n`);
}

await Promise.all(orders.map(tell));
await runner.closed;
