/** The world outside: stock, payments, parcels. Made up, but it fails as the real one does. */

import { NonRetryableError } from "stepwell";
import type { Order } from "./orders.ts";

/** Articles that are not in stock in this shop, and where its carrier does not go. */
const OUT_OF_STOCK: readonly string[] = ["SKU-GRAMOPHONE", "SKU-TELEGRAPH"];
const NOT_REACHED = "The Lighthouse";

/** What the steps of an order talk to. */
export class Shop {
  /** What was taken back. */
  readonly notes: string[] = [];

  /** Sets pieces aside and names the shelf. What is not there will not be there at the next attempt. */
  reserve(sku: string, pieces: number): string {
    if (OUT_OF_STOCK.includes(sku)) throw new NonRetryableError(`${sku} is out of stock`);
    return `shelf ${(hash(sku) % 40) + (pieces % 2)}`;
  }

  /** Takes money, once for each key however often it is called, and gives the receipt. */
  charge(key: string, order: Order, cents: number, attempt: number): string {
    const busy = order.bankBusy ?? 0;
    if (attempt <= busy) {
      throw new Error(`the bank is busy, attempt ${attempt} of at least ${busy + 1}`);
    }
    if (order.declined === true) throw new NonRetryableError("the card is declined");
    return `receipt ${hash(`${key} ${cents}`)}`;
  }

  /** Gives the money of a receipt back, once for each key. */
  refund(key: string, receipt: string): string {
    this.notes.push(`${receipt} is paid back`);
    return `refund ${hash(key)} for ${receipt}`;
  }

  /** Puts pieces back that were set aside. */
  putBack(sku: string, pieces: number, shelf: string): void {
    this.notes.push(`${pieces} of ${sku} are back on ${shelf}`);
  }

  /** Prints a label and gives the parcel's number. */
  label(order: string): string {
    return `parcel ${hash(order)}`;
  }

  /** Gives a parcel to the carrier, who does not go everywhere. */
  handOver(parcel: string, customer: string): string {
    if (customer === NOT_REACHED) {
      throw new NonRetryableError(`the carrier does not go to ${customer}`);
    }
    return `${parcel} is with the carrier`;
  }

  /** Tells a customer that there is no order. */
  saySorry(uncertain: readonly string[]): void {
    this.notes.push(`sorry; ${uncertain.length} steps are uncertain`);
  }
}

function hash(text: string): number {
  let value = 7;
  for (const char of text) value = (Math.imul(value, 131) ^ (char.codePointAt(0) ?? 0)) >>> 0;
  return value;
}
