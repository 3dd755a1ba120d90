import { expect, it } from "vitest";
import type { AttemptView, StepStatus, StepView } from "../../src/client/views.js";
import { timeline } from "../../src/dialects/loops/index.js";
import { steps } from "../../src/dialects/questpie/index.js";

const attempt: AttemptView = {
  n: 1,
  status: "completed",
  startedAt: "2026-01-01T00:00:01.000000Z",
  endedAt: "2026-01-01T00:00:02.000000Z",
  error: null,
  runner: "shop",
  overlapped: false,
};

function step(id: string, status: StepStatus, more: Partial<StepView> = {}): StepView {
  return {
    id,
    kind: "run",
    status,
    position: 1,
    after: [],
    scheduledAt: "2026-01-01T00:00:00.000000Z",
    startedAt: "2026-01-01T00:00:01.000000Z",
    completedAt: "2026-01-01T00:00:02.000000Z",
    nextAt: null,
    input: null,
    output: null,
    error: null,
    metadata: null,
    attempts: [attempt],
    generation: 1,
    uncertain: false,
    logs: [],
    ...more,
  };
}

const failure = { name: "RangeError", message: "no", stack: "RangeError: no\n    at a.ts:1" };
const open = { startedAt: null, completedAt: null, attempts: [] };
const view = {
  steps: [
    step("Load profile", "completed", { output: { plan: "b" } }),
    step("Charge", "failed", { error: failure }),
    step("Gift", "skipped", { kind: "skip", attempts: [] }),
    step("wait\u001fwaitForScan", "waiting", {
      kind: "namedWait",
      completedAt: null,
      attempts: [],
    }),
    step("wait\u001fwaitForScan:2", "failed", { kind: "namedWait", attempts: [] }),
    step("Nap", "sleeping", { kind: "sleep", completedAt: null, nextAt: "2026-01-01T01:00:00Z" }),
    step("Again", "retrying", { completedAt: null, nextAt: "2026-01-01T00:10:00Z" }),
    step("Later", "pending", open),
    step("compensate\u001fLoad profile", "completed", { kind: "compensate" }),
  ],
};

/** §13.2: the fields of Loops, with its words, in the order of the view; an error only where there is one. */
it("a run is shown as the timeline of Loops", () => {
  const rows = timeline(view);
  expect(rows[0]).toEqual({
    name: "Load profile",
    status: "succeeded",
    startedAt: "2026-01-01T00:00:01.000000Z",
    completedAt: "2026-01-01T00:00:02.000000Z",
    return: { plan: "b" },
  });
  expect(rows[1]).toMatchObject({ status: "failed", error: failure, return: null });
  expect(rows[7]).toMatchObject({ startedAt: null, completedAt: null });
  expect(rows.filter((row) => "error" in row)).toHaveLength(1);
  expect(rows.map(({ name, status }) => [name, status])).toEqual([
    ["Load profile", "succeeded"],
    ["Charge", "failed"],
    ["Gift", "succeeded"],
    ["waitForScan", "running"],
    ["waitForScan:2", "failed"],
    ["Nap", "running"],
    ["Again", "running"],
    ["Later", "pending"],
    ["compensate Load profile", "succeeded"],
  ]);
});

/** §13.2: the fields of QUESTPIE, with its words; a suspended step says until when it is. */
it("a run is shown as the records of QUESTPIE", () => {
  const rows = steps(view);
  expect(rows[0]).toEqual({
    name: "Load profile",
    status: "completed",
    result: { plan: "b" },
    error: null,
    scheduledAt: "2026-01-01T00:00:00.000000Z",
    startedAt: "2026-01-01T00:00:01.000000Z",
    completedAt: "2026-01-01T00:00:02.000000Z",
    attempts: 1,
  });
  expect(rows[1]).toMatchObject({ status: "failed", error: failure, result: null });
  expect(rows.map(({ status, scheduledAt }) => [status, scheduledAt.slice(11, 16)])).toEqual([
    ["completed", "00:00"],
    ["failed", "00:00"],
    ["completed", "00:00"],
    ["waiting", "00:00"],
    ["failed", "00:00"],
    ["sleeping", "01:00"],
    ["running", "00:10"],
    ["pending", "00:00"],
    ["completed", "00:00"],
  ]);
  expect(rows.map(({ name, attempts }) => [name, attempts]).at(-2)).toEqual(["Later", 0]);
});
