import { describe, expect, it, test } from "vitest";
import {
  bulkFilterOf,
  type DryRun,
  filterWords,
  isBulkAct,
  type Job,
  jobWords,
  matchedWords,
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

test.each<[Partial<Job>, string]>([
  [{ state: "collecting", matched: 40 }, "Finding the runs: 40 so far."],
  [{ state: "running", matched: 86, done: 40, refused: 2, failed: 1 }, "43 of 86 runs."],
  [{ state: "done", matched: 1, done: 1 }, "Done with 1 run."],
  [{ state: "stopped", matched: 1200, done: 1000 }, "Stopped after 1,000 of 1,200 runs."],
  [{ state: "failed", matched: 3, failed: 1 }, "Failed after 1 of 3 runs."],
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

test("acts are known by their names, and filters are told as they were given", () => {
  expect(["cancel", "delete", "rerun", null].map(isBulkAct)).toEqual([true, true, false, false]);
  expect(filterWords({ app: "shop", status: "failed", key: null })).toBe("app shop, status failed");
});
