import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createTelemetryClient } from "stepwell/telemetry";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { backend } from "./backend.ts";
import { checkout } from "./checkout.ts";
import { Collector } from "./collector.ts";
import { orderOf } from "./orders.ts";
import { type Order, Shop } from "./shop.ts";

const ORDER: Order = { id: "o-1", items: ["pen"], cents: 500, card: "4000", gift: true };

/** The file of flows, as far as it is looked at. */
interface Declared {
  readonly flows: readonly {
    readonly slug: string;
    readonly steps: readonly { readonly key: string }[];
  }[];
}

let collector: Collector;
let shop: Shop;

beforeEach(async () => {
  collector = await Collector.start();
  shop = new Shop();
});

afterEach(async () => await collector.stop());

describe("an order", () => {
  /** §10.2: each step is told as it begins and as it ends. */
  it("is told step by step", async () => {
    const receipt = await checkout(ORDER, shop, collector.telemetry);
    expect(receipt).toEqual({ order: "o-1", tx: "tx-o-1", run: "o-1" });
    const steps = ["validate-cart", "reserve-stock", "charge-card", "gift-wrap", "send-receipt"];
    const wanted = steps.flatMap((step) => [`${step} running`, `${step} success`]);
    expect(await collector.told("o-1")).toEqual(wanted);
  });

  /** §10.2: what does not apply is said to be left out. */
  it("says that it is no gift", async () => {
    await checkout({ ...ORDER, gift: false }, shop, collector.telemetry);
    const told = await collector.told("o-1");
    expect(told.filter((one) => one.startsWith("gift-wrap"))).toEqual(["gift-wrap skipped"]);
  });

  /** §10.2: its error comes out as it was thrown, and is told. */
  it("that is refused is told with its reason", async () => {
    const declined = checkout({ ...ORDER, card: "declined" }, shop, collector.telemetry);
    await expect(declined).rejects.toThrow("the card is declined");
    expect((await collector.told("o-1")).slice(-2)).toEqual([
      "charge-card running",
      "charge-card error",
    ]);
    expect(collector.events.at(-1)?.error).toMatchObject({ message: "the card is declined" });
    expect(shop.charged.size).toBe(0);
  });

  /** §10.3: a server that is away changes nothing. */
  it("is taken where nobody listens to what is told", async () => {
    const telemetry = createTelemetryClient({
      url: "http://127.0.0.1:1",
      projectKey: "sw_example",
    });
    expect(await checkout(ORDER, shop, telemetry)).toEqual({
      order: "o-1",
      tx: "tx-o-1",
      run: "o-1",
    });
    expect(await telemetry.close(1)).toBe(false);
    expect(telemetry.stats).toEqual({ recorded: 10, sent: 0, dropped: 10, pending: 0 });
  });
});

describe("the backend", () => {
  let server: Server;
  let url: string;

  beforeEach(async () => {
    const take = (order: Order) => checkout(order, shop, collector.telemetry);
    server = backend(take, collector.telemetry);
    await once(server.listen(0, "127.0.0.1"), "listening");
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  async function post(path: string, body: unknown): Promise<[number, unknown]> {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const response = await fetch(`${url}${path}`, { method: "POST", body: text });
    return [response.status, await response.json()];
  }

  /** §10.4: what the carrier tells later joins the run of the order. */
  it("takes orders, and hears of their parcels", async () => {
    expect(await post("/orders", ORDER)).toEqual([201, { order: "o-1", tx: "tx-o-1", run: "o-1" }]);
    expect(await post("/parcels", { run: "o-1", delivered: false, why: "lost" })).toEqual([
      202,
      {},
    ]);
    expect((await collector.told("o-1")).at(-1)).toBe("deliver error");
    expect(collector.events.at(-1)).toMatchObject({ error: { message: "lost" } });
    expect(collector.events.at(-1)).not.toHaveProperty("call");
  });

  it("answers what it cannot take", async () => {
    expect(await post("/orders", { ...ORDER, items: [] })).toEqual([
      422,
      { error: "order o-1 is empty" },
    ]);
    expect((await post("/orders", "{"))[0]).toBe(400);
    expect((await post("/elsewhere", {}))[0]).toBe(404);
    expect((await post("/orders", `"${"x".repeat(100_000)}"`))[0]).toBe(422);
  });

  /** §10.6: the file of flows declares what the program tells, and nothing else. */
  it("tells the steps that are declared", async () => {
    const file = new URL("../.stepwell/flows.json", import.meta.url);
    const { flows } = JSON.parse(readFileSync(file, "utf8")) as Declared;
    for (let n = 0; n < 40; n += 1) {
      const order = orderOf(n, "b");
      const [status] = await post("/orders", order);
      if (status === 201) await post("/parcels", { run: order.id, delivered: true });
    }
    await collector.told("");
    const told = new Set(collector.events.map(({ flow, step }) => `${flow} ${step}`));
    const declared = flows.flatMap(({ slug, steps }) => steps.map(({ key }) => `${slug} ${key}`));
    expect([...told].sort()).toEqual(declared.sort());
  });
});
