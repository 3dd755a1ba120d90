import { describe, expect, it } from "vitest";
import { forkPlan } from "./fork.ts";
import { actWord, decidingOf, forkStepOf, isOffered, offersOf, stepOffers } from "./offers.ts";
import type { Run, Step } from "./run.ts";
import { run, step } from "./testing.ts";

const wait = (more: Partial<Step> = {}) =>
  step("approval", 5, null, { kind: "waitForEvent", status: "waiting", position: 2, ...more });
const acts = (one: Run) => offersOf(one).map((offer) => offer.act);
const undo = (name: string) =>
  step(`compensate\u001f${name}`, 90, 95, { kind: "compensate", position: 9 });

describe("which acts a run offers", () => {
  const steps = [step("reserve", 0, 1)];

  it.each<[Run["status"], Partial<Run>, readonly string[]]>([
    ["running", {}, ["pause", "cancel", "rerun", "fork", "terminate"]],
    ["queued", {}, ["pause", "cancel", "rerun", "fork", "terminate"]],
    ["paused", {}, ["resume", "cancel", "rerun", "fork", "terminate"]],
    [
      "blocked",
      { blocked: { kind: "kindChanged" } },
      ["pause", "cancel", "rerun", "retry", "fork", "terminate"],
    ],
    // §7.6: a cancel during clean-up changes nothing; what is decided is not held back.
    ["compensating", {}, ["rerun", "fork", "terminate"]],
    ["completed", {}, ["fork", "rerun", "delete"]],
    ["failed", {}, ["fork", "rerun", "delete"]],
    ["cancelled", {}, ["fork", "rerun", "delete"]],
    ["timed_out", {}, ["fork", "rerun", "delete"]],
  ])("%s", (status, more, offered) => {
    expect(acts(run(steps, { status, ...more }))).toEqual(offered);
  });

  it("does not retry a run that is blocked in its clean-up", () => {
    const cleanUp = { status: "failed", compensations: [] } as const;
    const blocked = run(steps, { status: "blocked", cleanUp, blocked: { kind: "cleanUpLost" } });
    expect(acts(blocked)).toEqual(["rerun", "fork", "terminate"]);
  });

  it("offers no fork where there is no step to fork from", () => {
    expect(acts(run([undo("reserve")], { status: "failed" }))).toEqual(["rerun", "delete"]);
    expect(acts(run([], { status: "queued" }))).not.toContain("fork");
  });

  it("shortens a backoff, but not one of the clean-up, nor while the run is paused", () => {
    const retrying = [step("charge", 1, null, { status: "retrying" })];
    expect(acts(run(retrying))).toContain("retry");
    expect(acts(run(retrying, { status: "compensating" }))).not.toContain("retry");
    expect(acts(run(retrying, { status: "paused" }))).not.toContain("retry");
    expect(acts(run(steps, { retryAt: "2026-11-22T08:00:00Z" }))).toContain("retry");
  });

  it("resolves only a step whose unknown outcome blocks the run", () => {
    const unknown = step("wire", 1, 2, { status: "unknown", once: {} });
    const blocked = run([unknown], {
      status: "blocked",
      blocked: { kind: "outcomeUnknown", step: "wire" },
    });
    expect(offersOf(blocked)).toContainEqual({ act: "resolve", step: "wire" });
    expect(acts(blocked)).not.toContain("retry");
    expect(acts(run([unknown]))).not.toContain("resolve");
    expect(stepOffers(run([unknown], { status: "failed" }), unknown).map((one) => one.act)).toEqual(
      ["fork"],
    );
  });

  it("sends an event to a wait that is open, not to a sleep or a wait for a child", () => {
    expect(acts(run([wait()], { status: "waiting" }))).toContain("send");
    expect(acts(run([wait({ status: "completed" })]))).not.toContain("send");
    expect(acts(run([wait({ kind: "invoke" })]))).not.toContain("send");
    expect(acts(run([wait()], { status: "cancelled" }))).not.toContain("send");
  });

  it("accepts a link to an act only where the act is possible", () => {
    const open = run([step("reserve", 0, 1), wait()], { status: "waiting" });
    expect(isOffered(open, "send", "approval")).toBe(true);
    expect(isOffered(open, "send", "reserve")).toBe(false);
    expect(isOffered(open, "cancel", null)).toBe(true);
    expect(isOffered(open, "cancel", "reserve")).toBe(true);
    expect(isOffered(open, "fork", "no such step")).toBe(false);
    expect(isOffered(run(steps, { status: "completed" }), "cancel", null)).toBe(false);
  });
});

describe("the act that decides", () => {
  it.each<[string, Run, string | null]>([
    ["a wait", run([wait()], { status: "waiting", cause: "waiting_for_event" }), "Send this event"],
    ["a sleep beside a wait", run([wait()], { status: "waiting", cause: "sleeping" }), null],
    ["a pause", run([wait()], { status: "paused" }), "Resume"],
    ["a block", run([], { status: "blocked", blocked: { kind: "engine" } }), "Try again"],
    [
      "a failure",
      run([step("ship", 0, 1, { status: "failed" }), step("ok", 2, 3)], { status: "failed" }),
      "Fork at ship",
    ],
    ["a failure of no step", run([], { status: "failed" }), "Rerun"],
    ["nothing", run([step("a", 0, null)]), null],
    ["an end that is good", run([step("a", 0, 1)], { status: "completed" }), null],
  ])("for %s", (_, one, word) => {
    const offer = decidingOf(one);
    expect(offer === null ? null : actWord(one, offer)).toBe(word);
  });
});

describe("a fork", () => {
  const steps = [
    step("reserve", 0, 1, { position: 0 }),
    step("charge", 1, 2, { position: 1, after: ["reserve"] }),
    step("label", 2, 3, { position: 2, after: ["charge"] }),
    step("fraud", 2, 4, { position: 3, after: ["charge"] }),
    step("mail", 2, null, { position: 4, after: ["charge"] }),
    step("ship", 4, 5, { position: 5, after: ["label", "fraud"], status: "failed" }),
  ];
  const ids = (list: readonly Step[]) => list.map((one) => one.id);

  it("keeps what the code had been given when it asked for the step", () => {
    const plan = forkPlan(run(steps), "ship");
    expect(ids(plan.kept)).toEqual(["reserve", "charge", "label", "fraud"]);
    expect(ids(plan.again)).toEqual(["mail", "ship"]);
    expect(ids(forkPlan(run(steps), "charge").kept)).toEqual(["reserve"]);
  });

  it("does not keep what was compensated", () => {
    const plan = forkPlan(run([...steps, undo("label"), undo("charge")]), "ship");
    expect(ids(plan.kept)).toEqual(["reserve", "fraud"]);
    expect(ids(plan.undone)).toEqual(["charge", "label"]);
    expect(ids(plan.again)).toEqual(["charge", "label", "mail", "ship"]);
  });

  it("goes on from the step that failed last, else from the last one", () => {
    expect(forkStepOf(run([...steps, undo("label")]), null)).toBe("ship");
    expect(forkStepOf(run(steps.slice(0, 5)), null)).toBe("mail");
    expect(forkStepOf(run(steps), "gone")).toBeNull();
  });
});
