import { describe, expect, test } from "vitest";
import { afterOf } from "./flow-edges.ts";
import {
  countsWords,
  firstFailing,
  flowPath,
  flowSentence,
  healthBars,
  readErrors,
  readFlow,
  readFlows,
  standingOf,
  windowOf,
} from "./flows.ts";
import { callsWords, observedStanding, shortId } from "./observed-words.ts";
import { iso } from "./testing.ts";
import { call, flowRow, flowStep, flowView, seen, thrown } from "./testing-observed.ts";

const plain = (text: string) => text.replaceAll("\u00a0", " ");

describe("the list of flows", () => {
  test("what is stuck comes first, then what was heard of last", () => {
    const rows = readFlows({
      flows: [
        flowRow({ flow: "old", lastAt: iso(0) }),
        flowRow({ flow: "never", lastAt: null }),
        flowRow({ flow: "new", lastAt: iso(9000) }),
        flowRow({ flow: "stuck", lastAt: iso(1), now: { running: 0, stuck: 2 } }),
      ],
    });
    expect(rows.map((row) => row.flow)).toEqual(["stuck", "new", "old", "never"]);
  });

  test("another answer is told from it", () => {
    expect(() => readFlows({})).toThrow("holds no flows");
    expect(() => readFlow({ flow: "a" })).toThrow("is not a flow");
    expect(() => readErrors(null)).toThrow("holds no errors");
  });
});

describe("a flow", () => {
  const broken = flowView([
    flowStep("fetch", { counts: { ok: 14, failed: 0, skipped: 0, missing: 0, notReached: 0 } }),
    flowStep("dedupe", { counts: { ok: 10, failed: 0, skipped: 0, missing: 4, notReached: 0 } }),
    flowStep("write", { firstFailed: 2 }),
    flowStep("notify", { firstFailed: 1 }),
  ]);

  test("says how it does in a sentence, and where it breaks first", () => {
    expect(plain(flowSentence(broken, "24h"))).toBe(
      "14 runs in the last 24 h, 2 of them failed. `write` was the first to fail in 2 runs. " +
        "`dedupe` is missing in some.",
    );
    expect(firstFailing(broken)?.key).toBe("write");
  });

  test("what is stuck is said first", () => {
    const stuck = { ...broken, runs: { total: 14, failed: 0, running: 3, stuck: 1 } };
    expect(plain(flowSentence(stuck, "1h"))).toMatch(/^1 run stuck now\. 14 runs in the last hour/);
    expect(standingOf(stuck)).toBe("stuck");
  });

  test("without runs it says so", () => {
    const none = flowView([], { runs: { total: 0, failed: 0, running: 0, stuck: 0 } });
    expect(plain(flowSentence(none, "7d"))).toBe("No run began in the last 7 days.");
    expect(standingOf(none)).toBe("queued");
    expect(firstFailing(none)).toBeNull();
  });

  test("is asked for by its slug, whatever that holds", () => {
    expect(flowPath("a/b c", "1h")).toBe("/flows/a%2Fb%20c?window=1h");
    expect(flowPath("a", "7d", "/errors")).toBe("/flows/a/errors?window=7d");
    expect([windowOf("1h"), windowOf(null), windowOf("2y")]).toEqual(["1h", "24h", "24h"]);
  });

  test("counts leave out what there is none of", () => {
    const counts = { ok: 0, failed: 3, skipped: 0, missing: 0, notReached: 2 };
    expect(countsWords(counts, "stepwell").map(({ text }) => text)).toEqual([
      "3 failed",
      "2 not reached",
    ]);
  });

  test("a single failure among very many runs is seen", () => {
    const bars = healthBars(
      [
        { at: iso(0), runs: 10_000, failed: 1, missing: 0 },
        { at: iso(1), runs: 0, failed: 0, missing: 2 },
      ],
      56,
    );
    expect(bars[0]).toMatchObject({ height: 56, failedHeight: 2, isMissing: false });
    expect(bars[1]).toMatchObject({ height: 0, failedHeight: 0, isMissing: true });
  });
});

describe("the edges of a flow", () => {
  const befores = (edges: readonly (readonly [string, string])[]) =>
    Object.fromEntries(afterOf(["a", "b", "c"], edges));

  test("lead between steps that there are, each once", () => {
    const edges = [
      ["a", "b"],
      ["a", "b"],
      ["b", "gone"],
      ["gone", "c"],
      ["a", "c"],
    ] as const;
    expect(befores(edges)).toEqual({ a: [], b: ["a"], c: ["a"] });
  });

  test("never close a circle", () => {
    const edges = [
      ["a", "a"],
      ["a", "b"],
      ["b", "c"],
      ["c", "a"],
    ] as const;
    expect(befores(edges)).toEqual({ a: [], b: ["a"], c: ["b"] });
  });
});

describe("the words of a step", () => {
  test("calls are counted, with the processes that they were in", () => {
    const two = [call(1, 0, 1), call(2, 1, 2, { process: "shop-2" })];
    expect(plain(callsWords(seen("a", two), null))).toBe("2 calls in 2 processes");
    expect(plain(callsWords(seen("a", [thrown(1, 0, 1), call(2, 1, 2)]), null))).toBe(
      "2 calls, 1 of them failed",
    );
    expect(plain(callsWords(seen("a", [call(1, 0, null)], { status: "stuck" }), null))).toBe(
      "1 call, still open",
    );
  });

  test("of calls of which only the latest are known none is said to be a part of all", () => {
    const latest = seen("a", [thrown(1, 0, 1), call(2, 1, 2)], { attemptsTotal: 10_000 });
    expect(plain(callsWords(latest, null))).toBe("10,000 calls");
  });

  test("the server's ground counts; without one the time is enough", () => {
    expect(observedStanding(seen("a", [], { why: "behind `b`, which failed" }))).toBe(
      "Not reached: behind `b`, which failed.",
    );
    expect(observedStanding(seen("a", [call(1, 0, 5)], { why: "1 call" }))).toMatch(
      /^Completed at \d\d:\d\d:00\.005\.$/,
    );
    expect(observedStanding(seen("a", [call(1, 0, 5), thrown(2, 6, 7)]))).toMatch(
      /^Failed at \d\d:\d\d:00\.007 in its 2nd call\.$/,
    );
  });

  test("ids are shown whole where they are short", () => {
    expect([shortId("2026-11-21T15:00"), shortId("01JD6Z8K4QX3-01JD6Z8K4QX3")]).toEqual([
      "2026-11-21T15:00",
      "…JD6Z8K4QX3",
    ]);
  });
});
