/** Orders of a shop for lamps and tents, made from a number: the same number makes the same order. */

import type { Order } from "./checkout.ts";
import { hash } from "./world.ts";

const NAMES = [
  "Ada Brandt",
  "Jonas Keller",
  "Marie Dubois",
  "Piotr Zieliński",
  "Astrid Lindqvist",
  "Luca Moretti",
  "Hanna Okafor",
  "Émile Fournier",
  "Sofia Nyström",
  "Tomasz Wójcik",
  "Clara Hoffmann",
  "Noor de Vries",
] as const;

const COUNTRIES = ["DE", "DE", "FR", "PL", "SE", "DE"] as const;

const ARTICLES = [
  { sku: "LAMP-TRAIL-400", cents: 3490 },
  { sku: "TENT-RIDGE-2P", cents: 28_900 },
  { sku: "STOVE-ALPINE", cents: 6950 },
  { sku: "BOTTLE-1L", cents: 1590 },
  { sku: "ROPE-60M-9.8", cents: 14_990 },
  { sku: "MAT-SELF-INFL", cents: 8900 },
] as const;

const PAYMENTS = ["card", "sepa", "card", "invoice"] as const;

/** Makes an order; `more` says what is different about it. */
export function order(n: number, more: Partial<Order> = {}): Order {
  const name = pick(NAMES, n);
  const mail = name
    .normalize("NFD")
    .replace(/[^A-Za-z ]/g, "")
    .toLowerCase()
    .replaceAll(" ", ".");
  return {
    orderId: `ord_${hash(`order ${n}`).slice(0, 5)}`,
    customer: { name, email: `${mail}@post.example`, country: pick(COUNTRIES, n) },
    items: [item(n), item(n * 5 + 3)],
    payment: pick(PAYMENTS, n),
    express: n % 3 === 1,
    ...more,
  };
}

/** What costs so much that a person has to approve it. */
export const DEAR = [{ sku: "TENT-EXPEDITION-6P", pieces: 1, cents: 189_000 }] as const;

function item(n: number): Order["items"][number] {
  const { sku, cents } = pick(
    ARTICLES.filter(({ cents }) => cents < 10_000),
    n,
  );
  return { sku, pieces: 1 + (n % 2), cents };
}

function pick<T>(all: readonly T[], n: number): T {
  const found = all[n % all.length];
  if (found === undefined) throw new Error("there is nothing to pick from");
  return found;
}
