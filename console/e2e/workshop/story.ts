/**
 * A day of the shop: runs of every state and with every kind of step, by name. Each scene resolves once its run
 * stands where the scene says.
 */

import type { Order } from "./checkout.ts";
import type { Crew } from "./crew.ts";
import { HOSTILE_NAMES, hostileName, hostileText, hostileValue } from "./hostile.ts";
import { observe } from "./observed.ts";
import { DEAR, order } from "./people.ts";
import { type Client, client, type RunHandle, type RunView } from "./sdk.ts";

/** What scenes are played on. */
export interface Stage {
  readonly url: string;
  readonly crew: Crew;
  readonly stepwell: Client;
}

/** Makes a stage on a server. */
export function stageOn(crew: Crew): Stage {
  return { url: crew.url, crew, stepwell: client({ url: crew.url }) };
}

type Status = RunView["status"];

/** Resolves once a run looks as asked for; it is asked again for at most a minute. */
export async function until(
  run: RunHandle,
  what: string,
  isSo: (view: RunView) => boolean,
): Promise<RunView> {
  const begin = performance.now();
  for (;;) {
    const view = await run.show();
    if (isSo(view)) return view;
    if (performance.now() - begin > 60_000) {
      throw new Error(
        `run ${run.id} is ${view.status} and not ${what}: ${view.why ?? "it has ended"}`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 40));
  }
}

async function stands(run: RunHandle, status: Status): Promise<RunHandle> {
  await until(run, status, (view) => view.status === status);
  return run;
}

async function at(run: RunHandle, step: string, status: string): Promise<RunHandle> {
  const isThere = ({ steps }: RunView) =>
    steps.some((one) => one.id === step && one.status === status);
  await until(run, `${status} at ${step}`, isThere);
  return run;
}

type Scene = (stage: Stage) => Promise<RunHandle>;

async function checkout({ stepwell }: Stage, n: number, more: Partial<Order> = {}) {
  const input = order(n, more);
  return await stepwell.start("checkout", input, { app: "shop", key: input.orderId });
}

async function fails({ stepwell }: Stage, n: number): Promise<RunHandle> {
  const base = order(n);
  const input = { ...base, carrier: "polar", customer: { ...base.customer, country: "AQ" } };
  return await stepwell.start("checkout", input, { app: "shop", key: input.orderId });
}

/** Scenes that need the runners of `shop`, `finance` and `reports` only. */
export const SCENES = {
  completed: async (stage) => await stands(await checkout(stage, 1), "completed"),
  retried: async (stage) => await stands(await checkout(stage, 2, { bankBusy: 2 }), "completed"),
  failed: async (stage) => await stands(await fails(stage, 3), "failed"),
  waiting: async (stage) =>
    await at(await checkout(stage, 4, { items: DEAR }), "approval", "waiting"),
  approved: async (stage) => {
    const run = await at(
      await checkout(stage, 5, { items: DEAR, bankBusy: 1 }),
      "approval",
      "waiting",
    );
    const data = { orderId: order(5).orderId, approved: true, by: "hanna" };
    await stage.stepwell.send("approval.decided", data);
    return await stands(run, "completed");
  },
  running: async (stage) =>
    await at(await checkout(stage, 6, { carrier: "slowpost" }), "ship", "running"),
  retrying: async ({ stepwell }) =>
    await at(
      await stepwell.start("refund", { orderId: "ord_7Hq2" }, { app: "shop" }),
      "refund",
      "retrying",
    ),
  cancelled: async (stage) => {
    const run = await at(await checkout(stage, 7, { items: DEAR }), "approval", "waiting");
    await run.cancel({ by: "hanna", reason: "the customer called: ordered twice" });
    return await stands(run, "cancelled");
  },
  paused: async (stage) => {
    const run = await at(await checkout(stage, 8, { items: DEAR }), "approval", "waiting");
    await run.pause({ by: "jonas", reason: "address is being checked with the customer" });
    return await stands(run, "paused");
  },
  timedOut: async ({ stepwell }) =>
    await stands(
      await stepwell.start("customs-clearance", { parcel: "NL7K2" }, { app: "shop" }),
      "timed_out",
    ),
  sleeping: async ({ stepwell }) => {
    const input = { subscription: "sub_lantern_club", months: 12 };
    return await at(
      await stepwell.start("subscription-renewal", input, { app: "shop" }),
      "until next month",
      "sleeping",
    );
  },
  chained: async ({ stepwell }) => {
    const input = { subscription: "sub_map_atlas", months: 3, nap: "120ms" };
    const run = await stepwell.start("subscription-renewal", input, { app: "shop" });
    await run.wait();
    return run;
  },
  children: async ({ stepwell }) => {
    const orders = Array.from({ length: 6 }, (_, n) => order(20 + n));
    const input = {
      file: "orders-2026-11-22.csv",
      orders: [...orders, order(26, { items: DEAR })],
    };
    const run = await stepwell.start("order-import", input, { app: "shop" });
    return await at(run, `order:${order(26).orderId}`, "waiting");
  },
  raced: async ({ stepwell }) =>
    await stands(
      await stepwell.start("carrier-quote", { parcel: "NL7K2" }, { app: "shop" }),
      "completed",
    ),
  delayed: async ({ stepwell }) =>
    await stands(
      await stepwell.start("carrier-quote", { parcel: "NL9M4" }, { app: "shop", delay: "5h" }),
      "waiting",
    ),
  tried: async ({ stepwell }) =>
    await stands(await stepwell.start("stock-count", { hall: "C" }, { app: "shop" }), "failed"),
  fanOut: async ({ stepwell }) =>
    await stands(
      await stepwell.start("price-audit", { articles: 240, missing: 3 }, { app: "shop" }),
      "completed",
    ),
  fanOutWide: async ({ stepwell }) =>
    await stands(
      await stepwell.start("price-audit", { articles: 1000, missing: 3 }, { app: "shop" }),
      "completed",
    ),
  badSaga: async ({ stepwell }) =>
    await stands(
      await stepwell.start("settlement", { batch: "2026-11-22/3" }, { app: "finance" }),
      "failed",
    ),
  compensating: async ({ stepwell }) =>
    await stands(
      await stepwell.start(
        "settlement",
        { batch: "2026-11-22/4", slowCleanUp: true },
        { app: "finance" },
      ),
      "compensating",
    ),
  logging: async ({ stepwell }) =>
    await at(
      await stepwell.start(
        "statement",
        { customer: "Clara Hoffmann", minutes: 30 },
        { app: "finance" },
      ),
      "render",
      "running",
    ),
  large: async ({ stepwell }) =>
    await stands(
      await stepwell.start(
        "sales-export",
        { month: "2026-10", kilobytes: 1024 },
        { app: "reports" },
      ),
      "completed",
    ),
  forked: async (stage) => {
    const source = await stands(await fails(stage, 9), "failed");
    const input = { ...order(9), carrier: "northline" };
    const by = { by: "hanna", reason: "the carrier was wrong" };
    return await stands(await source.fork({ step: "ship", input, ...by }), "completed");
  },
  rerun: async (stage) => {
    const source = await stands(await fails(stage, 10), "failed");
    const input = { ...order(10), carrier: "northline" };
    return await stands(
      await source.rerun({ input, by: "jonas", reason: "polar is closed" }),
      "completed",
    );
  },
} as const satisfies Record<string, Scene>;

/** Scenes that start, stop and kill runners of their own. They leave `finance`, `render`, `catalogue` served. */
export const STAGED = {
  /** The process dies while the money is on its way. */
  unknown: async ({ stepwell, crew }) => {
    const doomed = await crew.start(["finance"]);
    const input = {
      supplier: "Nordlicht GmbH",
      iban: "DE02120300000000202051",
      cents: 1_249_000,
      takesMs: 600_000,
    };
    const run = await stepwell.start("payout", input, { app: "finance" });
    await doomed.said(/^wiring Nordlicht/);
    await at(run, "wire", "running");
    await doomed.end("SIGKILL");
    await crew.start(["finance"]);
    return await stands(run, "blocked");
  },
  /** Code was changed while a run slept. */
  blocked: async ({ stepwell, crew }) => {
    const first = await crew.start(["catalogue"], "2026.11.1");
    const run = await stepwell.start(
      "catalogue-sync",
      { supplier: "Alpenglow" },
      { app: "catalogue" },
    );
    await at(run, "cool down", "sleeping");
    await first.end("SIGTERM");
    await crew.start(["catalogue"], "2026.11.2");
    return await stands(run, "blocked");
  },
  /** Nobody serves the app any more. */
  queued: async ({ stepwell, crew }) => {
    const night = await crew.start(["archive"]);
    await night.end("SIGTERM");
    return await stepwell.start("archive-orders", { before: "2025-01-01" }, { app: "archive" });
  },
  /** All slots are taken. */
  behind: async ({ stepwell, crew }) => {
    await crew.start(["render"]);
    const start = async (n: number) =>
      await stepwell.start(
        "render-previews",
        { sku: `TENT-RIDGE-${n}P`, minutes: 40 },
        { app: "render" },
      );
    const first = await Promise.all([1, 2].map(start));
    await Promise.all(first.map(async (run) => await at(run, "render", "running")));
    const rest = await Promise.all([3, 4, 5].map(start));
    return rest.at(-1) ?? (await start(6));
  },
} as const satisfies Record<string, Scene>;

/** The name of a scene. */
export type SceneName = keyof typeof SCENES | keyof typeof STAGED;

/** Closes the books with so many steps, one after the other. */
export async function ledger({ stepwell }: Stage, steps: number): Promise<RunHandle> {
  const run = await stepwell.start("ledger-close", { steps, month: "2026-10" }, { app: "finance" });
  await run.wait();
  return run;
}

/** Plays a day: every scene, and some ordinary business around them. Gives the runs by their scenes. */
export async function play(stage: Stage): Promise<ReadonlyMap<SceneName, RunHandle>> {
  const found = new Map<SceneName, RunHandle>();
  // `unknown` kills its runner: nothing else of that app may run before.
  for (const name of ["unknown", "blocked", "queued", "behind"] as const) {
    found.set(name, await STAGED[name](stage));
  }
  await stage.crew.start(["shop", "reports"]);
  await Promise.all([40, 50, 60, 70].map(async (n) => await business(stage, n)));
  const names = Object.keys(SCENES).filter((name): name is keyof typeof SCENES =>
    Object.hasOwn(SCENES, name),
  );
  const scenes = names.map(async (name) => found.set(name, await SCENES[name](stage)));
  await Promise.all(scenes);
  await scans(stage);
  await nearMisses(stage);
  await observe(stage.url, found.get("completed")?.id ?? null);
  return found;
}

/** Some ordinary orders, one after the other. */
async function business(stage: Stage, from: number): Promise<void> {
  for (let n = from; n < from + 6; n++) {
    const run = await checkout(stage, n, { bankBusy: n % 5 === 0 ? 1 : 0 });
    await run.wait();
  }
}

/** Parcels pass a gate, but for a few that are on their way still. */
async function scans({ stepwell }: Stage): Promise<void> {
  const { runs } = await stepwell.list({ workflow: "delivery", status: "waiting", limit: 100 });
  for (const [n, { id }] of runs.entries()) {
    const { input } = await stepwell.run(id).show();
    const { parcel } = input as { parcel: string };
    if (n % 4 !== 3) await stepwell.send("parcel.scanned", { parcel, gate: n % 3 });
  }
}

/** Sends events that wake nobody: an order that nobody knows, a name that nobody waits for. */
async function nearMisses({ stepwell }: Stage): Promise<void> {
  await stepwell.send("approval.decided", { orderId: "ord_0000", approved: true, by: "hanna" });
  await stepwell.send("hall.scanned", { hall: "B", pallets: 14 });
  await stepwell.send("newsletter.opened", { campaign: "autumn-2026" });
}

/** Runs that are called badly and hold what is worse; gives their ids. They are all failed at the end. */
export async function playHostile({ stepwell, crew }: Stage): Promise<readonly string[]> {
  await crew.start(["hostile"]);
  const each = 100;
  const name = (await stepwell.workflows({ app: "<i>hostile" }))[0]?.name ?? "";
  const runs = await Promise.all(
    Array.from({ length: HOSTILE_NAMES / each }, async (_, n) => {
      const input = { made: { from: n * each, count: each }, bad: hostileValue(n) };
      const metadata = { [hostileName(n)]: hostileText(n) };
      const run = await stepwell.start(name, input, {
        app: "<i>hostile",
        key: hostileName(n),
        metadata,
      });
      await run.pause({ by: hostileName(n + 100), reason: hostileName(n + 300) });
      await run.resume({ by: hostileName(n + 200), reason: hostileName(n + 400) });
      return await stands(run, "failed");
    }),
  );
  for (let n = 0; n < 100; n++) await stepwell.send(hostileName(n), hostileValue(n));
  return runs.map(({ id }) => id);
}
