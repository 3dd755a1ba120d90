import { describe, expect, it } from "vitest";
import { z } from "zod";
import { thrownBy } from "../test/support.js";
import { appMaker } from "./app.js";
import { ArgumentError } from "./errors.js";
import { event } from "./event.js";
import { waits } from "./named-wait.js";
import { ref } from "./reference.js";
import { registration } from "./registration.js";
import type { App, Runner, ServeOptions } from "./types/index.js";
import { workflow } from "./workflow.js";

const served: [App, ServeOptions][] = [];
const app = appMaker(async (one, options) => {
  served.push([one, options]);
  const stop = async (): Promise<void> => {};
  const closed = Promise.resolve();
  const runner: Runner = {
    name: one.name,
    instance: "i",
    closed,
    stop,
    [Symbol.asyncDispose]: stop,
  };
  return runner;
});

const paid = event("order.paid", z.object({ order: z.string() }));
const scans = waits({ waitForScan: { event: "scan.done", onTimeout: "fail" } });
const plain = workflow({ name: "plain" }, () => 1);

function message(call: () => unknown): string {
  const error = thrownBy(call);
  if (!ArgumentError.is(error)) throw error;
  return error.message;
}

describe("workflows", () => {
  /** §9.1: what a runner registers. */
  it("are registered with all that they say", () => {
    const full = workflow(
      {
        name: "checkout",
        input: z.object({ order: z.string() }),
        output: z.number(),
        triggers: [{ event: paid, match: { order: "7" } }, { event: "order.made" }],
        retry: { maxAttempts: 2 },
        timeout: "1h",
        version: "2",
        strict: true,
        compensateOnCancel: true,
        onFailure: () => undefined,
      },
      () => 3,
    );
    expect(registration(full)).toMatchObject({
      name: "checkout",
      version: "2",
      timeoutMs: 3_600_000,
      strict: true,
      inputSchema: { type: "object", properties: { order: { type: "string" } } },
      outputSchema: { type: "number" },
      retry: {
        maxAttempts: 2,
        backoffMs: 1000,
        factorMilli: 2000,
        maxBackoffMs: 60_000,
        jitter: true,
      },
      compensateOnCancel: true,
      onFailure: true,
      triggers: [{ event: "order.paid", match: { order: "7" } }, { event: "order.made" }],
    });
    expect(registration(plain)).toEqual({ name: "plain", strict: false });
  });

  // What JavaScript code may give in spite of the types.
  const loose = workflow as unknown as (options: unknown, handler?: unknown) => unknown;
  it.each<[string, () => unknown, string]>([
    [
      "a name",
      () => loose({ name: "" }, () => 1),
      "a workflow's name is empty; accepted: 1 to 256 bytes",
    ],
    ["no name", () => loose({}, () => 1), "a workflow's name is undefined"],
    [
      "a name with a control character",
      () => loose({ name: "a\nb" }, () => 1),
      "holds a control character",
    ],
    ["a long name", () => loose({ name: "ä".repeat(129) }, () => 1), "has 258 bytes"],
    ["half a character", () => loose({ name: "\ud800" }, () => 1), "is not Unicode"],
    [
      "no options",
      () => loose(undefined, () => 1),
      "options are undefined; accepted: {name, input",
    ],
    [
      "an option",
      () => loose({ name: "a", timout: 1 }, () => 1),
      "workflow `a` has no option `timout`; it has: name",
    ],
    ["no handler", () => loose({ name: "a" }), "workflow `a` has no handler"],
    ["a duration", () => loose({ name: "a", timeout: "5M" }, () => 1), "`5M` is not a duration"],
    ["a schema", () => loose({ name: "a", input: {} }, () => 1), "`input` is no schema"],
    [
      "a retry",
      () => loose({ name: "a", retry: { maxAttempts: 0 } }, () => 1),
      "workflow `a`: retry.maxAttempts is 0",
    ],
    [
      "a trigger",
      () => loose({ name: "a", triggers: [{ event: 7 }] }, () => 1),
      "a trigger: what was given is no event",
    ],
    [
      "a wait's name",
      () => loose({ name: "a", waits: { run: { event: "x" } } }, () => 1),
      "the wait `run`: the handle of steps has this name",
    ],
    [
      "a wait's timeout",
      () => loose({ name: "a", waits: { w: { event: "x", onTimeout: "nul" } } }, () => 1),
      'onTimeout is "nul"; accepted: "null", "fail" or {value: …}',
    ],
    ["onFailure", () => loose({ name: "a", onFailure: 1 }, () => 1), "`onFailure` is no function"],
    [
      "an event's schema",
      () => (event as unknown as (...args: unknown[]) => unknown)("a", 1),
      "is no schema",
    ],
    ["a reference", () => ref(""), "a workflow's name is empty"],
  ])("refuse %s that is not accepted", (_, call, text) => {
    expect(message(call)).toContain(text);
  });

  /** §2.4: declared waits are shared by what a maker makes. */
  it("share the waits of their maker, and add their own", () => {
    const make = workflow.withWaits(scans);
    const both = make({ name: "a", waits: { waitForMail: { event: "mail" } } }, () => 1);
    expect(Object.keys(both.definition.waits ?? {})).toEqual(["waitForScan", "waitForMail"]);
    expect(make({ name: "b", waits: scans }, () => 1).definition.waits).toEqual(scans);
    const twice = (): unknown =>
      make({ name: "c", waits: { waitForScan: { event: "x" } } }, () => 1);
    expect(message(twice)).toBe("workflow `c`: there are two waits `waitForScan`");
  });
});

// biome-ignore lint/suspicious/noThenProperty: that it is refused is what is shown
const THENABLE = { then: { event: "x" } };

describe("apps", () => {
  it("are served as they were made", async () => {
    const shop = app("shop", { workflows: [plain], waits: scans });
    const runner = await shop.serve({ slots: 3 });
    expect(runner.name).toBe("shop");
    expect(served).toEqual([[shop, { slots: 3 }]]);
    expect(shop.workflows).toEqual([plain]);
  });

  const loose = app as unknown as (name: unknown, options: unknown) => unknown;
  it.each<[string, () => unknown, string]>([
    ["a name", () => loose("", { workflows: [plain] }), "an app's name is empty"],
    ["no workflows", () => loose("a", { workflows: [] }), "app `a` has no workflow"],
    ["what is no workflow", () => loose("a", { workflows: [() => 1] }), "is no workflow"],
    ["a reference", () => loose("a", { workflows: [ref("x")] }), "is no workflow"],
    [
      "two of a name",
      () => loose("a", { workflows: [plain, plain] }),
      "app `a` has two workflows `plain`",
    ],
    [
      "an option",
      () => loose("a", { workflow: [plain] }),
      "app `a` has no option `workflow`; it has: workflows",
    ],
    ["a wait", () => loose("a", { workflows: [plain], waits: THENABLE }), "the wait `then`"],
  ])("refuse %s that is not accepted", (_, call, text) => {
    expect(message(call)).toContain(text);
  });

  /** §2.4: a wait's name stands for one wait. */
  it("refuse a wait that one of their workflows declares in another way", () => {
    const own = workflow({ name: "own", waits: { waitForScan: { event: "y" } } }, () => 1);
    const call = (): unknown => app("a", { workflows: [own], waits: scans });
    expect(message(call)).toBe("app `a`: workflow `own`: there are two waits `waitForScan`");
  });
});
