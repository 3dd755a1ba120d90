/** What snippets of the pages take for granted: what a handler has, and code that is the reader's own. */

import type { readFile as readFileOf } from "node:fs/promises";
import type { Server } from "node:http";
import type { App, Ctx, Step, Workflow } from "stepwell";
import type { ObservedRun, TelemetryClient } from "stepwell/telemetry";
import type { Test } from "stepwell/test";
import type { expect as expectOf, it as itOf } from "vitest";
import type { shop as shopOf } from "./shop.js";

/** A function of the reader's, whatever it is given. */
type Own<T> = (...all: readonly unknown[]) => Promise<T>;

declare global {
  interface Order {
    readonly id: string;
    readonly customer: string;
    readonly cents: number;
    readonly items: readonly { readonly sku: string }[];
  }

  interface Receipt {
    readonly tx: string;
  }

  const step: Step;
  const ctx: Ctx;
  const order: Order;

  const pay: {
    readonly charge: Own<Receipt>;
    readonly refund: Own<void>;
    readonly check: Own<void>;
    readonly ask: Own<{ status: number; retryAfterMs: number; receipt: Receipt }>;
  };
  const bank: { readonly wire: Own<{ id: string }>; readonly find: Own<{ id: string } | null> };
  const mail: { readonly send: Own<void> };
  const parcels: {
    readonly send: Own<string>;
    readonly quote: Own<number>;
    readonly letter: Own<void>;
  };
  const stock: {
    readonly reserve: Own<string>;
    readonly putBack: Own<void>;
    readonly wrap: Own<void>;
    readonly level: Own<number>;
    readonly publish: Own<void>;
  };

  /** A function that is given to a step. */
  const charge: () => Promise<Receipt>;

  const shop: typeof shopOf;
  const checkout: Workflow<"checkout", Order, Receipt>;
  const shipOrder: Workflow<"ship-order", { order: string }, string>;
  const remind: Workflow<"remind", string, string>;
  const shopApp: (world: Shop) => App;
  class Shop {}

  const telemetry: TelemetryClient;
  const run: ObservedRun;
  const server: Server;

  const test: Test;
  const expect: typeof expectOf;
  const it: typeof itOf;
  const readFile: typeof readFileOf;
}
