import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { type Step, StepError, workflow } from "../../src/index.js";
import { World } from "./world.js";

interface Step0 {
  readonly step: string;
  readonly kind?: string;
  readonly status?: string;
  readonly dueInMs?: number;
  readonly output?: unknown;
  readonly error?: unknown;
}

interface ReplayCase {
  readonly name: string;
  readonly ended: readonly Step0[];
  readonly open: readonly Step0[];
  readonly code: readonly (readonly string[])[];
  readonly delivered: readonly string[];
  readonly changed: readonly unknown[];
  readonly calls: readonly unknown[];
}

interface OrderCase {
  readonly name: string;
  readonly ends: readonly Step0[];
  readonly positions: readonly string[];
}

function casesOf<T>(name: string): readonly T[] {
  const url = new URL(`../../../../spec/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(url, "utf8")).cases;
}

/** The history in the protocol's words. */
function historyOf({ ended, open }: Pick<ReplayCase, "ended" | "open">): object {
  const recorded = { name: "Oops", message: "as recorded" };
  return {
    ended: ended.map((one, at) => {
      const error = one.status === "failed" ? { error: one.error ?? recorded } : {};
      return { ...one, atUs: 5_000_001 + at, ...error };
    }),
    open: open.map(({ dueInMs, ...one }) => {
      return dueInMs === undefined ? one : { ...one, dueInUs: dueInMs * 1_000 };
    }),
  };
}

/** §4.1, §4.2, §4.4, §5.4, §6.1: what a runner is given of a run, and what replay makes of it. */
it.each(casesOf<ReplayCase>("replay"))("replays: $name", async (one) => {
  const delivered: string[] = [];
  const calls: unknown[] = [];
  const known = [...one.ended, ...one.open];
  const call = (step: Step, id: string): Promise<unknown> => {
    const kind = known.find((step0) => step0.step === id)?.kind ?? "run";
    if (kind === "sleep") return step.sleep(id, "1h");
    if (kind === "skip") return step.skip(id);
    return step.run(id, ({ attempt }) => {
      calls.push({ step: id, n: attempt });
      return new Promise<number>(() => undefined);
    });
  };
  const staged = workflow({ name: "w" }, async ({ step }) => {
    for (const stage of one.code) {
      const run = async (id: string): Promise<void> => {
        const failed = one.ended.some((end) => end.step === id && end.status === "failed");
        const error: unknown = await call(step, id).then(
          () => undefined,
          (thrown: unknown) => thrown,
        );
        expect(StepError.is(error)).toBe(failed);
        delivered.push(id);
      };
      await Promise.all(stage.map(run));
    }
  });
  const world = await World.of([staged]);
  await world.activate({ ...historyOf(one) });
  // An end that is asked for waits for those before it for a while (§5.4).
  if (one.changed.length > 0) await world.advance(1_001);
  const orders = world.takeOf("order").map(({ expected, found }) => ({ expected, found }));
  expect({ orders, delivered, calls }).toEqual({
    orders: one.changed,
    delivered: one.delivered,
    calls: one.calls,
  });
});

/** §5.4: the one order in which ends are delivered to the code, live and on replay. */
it.each(casesOf<OrderCase>("settle-order"))("delivers in order: $name", async (one) => {
  const delivered: unknown[] = [];
  const all = workflow({ name: "w" }, async ({ step }) => {
    const run = async (id: string): Promise<void> => {
      const end = one.ends.find((known) => known.step === id);
      const gives = (): unknown => {
        if (end?.error !== undefined) throw Object.assign(new Error("2"), { name: "Oops" });
        return end?.output;
      };
      const given = await step.run(id, gives).then(
        (output) => ({ step: id, status: "completed", output }),
        (error: unknown) => ({ step: id, status: "failed", error: causeOf(error) }),
      );
      delivered.push(given);
    };
    await Promise.all(one.positions.map(run));
  });
  // What was skipped or slept away is an end of a function here: the order is the same.
  const ends = one.ends.map((end) => {
    return end.status === "skipped" ? { ...end, status: "completed" } : end;
  });
  const wanted = ends.filter((end) => end.status !== "cancelled");
  const live = await World.of([all]);
  const a = await live.activate();
  const settled = ends.map((end, at) => {
    const { status, step, error } = end;
    return { settled: { a, step, atUs: 6_000_000 + at, status, ...(error ? { error } : {}) } };
  });
  await live.say(...settled);
  expect(delivered).toEqual(wanted);
  delivered.length = 0;
  const replay = await World.of([all]);
  const history = { ended: ends.map((end) => ({ ...end, kind: "run", attempts: 1 })), open: [] };
  await replay.activate({ ...historyOf(history) });
  expect(delivered).toEqual(wanted);
});

function causeOf(error: unknown): unknown {
  if (!StepError.is(error) || !(error.cause instanceof Error)) return error;
  return { name: error.cause.name, message: error.cause.message };
}
