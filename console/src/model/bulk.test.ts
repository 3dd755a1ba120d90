import { describe, expect, it, test } from "vitest";
import {
  type BulkAct,
  bulkFilterOf,
  type DryRun,
  filterFacts,
  isBulkAct,
  type Job,
  jobTitle,
  jobWords,
  leftWords,
  matchedWords,
  mayHoldEnded,
  readDryRun,
  readJob,
  readJobs,
  typedOf,
} from "./bulk.ts";
import { filtersOf } from "./filters.ts";
import { jobOf } from "./testing.ts";

const dry = (runs: number, byStatus: DryRun["byStatus"] = {}): DryRun => ({
  matched: { runs, orMore: false },
  byStatus,
  sample: [],
});

test("the filter of the address is the one that is acted on", () => {
  const query = new URLSearchParams(
    "app=shop&wf=checkout&status=failed,blocked&q=late&attr.order=7",
  );
  expect(bulkFilterOf(filtersOf(query))).toEqual({
    app: "shop",
    workflow: "checkout",
    status: "blocked,failed",
    q: "late",
    search: "order=7",
  });
});

test.each([
  [dry(0), "No run matches."],
  [dry(1, { failed: { runs: 1, orMore: false } }), "1 run matches: 1 failed."],
  [
    dry(86, {
      running: { runs: 80, orMore: false },
      timed_out: { runs: 6, orMore: false },
      queued: { runs: 0, orMore: false },
    }),
    "86 runs match: 80 running and 6 timed out.",
  ],
  [{ ...dry(10_000), matched: { runs: 10_000, orMore: true } }, "10,000+ runs match."],
])("%o is said", (tried, words) => {
  expect(matchedWords(tried)).toBe(words);
});

describe("what cannot be taken back", () => {
  it("is typed with its number", () => {
    expect(typedOf("delete", { runs: 86, orMore: false })).toBe("delete 86");
    expect(typedOf("terminate", { runs: 10_000, orMore: true })).toBe("terminate all");
  });

  it("is only that", () => {
    expect(typedOf("cancel", { runs: 86, orMore: false })).toBe(null);
  });
});

describe("what an act is not for", () => {
  const mixed = dry(13, {
    waiting: { runs: 9, orMore: false },
    failed: { runs: 3, orMore: false },
    timed_out: { runs: 1, orMore: false },
  });

  it.each<[BulkAct, DryRun, string | null]>([
    ["cancel", mixed, "4 of them have ended and stay as they are."],
    ["terminate", mixed, "4 of them have ended and stay as they are."],
    ["pause", mixed, "4 of them have ended and are refused."],
    ["delete", mixed, "9 of them have not ended and are refused."],
    ["retry", dry(2, { waiting: { runs: 2, orMore: false } }), null],
    [
      "resume",
      dry(3, { paused: { runs: 2, orMore: false }, failed: { runs: 1, orMore: false } }),
      "1 of them has ended and is refused.",
    ],
    ["delete", dry(1, { paused: { runs: 1, orMore: false } }), "It has not ended and is refused."],
    [
      "cancel",
      dry(2, { failed: { runs: 2, orMore: false } }),
      "All of them have ended and stay as they are.",
    ],
    [
      "cancel",
      {
        ...dry(10_400, {
          waiting: { runs: 400, orMore: false },
          completed: { runs: 10_000, orMore: true },
        }),
        matched: { runs: 10_400, orMore: true },
      },
      "10,000+ of them have ended and stay as they are.",
    ],
  ])("%s of %o is said", (act, tried, words) => {
    expect(leftWords(act, tried)).toBe(words);
  });

  it("counts as done where the server takes it and nothing changes", () => {
    const counts = (act: string, filter: Job["filter"]) => mayHoldEnded(jobOf({ act, filter }));
    expect(counts("cancel", { app: "shop" })).toBe(true);
    expect(counts("terminate", { status: "waiting,failed" })).toBe(true);
    expect(counts("cancel", { status: "waiting,paused" })).toBe(false);
    expect(counts("pause", { app: "shop" })).toBe(false);
  });
});

test.each<[Partial<Job>, string]>([
  [{ state: "collecting", matched: 40 }, "Finding the runs: 40 so far."],
  [
    { state: "running", matched: 86, done: 40, refused: 2, failed: 1 },
    "43 of 86\u00a0runs: 40 done, 2 refused and 1 failed.",
  ],
  [{ state: "done", matched: 0 }, "Done: no run matched."],
  [{ state: "done", matched: 1, done: 1 }, "Done with 1\u00a0run."],
  [
    { state: "done", matched: 109, done: 11, refused: 98 },
    "Done with 109\u00a0runs: 11 done and 98 refused.",
  ],
  [
    { state: "stopped", matched: 1200, done: 1000 },
    "Stopped after 1,000 of 1,200\u00a0runs: 1,000 done.",
  ],
])("%o is said", (job, words) => {
  expect(jobWords(jobOf(job))).toBe(words);
});

test("answers of something else are refused", () => {
  for (const answer of [null, {}, { id: 7 }]) {
    expect(() => readDryRun(answer)).toThrow(/no count/);
    expect(() => readJob(answer)).toThrow(/no act on many runs/);
    expect(() => readJobs(answer)).toThrow(/no jobs/);
  }
  expect(readJobs({ jobs: [jobOf()] })).toHaveLength(1);
});

test("acts are known by their names", () => {
  expect(["cancel", "delete", "rerun", null].map(isBulkAct)).toEqual([true, true, false, false]);
  expect(jobTitle(jobOf({ act: "retry", matched: 1 }))).toBe("Retry 1\u00a0run");
  expect(jobTitle(jobOf({ act: "rewind", matched: 1200 }))).toBe("Rewind 1,200\u00a0runs");
});

test("a filter is told as the list says it, however the API has it", () => {
  const told = (filter: Job["filter"]) =>
    filterFacts(filter, Date.now()).map(({ name, value }) => `${name}: ${value}`);
  expect(
    told({
      search: "order=7,cents>100",
      from: "7d",
      app: "shop",
      status: "failed,timed_out,blocked",
      q: "late",
      id: "k4qx",
      key: null,
    }),
  ).toEqual([
    "text: late",
    "status: failed, timed out or blocked",
    "app: shop",
    "id: ends in k4qx",
    "started: last 7 days",
    "attributes: order=7,cents>100",
  ]);
  // A job keeps instants in place of durations back from when it was begun.
  expect(told({ to: "2020-03-01T12:00:00.000001Z" })[0]).toMatch(/^started: before Sun,? 1 Mar/);
});
