/**
 * The shop's backend, observed. With `--durable` each order is a durable run, and its card is charged by a durable
 * step.
 *
 * ```sh
 * node dist/main.js            # PORT=8080
 * node dist/main.js --durable
 * ```
 */

import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { client } from "stepwell";
import { createTelemetryClient } from "stepwell/telemetry";
import { backend } from "./backend.ts";
import { checkout } from "./checkout.ts";
import { durableShop } from "./durable.ts";
import { type Order, type Receipt, Shop } from "./shop.ts";

const shop = new Shop();
const telemetry = createTelemetryClient({ defaultMetadata: { service: "observed-shop" } });
const ends: (() => Promise<unknown>)[] = [];
let take = (order: Order): Promise<Receipt> => checkout(order, shop, telemetry);

if (process.argv.includes("--durable")) {
  const app = durableShop({ shop, telemetry });
  const runner = await app.serve({ handleSignals: false });
  const stepwell = client({ app });
  // The number of the order is the key: sent twice, it is taken once.
  take = (order) => stepwell.startAndWait("checkout", order, { key: order.id });
  ends.push(() => runner.stop());
}

const server = backend(take, telemetry);
await once(server.listen(Number(process.env.PORT ?? 8080), "127.0.0.1"), "listening");
const { port } = server.address() as AddressInfo;
process.stdout.write(`the shop listens at http://127.0.0.1:${port}\n`);

/** Ends as a service should: no new orders, then what is under way, then what was told. */
async function end(): Promise<void> {
  server.close();
  server.closeIdleConnections();
  for (const one of ends) await one();
  await telemetry.close();
  const { sent, dropped } = telemetry.stats;
  process.stdout.write(`${sent} events were sent, ${dropped} were not\n`);
}

process.once("SIGTERM", end);
process.once("SIGINT", end);
