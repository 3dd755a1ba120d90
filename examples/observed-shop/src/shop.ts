/** The world outside: stock, a bank, mail. Made up, but it takes its time and fails as the real one does. */

import { setTimeout } from "node:timers/promises";
import { NonRetryableError } from "stepwell";

/** What a customer orders. */
export interface Order {
  readonly id: string;
  readonly items: readonly string[];
  readonly cents: number;
  readonly card: string;
  readonly gift?: boolean;
}

/** What a customer gets. */
export interface Receipt {
  readonly order: string;
  readonly tx: string;
  /** Under what the carrier tells of the parcel. */
  readonly run: string;
}

/** The order cannot be taken; another attempt would meet the same. */
export class Refused extends NonRetryableError {}

/** What the steps of an order talk to. */
export class Shop {
  /** The money that was taken, by order. */
  readonly charged = new Map<string, number>();
  /** Calls of the bank. */
  calls = 0;

  validate({ id, items }: Order): void {
    if (items.length === 0) throw new Refused(`order ${id} is empty`);
  }

  async reserve({ items }: Order): Promise<number> {
    await setTimeout(2);
    if (items.includes("unicorn")) throw new Refused("unicorn is out of stock");
    return items.length;
  }

  /** Takes money, once for each order however often it is called. */
  async charge({ id, cents, card }: Order): Promise<string> {
    this.calls += 1;
    await setTimeout(5);
    if (card === "declined") throw new Refused("the card is declined");
    this.charged.set(id, cents);
    return `tx-${id}`;
  }

  async wrap(_order: Order): Promise<void> {
    await setTimeout(1);
  }

  async sendReceipt(_order: Order, _tx: string): Promise<void> {
    await setTimeout(1);
  }
}
