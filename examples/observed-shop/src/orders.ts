/** Orders that are made up: most are good. */

import type { Order } from "./shop.ts";

/** Returns the order of a number: every eighth is a gift, some are refused at one step or another. */
export function orderOf(n: number, batch: string): Order {
  return {
    id: `order-${batch}-${n}`,
    items: n % 40 === 39 ? [] : n % 15 === 14 ? ["unicorn"] : ["pen", "lamp"].slice(0, 1 + (n % 2)),
    cents: 500 + n * 10,
    card: n % 11 === 10 ? "declined" : "4000",
    gift: n % 8 === 7,
  };
}
