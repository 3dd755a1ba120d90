import { readFileSync } from "node:fs";
import { crashEverywhere, Test } from "stepwell/test";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Collector } from "./collector.ts";
import { durableShop } from "./durable.ts";
import { type Order, Shop } from "./shop.ts";

const ORDER: Order = { id: "o-1", items: ["pen"], cents: 500, card: "4000" };

let collector: Collector;

beforeEach(async () => {
  collector = await Collector.start();
});

afterEach(async () => await collector.stop());

/** Returns the steps of a program: its lines that call one. */
function steps(file: string): string[] {
  const lines = readFileSync(new URL(file, import.meta.url), "utf8").split("\n");
  return lines
    .map((line) => line.trim())
    .filter((line) => /\b(run|step)\.(step|run|skip)\("/.test(line));
}

describe("an order with a durable step", () => {
  it("differs from one that is observed by a word", () => {
    const observed = steps("checkout.ts");
    const changed = observed.map((line) =>
      line.replace('run.step("charge-card"', 'step.run("charge-card"'),
    );
    expect(steps("durable.ts")).toEqual(changed);
    expect(changed.filter((line, at) => line !== observed[at])).toHaveLength(1);
  });

  /** §4.1, §10.2: one step is saved, the others are told as before. */
  it("charges by a durable step, and tells of the others", async () => {
    const shop = new Shop();
    const test = await Test.of(durableShop({ shop, telemetry: collector.telemetry }));
    const run = await test.start("checkout", ORDER, { key: ORDER.id });
    await test.advance("1m");
    expect(run.output()).toEqual({ order: "o-1", tx: "tx-o-1", run: run.id });
    expect(run.steps().map(({ id }) => id)).toEqual(["charge-card"]);
    expect(await collector.told(run.id)).toEqual([
      "validate-cart running",
      "validate-cart success",
      "reserve-stock running",
      "reserve-stock success",
      "gift-wrap skipped",
      "send-receipt running",
      "send-receipt success",
    ]);
    await test.end();
  });

  /** §6.2: what another attempt would meet again is not tried again. */
  it("fails with the error of its step", async () => {
    const shop = new Shop();
    const test = await Test.of(durableShop({ shop, telemetry: collector.telemetry }));
    const run = await test.start("checkout", { ...ORDER, card: "declined" });
    await test.advance("1h");
    expect(() => run.output()).toThrow("failed");
    expect(run.history().error?.message).toContain("the card is declined");
    expect(shop.calls).toBe(1);
    await test.end();
  });

  /** §4.1: wherever its process dies, it comes out the same. */
  it("comes out the same wherever its process dies", async () => {
    const report = await crashEverywhere(
      () => durableShop({ shop: new Shop(), telemetry: collector.telemetry }),
      async (test) => {
        const run = await test.start("checkout", ORDER, { key: ORDER.id });
        await test.advance("1m");
        expect(run.output()).toEqual({ order: "o-1", tx: "tx-o-1", run: run.id });
      },
    );
    expect(report.points.length).toBeGreaterThan(3);
  });
});
