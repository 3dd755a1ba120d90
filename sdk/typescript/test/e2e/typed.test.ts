import {
  type App,
  app,
  client,
  event,
  InputError,
  NonRetryableError,
  RunFailedError,
  type RunFailure,
  type Runner,
  ref,
  StepError,
  unchecked,
  waits,
  workflow,
} from "stepwell";
import { hasServer, TestServer } from "stepwell/test";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { rejectionOf } from "../support.js";

interface Deps {
  add(a: number, b: number): number;
}

const scanned = event("scan.done", z.object({ parcel: z.string(), at: z.coerce.date() }));
const scans = waits({
  waitForScan: {
    event: scanned,
    match: ({ input }: { input: { parcel: string } }) => ({ parcel: input.parcel }),
    onTimeout: "fail",
  },
});

const doubled = workflow({ name: "doubled", input: unchecked<{ n: number }>() }, ({ input }) => ({
  n: input.n * 2,
}));

const parcels = workflow.withDeps<Deps>().withWaits(scans)(
  {
    name: "parcels",
    input: z.object({ parcel: z.string(), n: z.number().default(2) }),
    output: z.object({ year: z.number(), sum: z.number(), written: z.string() }),
    triggers: [{ event: "parcel.sent" }],
  },
  async ({ input, step, ctx }) => {
    const sum = await step.run("add", { a: input.n }, ({ input, ctx }) => ctx.deps.add(input.a, 1));
    const saved = await step.run("save", () => ({ at: new Date(0) }));
    ctx.setSearch({ parcel: input.parcel });
    const scan = await step.waitForScan({ timeout: "1h" });
    const child = await step.invoke("double", {
      workflow: ref<typeof doubled>("doubled"),
      input: { n: sum },
    });
    return { year: scan.at.getUTCFullYear(), sum: child.n, written: saved.at };
  },
);

const told: RunFailure[] = [];
const undone: number[] = [];
const fails = workflow(
  { name: "fails", onFailure: (failure) => void told.push(failure) },
  async ({ step }) => {
    await step.run("paid", () => 5, { compensate: (cents) => void undone.push(cents) });
    await step.run("shipped", () => {
      throw new NonRetryableError("no address");
    });
  },
);

describe.skipIf(!hasServer())("an app as it is written", () => {
  const deps: Deps = { add: (a, b) => a + b };
  let server: TestServer;
  let runner: Runner;
  let shop: App<"shop", readonly [typeof parcels, typeof doubled, typeof fails]>;

  beforeAll(async () => {
    server = await TestServer.start();
    shop = app("shop", { workflows: [parcels, doubled, fails], deps });
    runner = await shop.serve({ url: server.url, handleSignals: false, log: false });
  }, 20_000);

  afterAll(async () => {
    await runner.stop();
    await server.stop();
  });

  /** §2.3, §2.4, §2.6, §9.2, §9.4: what types say is what is there. */
  it("gets what its schemas make of inputs, events and outputs", async () => {
    const stepwell = client({ app: shop, url: server.url });
    const run = await stepwell.start("parcels", { parcel: "p" });
    // It may come before the wait: events count from the start of the run on (§8.4).
    await stepwell.send(scanned, { parcel: "p", at: "2020-01-01T00:00:00Z" });
    expect(await run.wait()).toEqual({ year: 2020, sum: 6, written: "1970-01-01T00:00:00.000Z" });
    const { runs } = await stepwell.list({ search: { parcel: "p" } });
    expect(runs.map((one) => one.id)).toEqual([run.id]);
  });

  /** §9.1: an input that no JSON Schema refuses is checked by the runner, without another attempt. */
  it("refuses an input that an event brought and that does not fit", async () => {
    const stepwell = client({ url: server.url });
    const { id } = await stepwell.send("parcel.sent", { parcel: 7 });
    await expect.poll(async () => (await stepwell.event(id)).runsStarted).toHaveLength(1);
    const [started] = (await stepwell.list({ workflow: "parcels", limit: 1 })).runs;
    const error = await rejectionOf(stepwell.run(started?.id ?? "").wait());
    expect(RunFailedError.is(error) && InputError.is(error.cause)).toBe(true);
    expect(error).toHaveProperty("message", expect.stringContaining("does not fit at `$.parcel`"));
  });

  /** §6.3, §7.3, §7.4: a failed run is taken back and told, and its error is known by its class. */
  it("takes back what it did and is told why", async () => {
    const error = await rejectionOf(client({ url: server.url }).startAndWait(fails));
    expect(RunFailedError.is(error) && StepError.is(error.cause)).toBe(true);
    const { cause } = error as { cause: Error };
    expect(cause.message).toBe("step `shipped` failed after 1 attempt: no address");
    expect(cause.stack).toMatch(/^StepError: .*\n +at .*typed\.test\.ts/);
    expect(NonRetryableError.is(cause.cause)).toBe(true);
    expect(undone).toEqual([5]);
    expect(told).toMatchObject([
      {
        error: { name: "StepError" },
        completedSteps: [{ id: "paid", kind: "run", output: 5, completedAt: expect.any(Date) }],
        uncertainSteps: [],
        run: { app: "shop", workflow: "fails", status: "failed" },
      },
    ]);
  });
});
