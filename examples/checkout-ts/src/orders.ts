/** Orders, and files of them. */

import { readFile } from "node:fs/promises";

/** One article of an order. */
export interface Line {
  readonly sku: string;
  readonly pieces: number;
  /** The price of a piece. */
  readonly cents: number;
}

/** What somebody ordered. */
export interface Order {
  /** Its number; also the idempotency key of its run. */
  readonly id: string;
  readonly customer: string;
  /** At least one. */
  readonly lines: readonly Line[];
  /** How often the bank is too busy to take the payment, to see retries at work. */
  readonly bankBusy?: number;
  /** The bank does not take the payment at all. */
  readonly declined?: boolean;
  /** It is wrapped as a gift. */
  readonly gift?: boolean;
  /** How long a person has to approve it, where one has to. */
  readonly reviewWithin?: `${number}s` | `${number}h`;
}

/** Reads a file with one order as JSON on each line. */
export async function read(path: string | URL): Promise<Order[]> {
  const lines = (await readFile(path, "utf8")).split("\n").filter((line) => line.trim() !== "");
  return lines.map((line, at) => {
    const order = JSON.parse(line) as Order;
    if (order.lines.length === 0) throw new Error(`line ${at + 1}: order ${order.id} has no lines`);
    return order;
  });
}
