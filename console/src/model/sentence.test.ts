import { describe, expect, it, test } from "vitest";
import { sentenceOf, told } from "./sentence.ts";
import { iso, run, step } from "./testing.ts";

function words(sentence: ReturnType<typeof sentenceOf>): string {
  return sentence
    .map((part) => {
      switch (part.type) {
        case "name":
          return `‹${part.text}›`;
        case "instant":
          return "‹instant›";
        case "run":
          return `‹run ${part.id.slice(-4)}›`;
        case "value":
          return part.pieces.map((piece) => piece.text).join("");
        default:
          return part.text;
      }
    })
    .join("")
    .replaceAll("\u00a0", " ");
}

test("an open run says the server's answer word for word", () => {
  const id = "run_0193b5e4000070008000000000000001";
  const why = `waiting in step \`fraud\` for child ${id} of \`check\`, until 2026-11-22T08:17:03.213323Z`;
  expect(words(sentenceOf(run([], { status: "waiting", why })))).toBe(
    "Waiting in step ‹fraud› for child ‹run 0001› of ‹check›, until ‹instant›.",
  );
});

test("a failed run names the step, its attempts, its own error, and what was taken back", () => {
  const error = { name: "CarrierError", message: "address not serviceable." };
  const ship = step("ship", 0, 10, { status: "failed", error });
  const attempts = [1, 2, 3, 4].map((n) => ({
    ...(ship.attempts[0] ?? { n }),
    n,
  })) as typeof ship.attempts;
  const failed = run([{ ...ship, attempts }], {
    status: "failed",
    error: { name: "StepError", message: "step `ship` failed after 4 attempts: …" },
    cleanUp: {
      status: "failed",
      compensations: ["label", "charge"].map((one) => ({
        step: one,
        unknown: false,
        status: "completed",
      })),
    },
  });
  expect(words(sentenceOf(failed))).toBe(
    "Failed in ‹ship› after 4 attempts: CarrierError, address not serviceable. ‹label› and ‹charge› were compensated.",
  );
});

test("a failed run names what was taken back, and what could not be", () => {
  const failed = run([], {
    status: "failed",
    cleanUp: {
      status: "failed",
      compensations: [
        { step: "debit", unknown: false, status: "failed" },
        { step: "book", unknown: false, status: "completed" },
      ],
    },
  });
  expect(words(sentenceOf(failed))).toBe(
    "Failed. ‹book› was compensated. ‹debit› could not be compensated.",
  );
});

test("a run whose handler threw says its own error", () => {
  const failed = run([step("a", 0, 1)], {
    status: "failed",
    error: { name: "Error", message: "no `stock`" },
  });
  expect(words(sentenceOf(failed))).toBe("Failed: no ‹stock›.");
});

test("a completed run says how long it took and its output", () => {
  const done = run([], { status: "completed", durationMs: 2420, output: { ok: true } });
  expect(words(sentenceOf(done))).toBe('Completed in 2.42 s with {"ok": true}');
});

test("a cancelled run says by whom and why", () => {
  const history = [{ at: iso(5), what: "cancelled", by: "ann", detail: "wrong index" }];
  expect(words(sentenceOf(run([], { status: "cancelled", history })))).toBe(
    "Cancelled by ann at ‹instant›: “wrong index”.",
  );
});

describe("the strong words of an answer", () => {
  it.each([
    ["backing off: attempt 3 of step `a` is due at noon", "Backing off"],
    ["waiting in step `a` for an event `b`", "Waiting"],
    ["paused by ann since noon", "Paused"],
    ["step `ship` runs on runner `blue`", "Step"],
    ["it ends failed once it is cleaned up; more", "It ends failed"],
    ["blocked: it crashes its runner", "Blocked"],
    ["all 8 slots of its runners are taken, behind 2 runs", "All 8 slots of its runners are taken"],
  ])("of %j", (why, words) => {
    expect(told(why)[0]).toEqual({ type: "lead", text: words });
  });
});
