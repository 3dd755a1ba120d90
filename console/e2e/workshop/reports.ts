/** The third app: values that are large or deep, and a workflow whose runner went home. */

import { described, object } from "./schema.ts";
import { workflow } from "./sdk.ts";
import { work } from "./world.ts";

const LINE = "2026-10-31;SKU-10421;Trail lamp 400 lm;2;19,90;DE;northline;delivered\n";

/** Exports sales as one text: its size is in the input. */
export const salesExport = workflow(
  {
    name: "sales-export",
    version: "4",
    input: described<{ month: string; kilobytes: number }>(
      object({
        month: { type: "string" },
        kilobytes: { type: "integer", minimum: 1, maximum: 3_000 },
      }),
    ),
  },
  async ({ input, step }) => {
    const csv = await step.run("export csv", () =>
      LINE.repeat(Math.ceil((input.kilobytes * 1024) / LINE.length)),
    );
    const tree = await step.run("category tree", () => category(40));
    const rows = await step.run("rows", () =>
      Array.from({ length: 4_000 }, (_, n) => ({
        row: n,
        sku: `SKU-${10_000 + n}`,
        sold: (n * 31) % 97,
        returned: n % 13 === 0,
      })),
    );
    return { bytes: csv.length, rows: rows.length, depth: tree === null ? 0 : 40 };
  },
);

interface Category {
  readonly name: string;
  readonly articles: number;
  readonly below: readonly Category[];
}

function category(depth: number): Category {
  const below = depth > 1 ? [category(depth - 1)] : [];
  return { name: `level ${41 - depth}`, articles: depth * 12, below };
}

/** Renders pictures of articles; its runners have few slots. */
export const renderPreviews = workflow(
  { name: "render-previews", version: "1" },
  async ({ input, step }) => {
    const { sku, minutes } = input as { sku: string; minutes: number };
    return await step.run("render", async ({ signal }) => {
      await work(minutes * 60_000, signal);
      return { sku, pictures: 8 };
    });
  },
);

/** Moves old orders to the archive; nobody serves it at night. */
export const archiveOrders = workflow(
  { name: "archive-orders", version: "1" },
  async ({ input, step }) => {
    return await step.run("archive", async () => await work(50).then(() => input as unknown));
  },
);
