/** The second app: money that leaves the house once, books with ten thousand lines, a saga that ends badly. */

import { described, object } from "./schema.ts";
import { workflow } from "./sdk.ts";
import { hash, PaymentError, work } from "./world.ts";

/** Pays a supplier. The transfer starts at most once; nobody can ask the bank afterwards. */
export const payout = workflow(
  {
    name: "payout",
    version: "6",
    input: described<{ supplier: string; iban: string; cents: number; takesMs?: number }>(
      object(
        {
          supplier: { type: "string" },
          iban: { type: "string", minLength: 15, maxLength: 34 },
          cents: { type: "integer", minimum: 1 },
          takesMs: { type: "integer", minimum: 0 },
        },
        ["takesMs"],
      ),
    ),
  },
  async ({ input, step, ctx }) => {
    ctx.setSearch({ supplier: input.supplier, cents: input.cents });
    await step.run("check iban", async () => {
      await work(30);
      return { iban: input.iban, bank: "Muster Bank AG" };
    });
    const wired = await step.run(
      "wire",
      { iban: input.iban, cents: input.cents },
      async ({ log, signal }) => {
        log.info("transfer sent", { cents: input.cents });
        process.stdout.write(`wiring ${input.supplier}\n`);
        await work(input.takesMs ?? 80, signal);
        return { transfer: `tr_${hash(input.supplier)}` };
      },
      { atMostOnce: true },
    );
    await step.run("book", async () => await work(20));
    return wired;
  },
);

/** Books lines one after the other: as many steps as one asks for. */
export const ledgerClose = workflow(
  {
    name: "ledger-close",
    version: "2",
    input: described<{ steps: number; month?: string }>(
      object(
        { steps: { type: "integer", minimum: 1, maximum: 9_998 }, month: { type: "string" } },
        ["month"],
      ),
    ),
  },
  async ({ input, step }) => {
    let balance = 0;
    for (let n = 1; n <= input.steps; n++) {
      const account = 1000 + ((n * 613) % 7000);
      const line = await step.run(`book line ${n}`, () => ({
        line: n,
        account,
        cents: (n * 7919) % 100_000,
      }));
      balance += line.cents;
    }
    return { month: input.month ?? "2026-10", lines: input.steps, balance };
  },
);

/** Moves money between banks; when the last step fails, one thing cannot be taken back. */
export const settlement = workflow(
  {
    name: "settlement",
    version: "3",
    onFailure: ({ error }, { log }) => log.error("settlement failed", { because: error.message }),
  },
  async ({ input, step, ctx }) => {
    const { batch, slowCleanUp } = input as { batch: string; slowCleanUp?: boolean };
    ctx.setSearch({ batch });
    await step.run("lock batch", async () => ({ batch, lines: 412 }), {
      compensate: async (_, { signal }) =>
        await work(slowCleanUp === true ? 15 * 60_000 : 60, signal),
    });
    await step.run(
      "debit",
      async () => await work(90).then(() => ({ debit: `db_${hash(batch)}` })),
      {
        compensate: async ({ debit }, { attempt }) => {
          await work(40);
          throw new PaymentError(`${debit} is settled already (attempt ${attempt})`);
        },
      },
    );
    await Promise.all([
      step.run("credit: Muster Bank", async () => await work(120), {
        compensate: async () => await work(50),
      }),
      step.run("credit: Banque Modèle", async () => await work(70), {
        compensate: async () => await work(40),
      }),
    ]);
    await step.run(
      "confirm",
      async () => {
        await work(50);
        throw new PaymentError("the clearing house refused the batch: checksum differs");
      },
      { retry: { maxAttempts: 3, backoff: "200ms", jitter: false } },
    );
  },
);

/** Renders the month's statement: it says what it does, line by line, for as long as one asks. */
export const statement = workflow(
  { name: "statement", version: "1" },
  async ({ input, step, ctx }) => {
    const { customer, minutes } = input as { customer: string; minutes: number };
    ctx.setSearch({ customer });
    return await step.run("render", async ({ log, signal }) => {
      const pages = Math.ceil(minutes * 60);
      for (let page = 1; page <= pages; page++) {
        await work(1000, signal);
        log.info(`page ${page} of ${pages}`, { kilobytes: 40 + (page % 17) });
      }
      return { customer, pages };
    });
  },
);

/** Two builds of one workflow that do not agree: the second finds a journal that it did not write. */
export function catalogueSync(build: "2026.11.1" | "2026.11.2") {
  return workflow({ name: "catalogue-sync", version: build }, async ({ input, step }) => {
    const { supplier } = input as { supplier: string };
    await step.run("fetch", async () => await work(40).then(() => ({ supplier, articles: 1204 })));
    if (build === "2026.11.1") await step.sleep("cool down", "1500ms");
    else await step.run("cool down", () => "not needed any more");
    return await step.run("import", () => ({ imported: 1204 }));
  });
}
