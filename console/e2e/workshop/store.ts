/** More of the shop: imports with children, audits in parallel, quotes in a race, subscriptions that sleep. */

import { checkout, type Order, shipped } from "./checkout.ts";
import { described, object } from "./schema.ts";
import { NonRetryableError, workflow } from "./sdk.ts";
import { HttpError, hash, work } from "./world.ts";

/** Imports a file of orders: each is a run of its own. */
export const orderImport = workflow(
  { name: "order-import", version: "7" },
  async ({ input, step, ctx }) => {
    const { file, orders } = input as { file: string; orders: readonly Order[] };
    ctx.setSearch({ file });
    const read = await step.run("read file", async () => {
      await work(60);
      return { file, lines: orders.length, encoding: "utf-8" };
    });
    const done = await Promise.all(
      orders.map((order) =>
        step.invoke(`order:${order.orderId}`, { workflow: checkout, input: order }),
      ),
    );
    return { ...read, cents: done.reduce((sum, { cents }) => sum + cents, 0) };
  },
);

/** Compares the prices of many articles with a competitor's; some of them cannot be had. */
export const priceAudit = workflow(
  {
    name: "price-audit",
    version: "5",
    input: described<{ articles: number; missing: number; sheet?: string }>(
      object(
        {
          articles: { type: "integer", minimum: 1, maximum: 1000, default: 240 },
          missing: { type: "integer", minimum: 0, maximum: 1000, default: 3 },
          sheet: { type: "string" },
        },
        ["sheet"],
      ),
    ),
  },
  async ({ input, step }) => {
    const sheet = await step.run("load sheet", async () => {
      await work(80);
      return { sheet: input.sheet ?? "autumn-2026", articles: input.articles };
    });
    const every = Math.floor(input.articles / (input.missing + 1)) || 1;
    const isMissing = (n: number) => n % every === every - 1 && n < every * input.missing;
    const prices = await Promise.allSettled(
      Array.from({ length: input.articles }, (_, n) =>
        step.run(
          `price:SKU-${String(10_000 + n * 7)}`,
          async () => {
            await work(20 + ((n * 37) % 160));
            if (isMissing(n)) throw new HttpError(404, `no offer for SKU-${10_000 + n * 7}`);
            return { ours: 1990 + (n % 40) * 50, theirs: 1950 + (n % 60) * 40 };
          },
          { retry: { maxAttempts: 2, backoff: "100ms", jitter: false } },
        ),
      ),
    );
    const failed = prices.filter(({ status }) => status === "rejected").length;
    return await step.run("report", () => ({ ...sheet, compared: prices.length - failed, failed }));
  },
);

/** Asks three carriers at once and takes the first that answers. */
export const quote = workflow({ name: "carrier-quote", version: "2" }, async ({ input, step }) => {
  const { parcel } = input as { parcel: string };
  const best = await step.race("quotes", {
    northline: async (one) =>
      await one.run("ask northline", async () => {
        await work(90);
        return { cents: 690, days: 2 };
      }),
    slowpost: async (one) =>
      await one.run("ask slowpost", async ({ signal }) => {
        await work(5_000, signal);
        return { cents: 420, days: 6 };
      }),
    pigeon: async (one) => {
      await one.sleep("wait for the pigeon", "6h");
      return { cents: 100, days: 9 };
    },
  });
  return { parcel, carrier: best.winner, ...best.value };
});

/** Renews a subscription every month; it sleeps between, and goes on as a new run. */
export const renewal = workflow(
  { name: "subscription-renewal", version: "9" },
  async ({ input, step, ctx }) => {
    const { subscription, months, nap } = input as {
      subscription: string;
      months: number;
      nap?: string;
    };
    ctx.setSearch({ subscription, months });
    await step.run("invoice", async () => {
      await work(50);
      return { invoice: `inv_${hash(subscription + months)}`, cents: 1290 };
    });
    await step.sleep("until next month", (nap ?? "30 days") as "30 days");
    if (months > 1) return ctx.continueAs({ subscription, months: months - 1, nap });
    return { subscription, ended: true };
  },
);

/** Starts by an event, waits for a scan at a gate by a named wait. */
export const delivery = workflow(
  {
    name: "delivery",
    version: "1",
    triggers: [{ event: shipped, match: { express: true } }],
    waits: {
      waitForScan: {
        event: "parcel.scanned",
        match: ({ input }: { input: unknown }) => ({
          parcel: (input as { parcel: string }).parcel,
        }),
      },
    },
  },
  async ({ input, step, ctx }) => {
    const { orderId } = input as { orderId: string };
    ctx.setSearch({ orderId });
    await step.run("announce", async () => await work(30));
    return await step.waitForScan({ timeout: "3d" });
  },
);

/** Asks a service that does not answer in time: the run is over its deadline. */
export const customs = workflow(
  { name: "customs-clearance", version: "2", timeout: "1500ms" },
  async ({ input, step }) => {
    await step.run("declare", async () => {
      await work(60);
      return { mrn: `26DE${hash(JSON.stringify(input))}` };
    });
    await step.waitForEvent("released", { event: "customs.released" });
  },
);

/** Looks for what a step can end as: an attempt out of time, a wait out of time, a caught failure. */
export const stockCount = workflow(
  { name: "stock-count", version: "3", retry: { maxAttempts: 2, backoff: "400ms" } },
  async ({ input, step, ctx }) => {
    const { hall } = input as { hall: string };
    const late = await step
      .run("ask scanner", async ({ signal }) => await work(60_000, signal), {
        timeout: "250ms",
        retry: { maxAttempts: 2, backoff: "100ms" },
      })
      .catch((error: Error) => error.name);
    const scan = await step.waitForEvent("scan", {
      event: "hall.scanned",
      match: { hall },
      timeout: "300ms",
    });
    ctx.log.warn("no scan", { hall, late });
    await step.run("count by hand", { hall }, async () => {
      await work(40);
      throw new NonRetryableError(`hall ${hall} is locked`);
    });
    return { hall, scan };
  },
);

/** Unloads a lorry once a dock is free: pallet by pallet, each as long as one says. */
export const unloading = workflow(
  { name: "unloading", version: "1" },
  async ({ input, step, ctx }) => {
    const { lorry, pallets, eachMs } = input as { lorry: string; pallets: number; eachMs: number };
    ctx.setSearch({ lorry });
    await step.waitForEvent("free dock", { event: "dock.free", match: { lorry } });
    for (let n = 1; n <= pallets; n++) {
      await step.run(`pallet ${n}`, async () => {
        await work(eachMs);
        return { sscc: `3401234${hash(`${lorry} ${n}`)}`, pieces: 40 + ((n * 17) % 60) };
      });
    }
    return { lorry, pallets };
  },
);
