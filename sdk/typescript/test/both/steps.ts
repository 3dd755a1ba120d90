/** Behaviours of steps, played on the stand-in and on a real server. */

import {
  ArgumentError,
  NonRetryableError,
  OutcomeUnknownError,
  RaceLostError,
  RetryAfterError,
  StepError,
  waits,
  workflow,
} from "stepwell";
import { expect } from "vitest";
import { type Behaviour, never } from "./behaviour.js";
import { comes, ended } from "./stage.js";

const fast = { maxAttempts: 3, backoff: "20ms", jitter: false } as const;

const plain = workflow({ name: "plain" }, async ({ input, step, ctx }) => {
  const begun = ctx.now();
  ctx.log.info("begun");
  ctx.setSearch({ customer: "ada", cents: 5 });
  const nothing = await step.run("nothing", () => undefined);
  const doubled = await step.run("double", { n: 2 }, ({ input: { n }, log }) => {
    log.warn("doubling");
    return n * 2;
  });
  await step.skip("gift", { reason: "no gift" });
  await step.sleep("nap", "40ms");
  await step.sleepUntil("then", 0);
  const late = [
    await step.waitForEvent("nobody", { event: "none", timeout: "30ms" }),
    await step.waitForEvent("else", { event: "none", timeout: 0, onTimeout: { value: [1] } }),
    await step
      .waitForEvent("must", { event: "none", timeout: 0, onTimeout: "fail" })
      .catch((error: Error) => `${error.name}: ${error.message}`),
  ];
  await step.emit("tell", { event: "told", data: { a: 1 } });
  const told = await step.waitForEvent("own", { event: "told" });
  return { input, nothing: nothing ?? null, doubled, late, told, moved: ctx.now() > begun };
});

const tries = workflow({ name: "tries" }, async ({ step }) => {
  const of = async (id: string, ...rest: [() => unknown, object?]): Promise<unknown> =>
    await step.run(id, ...rest).catch((error: unknown) => {
      if (!StepError.is(error)) throw error;
      return [error.name, error.attempts, error.message];
    });
  let left = 2;
  return [
    await step.run(
      "third",
      ({ attempt }) => {
        if (attempt < 3) throw new Error(`not at ${attempt}`);
        return attempt;
      },
      { retry: fast },
    ),
    await of("spent", () => Promise.reject(new TypeError("never")), { retry: fast }),
    await of("stops", () => Promise.reject(new NonRetryableError("no use")), { retry: fast }),
    await of("once", () => Promise.reject(new Error("no")), { retry: false }),
    await of(
      "after",
      () => {
        if (left-- > 0) throw new RetryAfterError("10ms");
        return "at last";
      },
      { retry: { ...fast, backoff: "1h", maxBackoff: "1h" } },
    ),
    await of("late", ({ signal }: { signal: AbortSignal } = never()) => aborted(signal), {
      timeout: "30ms",
      retry: { ...fast, maxAttempts: 2 },
    }),
    await of("total", () => Promise.reject(new Error("again")), {
      totalTimeout: "2s",
      // The second attempt is well within the time, the third one well over it, on a busy machine too.
      retry: { ...fast, backoff: "1200ms", maxAttempts: 9 },
    }),
    await of("no JSON", () => 1n, { retry: fast }).catch((error: Error) => error.name),
  ];
});

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(new Error("stopped")));
  });
}

const races = workflow({ name: "races" }, async ({ step }) => {
  const lost: string[] = [];
  const won = await step.race("limit", {
    slow: async (one) => {
      await one.run("kept", () => 1);
      try {
        await one.sleep("slow", "1h");
      } catch (error) {
        if (RaceLostError.is(error)) lost.push("slow");
        throw error;
      }
    },
    quick: async (one) => {
      await one.sleep("quick", "20ms");
      return "quick";
    },
  });
  const thrown = await step
    .race("broken", {
      bad: (one) => one.run("bad", () => Promise.reject(new RangeError("no")), { retry: false }),
      long: (one) => one.sleep("long", "1h"),
    })
    .catch((error: Error) => `${error.name}: ${error.message}`);
  const inner = await step.race("outer", {
    nested: async (one) => {
      await one.race("inner", {
        a: (two) => two.sleep("a", "1h"),
        b: (two) => two.sleep("b", "1h"),
      });
    },
    event: (one) => one.waitForEvent("cue", { event: "cue", match: { to: "races" } }),
  });
  return { won, lost, thrown, inner };
});

const sides = workflow({ name: "sides" }, async ({ step }) => {
  const settled = await Promise.allSettled([
    step.run("fails", () => Promise.reject(new Error("no")), { retry: false }),
    step.run("works", () => "yes"),
    step.sleep("naps", "20ms"),
  ]);
  // What is left when the handler returns is cancelled.
  void step.sleep("left", "1h");
  void step.waitForEvent("left too", { event: "none" });
  await step.sleep("a moment", "10ms");
  return settled.map(({ status }) => status);
});

const all = workflow({ name: "all" }, async ({ step }) => {
  await Promise.all([
    step.run("fails", () => Promise.reject(new Error("no")), { retry: false }),
    step.sleep("naps", "1h"),
    step.waitForEvent("waits", { event: "none" }),
    step.run("runs", ({ signal }) => aborted(signal)),
  ]);
});

const once = workflow({ name: "once" }, async ({ step }) => {
  const given: unknown[] = [];
  const done = { outcome: "done", value: "found" } as const;
  given.push(await step.run("plain", () => 1, { atMostOnce: true }));
  given.push(
    await step
      .run("throws", () => Promise.reject(new Error("no")), { atMostOnce: true })
      .catch((error: Error) => error.message),
  );
  given.push(
    await step.run<string>("done", ({ signal }) => aborted(signal), {
      timeout: "20ms",
      atMostOnce: { verify: () => done },
    }),
  );
  let starts = 0;
  given.push(
    await step.run("again", ({ signal }) => (starts++ === 0 ? aborted(signal) : starts), {
      timeout: "20ms",
      atMostOnce: { verify: () => ({ outcome: "notDone" }) },
    }),
  );
  given.push(
    await step
      .run("lost", ({ signal }) => aborted(signal), {
        timeout: "20ms",
        atMostOnce: { onUnknown: "throw" },
      })
      .catch((error: unknown) => OutcomeUnknownError.is(error) && error.message),
  );
  await step.run("blocks", ({ signal }) => aborted(signal), { timeout: "20ms", atMostOnce: true });
  return given;
});

const scan = waits({
  waitForScan: {
    event: "scan",
    match: ({ input }: { input: { parcel: string } }) => ({ parcel: input.parcel }),
    onTimeout: "fail",
  },
});
const scans = workflow.withWaits(scan)({ name: "scans" }, async ({ step }) => {
  const first = await step.waitForScan();
  const second = await step.waitForScan({ timeout: "30ms" }).catch((error: Error) => error.message);
  return [first, second];
});

const deep = JSON.parse(`${"[".repeat(40)}${"]".repeat(40)}`);
const limits = workflow({ name: "limits" }, async ({ step }) => {
  const refused: string[] = [];
  const matches = {
    deep: { "a b": deep },
    many: Array.from({ length: 256 }, (_, n) => n),
    choices: { of: Array.from({ length: 17 }, (_, n) => ({ n })) },
    large: "x".repeat(16 * 1024),
  };
  for (const [id, match] of Object.entries(matches)) {
    await step.waitForEvent(id, { event: "none", match }).catch((error: unknown) => {
      if (!StepError.is(error)) throw error;
      refused.push(error.message, String(error.cause instanceof Error && error.cause.name));
    });
  }
  return refused;
});

const half = "cut \ud83d";
const halves = workflow({ name: "halves" }, async ({ step, ctx }) => {
  ctx.log.info(half, { [half]: half });
  await step.run("throws", () => Promise.reject(new Error(half)), { retry: false }).catch(() => 0);
  await step.skip("skips", { reason: half });
  const kept = await step.run("keeps", { [half]: half }, ({ input }) => input, {
    metadata: { [half]: half },
  });
  try {
    ctx.setSearch({ name: half });
  } catch (error) {
    if (!ArgumentError.is(error)) throw error;
    return [kept, error.message];
  }
  throw Object.assign(new Error("it was taken"), { name: half });
});

/** See above. */
export const STEP_BEHAVIOURS: readonly Behaviour[] = [
  {
    name: "§2: every plain step",
    workflows: [plain],
    play: async (stage) => void (await ended(stage, await stage.start("plain", { a: [null] }))),
  },
  {
    name: "§6.1–§6.4: attempts end, are tried again, stop and run out of time",
    workflows: [tries],
    play: async (stage) => void (await ended(stage, await stage.start("tries"))),
  },
  {
    name: "§5.5: races are won by a value, an error and an event",
    workflows: [races],
    play: async (stage) => {
      const run = await stage.start("races");
      await comes(stage, run, "cue", "waiting");
      await stage.send("cue", { to: "others" });
      await stage.send("cue", { to: "races", by: "ada" });
      await ended(stage, run);
    },
  },
  {
    name: "§5.2, §5.3, §5.6: branches side by side",
    workflows: [sides],
    play: async (stage) => void (await ended(stage, await stage.start("sides"))),
  },
  {
    name: "§5.3: a branch that fails ends the run, and what is in flight",
    workflows: [all],
    play: async (stage) => void (await ended(stage, await stage.start("all"))),
  },
  {
    name: "§4.5: functions that start at most once",
    workflows: [once],
    play: async (stage) => void (await ended(stage, await stage.start("once"))),
  },
  {
    name: "§2.4: waits that are declared by name",
    workflows: [scans],
    play: async (stage) => {
      const run = await stage.start("scans", { parcel: "p1" });
      await stage.send("scan", { parcel: "p2" });
      await stage.send("scan", { parcel: "p1", gate: 3 });
      await ended(stage, run);
    },
  },
  {
    name: "§2.6: texts that are not Unicode, as a text that was cut amid a character",
    workflows: [halves],
    play: async (stage) => {
      const { status, steps, logs } = await ended(stage, await stage.start("halves"));
      expect([status, steps[0]?.error]).toEqual(["completed", "Error: cut \ufffd"]);
      expect(logs).toEqual([' info cut \ufffd {"cut \\ud83d":"cut \\ud83d"}']);
    },
  },
  {
    name: "§12: matches over a limit are refused",
    workflows: [limits],
    play: async (stage) => {
      const { steps } = await ended(stage, await stage.start("limits"));
      expect(steps.map(({ status }) => status)).toEqual(Array(4).fill("failed"));
    },
  },
];
