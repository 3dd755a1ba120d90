/**
 * Sends orders to the shop, of which some fail, and tells it of parcels:
 *
 * ```sh
 * node dist/load.js            # SHOP=http://127.0.0.1:8080 ORDERS=200 PER_SECOND=20
 * ```
 */

import { setTimeout } from "node:timers/promises";
import { orderOf } from "./orders.ts";
import type { Receipt } from "./shop.ts";

const { SHOP = "http://127.0.0.1:8080", ORDERS = "200", PER_SECOND = "20" } = process.env;
const batch = Date.now().toString(36);
const counts = new Map<number, number>();

async function post(path: string, body: unknown): Promise<[number, unknown]> {
  const response = await fetch(`${SHOP}${path}`, { method: "POST", body: JSON.stringify(body) });
  return [response.status, await response.json()];
}

async function send(n: number): Promise<void> {
  const [status, receipt] = await post("/orders", orderOf(n, batch));
  counts.set(status, (counts.get(status) ?? 0) + 1);
  // Every tenth parcel does not arrive, and of some nothing is heard.
  if (status !== 201 || n % 7 === 6) return;
  const { run } = receipt as Receipt;
  await post("/parcels", { run, delivered: n % 10 !== 9, why: "nobody was there" });
}

const all: Promise<void>[] = [];
for (let n = 0; n < Number(ORDERS); n += 1) {
  all.push(send(n));
  await setTimeout(1_000 / Number(PER_SECOND));
}
await Promise.all(all);
const told = [...counts].map(([status, count]) => `${count} answered ${status}`);
process.stdout.write(`${ORDERS} orders: ${told.join(", ")}\n`);
