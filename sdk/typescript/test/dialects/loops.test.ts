import { describe, expect, it } from "vitest";
import { z } from "zod";
import { loop } from "../../src/dialects/loops/index.js";
import {
  ArgumentError,
  app,
  event,
  StepError,
  WaitTimeoutError,
  workflow,
} from "../../src/index.js";
import { Test } from "../../src/test/index.js";
import { thrownBy } from "../support.js";

describe("a loop", () => {
  /** §13.1: `step.do` calls and saves, its function gets `{ctx}`, and `waitForScan` gives what was sent to the run. */
  it("does steps and waits for its scan", async () => {
    const scans = loop({
      name: "scans",
      input: z.object({ parcel: z.string() }),
      async run({ step, ctx, input }) {
        const profile = await step.do("Load profile", () => ({ of: input.parcel }));
        const run = await step.do("Say the run", async ({ ctx, attempt }) => [ctx.runId, attempt]);
        const scan = await step.waitForScan({ timeout: "30 minutes" });
        return [profile, run[0] === ctx.runId, run[1], scan.gate];
      },
    });
    const native = workflow({ name: "native" }, () => 1);
    await using test = await Test.of(app("shop", { workflows: [scans, native] }));
    const run = await test.start("scans", { parcel: "p" });
    expect(run.step("wait waitForScan")).toMatchObject({ kind: "namedWait", status: "waiting" });
    await test.send("scan", { gate: 3 }, { run: run.id });
    expect(run.output()).toEqual([{ of: "p" }, true, 1, 3]);
    expect(run.steps().map(({ id }) => id)).toEqual([
      "Load profile",
      "Say the run",
      "wait waitForScan",
    ]);
  });

  /** §13.3: a scan that does not come in time fails its step, and is an error of the code. */
  it("fails where no scan comes in time", async () => {
    const seen: unknown[] = [];
    const scans = loop({
      name: "scans",
      run: ({ step }) =>
        step.waitForScan({ timeout: "30 minutes" }).catch((error: unknown) => {
          seen.push(WaitTimeoutError.is(error));
          throw error;
        }),
    });
    await using test = await Test.of(app("shop", { workflows: [scans] }));
    const run = await test.start("scans");
    await test.advance("30 minutes");
    expect(seen).toEqual([true]);
    expect([run.status, run.step("wait waitForScan").status]).toEqual(["failed", "failed"]);
  });

  /** §13.1: the scan may be another event, be matched, and be read by a schema. */
  it("waits for the scan that it declares", async () => {
    const scanned = event("scanned", z.object({ parcel: z.string(), gate: z.number() }));
    const scans = loop({
      name: "scans",
      input: z.object({ parcel: z.string() }),
      scan: { event: scanned, match: ({ input }) => ({ parcel: input.parcel }) },
      run: async ({ step }) => [await step.waitForScan(), (await step.waitForScan()).gate],
    });
    await using test = await Test.of(app("shop", { workflows: [scans] }));
    const run = await test.start("scans", { parcel: "p2" });
    await test.send(scanned, { parcel: "p1", gate: 1 });
    await test.send(scanned, { parcel: "p2", gate: 2 });
    await test.send(scanned, { parcel: "p2", gate: 4 });
    expect(run.output()).toEqual([{ parcel: "p2", gate: 2 }, 4]);
  });

  /** §13.5: one attempt, unless the code says more. */
  it("tries a step once unless it says more", async () => {
    const scans = loop({
      name: "scans",
      run: async ({ step }) => {
        const fail = (): never => {
          throw new RangeError("no");
        };
        const ends: unknown[] = [];
        for (const [name, options] of [
          ["bare", undefined],
          ["named", { metadata: { a: 1 } }],
          ["thrice", { retry: { maxAttempts: 3, backoff: "1s" } }],
          ["once", { atMostOnce: true }],
        ] as const) {
          await step.do(name, fail, options).catch((error: unknown) => {
            if (StepError.is(error)) ends.push([error.stepId, error.attempts]);
          });
        }
        return ends;
      },
    });
    await using test = await Test.of(app("shop", { workflows: [scans] }));
    const run = await test.start("scans");
    await test.advance("1h");
    expect(run.output()).toEqual([
      ["bare", 1],
      ["named", 1],
      ["thrice", 3],
      ["once", 1],
    ]);
  });

  /** §13.1: branches of a race have the loop's steps, and so have the native ones that it has no word for. */
  it("has the native steps beside its own, in branches of races too", async () => {
    const scans = loop({
      name: "scans",
      waits: { waitForMail: { event: "mail" } },
      run: async ({ step }) => {
        await step.skip("gift");
        await step.sleep("nap", "1s");
        const won = await step.race("first", {
          scan: async (one) => {
            const n = await one.do("counted", () => 2);
            return [n, (await one.waitForScan()).gate, await one.waitForMail()];
          },
          late: (one) => one.sleep("late", "1h"),
        });
        return ["run" in step, won];
      },
    });
    await using test = await Test.of(app("shop", { workflows: [scans] }));
    const run = await test.start("scans");
    await test.advance("1s");
    await test.send("scan", { gate: 1 });
    await test.send("mail", "yes");
    expect(run.output()).toEqual([false, { winner: "scan", value: [2, 1, "yes"] }]);
  });

  it("refuses what it does not know, by name", () => {
    const run = (): number => 1;
    const refused = (options: object): string => {
      const error = thrownBy(() => loop(options as never));
      return ArgumentError.is(error) ? error.message : String(error);
    };
    expect(refused({ name: "a", run, retries: 3 })).toContain("loop `a` has no option `retries`");
    expect(refused({ name: "a" })).toBe(
      "loop `a` has no handler; accepted: loop({ name, run: async ({ step, ctx, input }) => … })",
    );
    expect(refused({ name: "a", run, scan: { onTimeout: "null" } })).toContain(
      "loop `a`: the scan has no option `onTimeout`",
    );
    expect(refused({ name: "a", run, waits: { waitForScan: { event: "x" } } })).toContain(
      "loop `a`: there are two waits `waitForScan`",
    );
    expect(refused({ name: "a", run, scan: { schema: 7 } })).toContain("`schema` is no schema");
  });
});
