import { type CrashReport, crashEverywhere, Test, type TestRun } from "stepwell/test";
import { describe, expect, it } from "vitest";
import { reviewed, shopApp } from "./order.ts";
import { type Order, read } from "./orders.ts";

/** An order with a line that is out of stock, and a bank that is busy at first. */
function order(more: Partial<Order> = {}): Order {
  const lines = [
    { sku: "SKU-PEN", pieces: 2, cents: 250 },
    { sku: "SKU-TELEGRAPH", pieces: 1, cents: 45_000 },
    { sku: "SKU-LAMP", pieces: 1, cents: 250 },
  ];
  const fixed = { id: "order-1", customer: "Ada", lines, bankBusy: 2 };
  return { ...fixed, reviewWithin: "1h", ...more };
}

/** An order that a person has to approve within an hour. */
function dear(): Order {
  const lines = [
    { sku: "SKU-CHAIR", pieces: 3, cents: 15_000 },
    { sku: "SKU-PEN", pieces: 1, cents: 250 },
  ];
  return order({ lines, bankBusy: 0 });
}

/** Says how an order came out, and at how many moments its process died. */
function show(what: string, report: CrashReport): void {
  process.stdout.write(`an order, ${what}: ${report}\n`);
}

/** The ids of the steps that take back, in their order. */
function takenBack(run: TestRun<unknown>): string[] {
  const ids = run.steps().map(({ id }) => id);
  return ids.filter((id) => id.startsWith("compensate") || id === "onFailure");
}

function failure(run: TestRun<unknown>): string {
  expect(() => run.output()).toThrow(`run ${run.id} failed`);
  return run.history().error?.message ?? "";
}

describe("an order, wherever its process dies", () => {
  /** §4.1, §4.2: is handled as if nothing had been, and what was saved is not done again. */
  it.each([
    ["no gift", false, 40],
    ["a gift", true, 42],
  ] as const)("comes out the same: %s", async (what, gift, points) => {
    const report = await crashEverywhere(shopApp, async (test) => {
      const run = await test.start("order", order({ gift }), { key: "order-1" });
      await test.advance("1m");
      expect(run.output()).toMatchObject({ cents: 750, leftOut: ["SKU-TELEGRAPH"] });
    });
    show(what, report);
    expect(report.points).toHaveLength(points);
  });

  /** §5.5, §8.4: before the approval, as it comes, or after it. */
  it("is shipped where it is approved in time", async () => {
    const report = await crashEverywhere(shopApp, async (test) => {
      const run = await test.start("order", dear());
      await test.advance("10m");
      await test.send(reviewed, { order: "order-1", approved: true });
      await test.advance("1m");
      expect(run.output().cents).toBe(45_250);
      expect(run.step("time limit").status).toBe("cancelled");
    });
    show("approved", report);
    expect(report.points.filter((point) => point.includes("review"))).toHaveLength(2);
  });

  /** §7.3: what was set aside is put back; nothing is charged. */
  it.each([
    ["nobody reviewed the order in time", false],
    ["the order was not approved", true],
  ])("is taken back: %s", async (why, isReviewed) => {
    const report = await crashEverywhere(shopApp, async (test) => {
      const run = await test.start("order", dear());
      await test.advance("10m");
      if (isReviewed) await test.send(reviewed, { order: "order-1", approved: false });
      await test.advance("1h");
      expect(failure(run)).toContain(why);
      expect(takenBack(run)).toHaveLength(3);
      expect(() => run.step("charge")).toThrow("has no step `charge`");
    });
    show(why, report);
  });

  /** §7.3: a card that is declined ends the order; nothing is shipped. */
  it("is taken back where the card is declined", async () => {
    const report = await crashEverywhere(shopApp, async (test) => {
      const run = await test.start("order", order({ declined: true }));
      await test.advance("1m");
      expect(failure(run)).toContain("the card is declined");
      expect(takenBack(run).at(-1)).toBe("onFailure");
      expect(() => run.step("shipping")).toThrow("has no step `shipping`");
    });
    show("declined", report);
  });

  /** §7.3, §7.4, §9.3: the money first; in that too the process may die. */
  it("is taken back where the child that ships fails", async () => {
    const report = await crashEverywhere(shopApp, async (test) => {
      const far = order({ customer: "The Lighthouse", bankBusy: 0 });
      const run = await test.start("order", far);
      await test.advance("1m");
      expect(failure(run)).toContain("the carrier does not go to The Lighthouse");
      const made = takenBack(run);
      expect([made[0], made.length, made[3]]).toEqual(["compensate charge", 4, "onFailure"]);
    });
    show("not shipped", report);
    const made = report.points.filter((point) => /compensate|onFailure/.test(point));
    expect(made).toHaveLength(16);
  });
});

/** §7.3: a mocked refund is called once. */
it("the money is paid back once", async () => {
  await using test = await Test.of(shopApp());
  const refund = test.mockStep("compensate charge", undefined);
  const run = await test.start("order", order({ customer: "The Lighthouse" }));
  await test.advance("1m");
  expect([refund.calls, run.status]).toEqual([1, "failed"]);
});

it("the file of the example is read", async () => {
  const orders = await read(new URL("../orders.jsonl", import.meta.url));
  expect(orders.length).toBe(6);
  await using test = await Test.of(shopApp());
  for (const one of orders) await test.start("order", one, { key: one.id });
  await test.advance("2d");
  const statuses = new Set(test.runs().map(({ status }) => status));
  expect(statuses).toEqual(new Set(["completed", "failed"]));
});
