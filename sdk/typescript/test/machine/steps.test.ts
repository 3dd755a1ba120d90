import { describe, expect, it } from "vitest";
import {
  CancelledError,
  DuplicateStepIdError,
  event,
  InputError,
  LimitError,
  NestedStepError,
  RaceLostError,
  SerializationError,
  type Step,
  StepTimeoutError,
  workflow,
} from "../../src/index.js";
import { idle, RUN, World } from "./world.js";

/** A promise that a test settles. */
function later<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((given) => {
    resolve = given;
  });
  return { promise, resolve };
}

function handler(run: (step: Step) => Promise<unknown>): ReturnType<typeof workflow> {
  return workflow({ name: "w" }, ({ step }) => run(step)) as ReturnType<typeof workflow>;
}

describe("steps", () => {
  /** §4.1: the result of a function is given to the code after the node has said that it is saved. */
  it("keep a result back until it is durable", async () => {
    const seen: unknown[] = [];
    const world = await World.of([
      handler(async (step) => {
        seen.push(await step.run("a", () => ({ at: new Date(0), none: undefined })));
      }),
    ]);
    const a = await world.activate();
    const [ended] = world.takeOf("ended");
    expect(ended).toMatchObject({ a, step: "a", n: 1, output: { at: "1970-01-01T00:00:00.000Z" } });
    expect(ended).toMatchObject({ open: { kind: "run", after: 0 } });
    expect(seen).toEqual([]);
    await world.say({ settled: { a, step: "a", atUs: 5_000_001 } });
    expect(seen).toEqual([{ at: "1970-01-01T00:00:00.000Z" }]);
    expect(world.takeOf("finished")).toEqual([{ a }]);
  });

  /** §3.3: a step says how many ends the code had been given when it began. */
  it("say after which ends they began", async () => {
    const world = await World.of([
      handler(async (step) => {
        await Promise.all([step.run("a", () => 1), step.run("b", () => 2)]);
        await step.run("c", () => 3);
      }),
    ]);
    const a = await world.activate();
    const first = world.takeOf("ended");
    expect(first.map((one) => one.open)).toMatchObject([{ after: 0 }, { after: 0 }]);
    await world.say({ settled: { a, step: "b", atUs: 1 } }, { settled: { a, step: "a", atUs: 2 } });
    expect(world.takeOf("ended")).toMatchObject([{ step: "c", open: { after: 2 } }]);
  });

  /** §4.3: a start is recorded where the function still runs after a while. */
  it("record a start late", async () => {
    const work = later<number>();
    const world = await World.of([handler((step) => step.run("a", () => work.promise))]);
    await world.activate();
    await world.advance(49);
    expect(world.takeOf("started")).toEqual([]);
    await world.advance(1);
    expect(world.takeOf("started")).toMatchObject([{ step: "a", n: 1, agoUs: 50_000 }]);
    work.resolve(1);
    await world.settle();
    const [ended] = world.takeOf("ended");
    expect(ended).toMatchObject({ step: "a", output: 1 });
    expect(ended).not.toHaveProperty("open");
  });

  /** §2.5: one id is one step; a step's function calls none, before or after it awaited something. */
  it("are refused where they cannot be", async () => {
    const errors: unknown[] = [];
    const note = (error: unknown): void => void errors.push(error);
    const world = await World.of([
      handler(async (step) => {
        await step.run("outer", async () => {
          await step.sleep("inner", 1).catch(note);
          await idle();
          await step.skip("later").catch(note);
        });
        await step.run("outer", () => 1).catch(note);
        await step.run("", () => 1).catch(note);
        await step.run("huge", "x".repeat(5_000_000), () => 1).catch(note);
      }),
    ]);
    const a = await world.activate();
    await world.say({ settled: { a, step: "outer", atUs: 1 } });
    expect(errors.map(String)).toMatchObject(
      [
        /step `inner` is called inside the function of step `outer`/,
        /step `later` is called inside the function of step `outer`/,
        /`outer` is used twice/,
        /a step id is empty/,
        /the limit is 4194304/,
      ].map((text) => expect.stringMatching(text)),
    );
    expect(errors.slice(0, 2).every(NestedStepError.is)).toBe(true);
    expect(DuplicateStepIdError.is(errors[2])).toBe(true);
    expect(LimitError.is(errors[4])).toBe(true);
    expect(world.takeOf("ended")).toHaveLength(1);
  });

  /** The place of an error is the line of the user's code that awaits the step. */
  it("throw errors whose stack names the line that awaits them", async () => {
    let stack = "";
    const world = await World.of([
      workflow({ name: "w" }, async function awaiting({ step }) {
        try {
          await step.run("a", () => Promise.reject(new Error("no")), { retry: false });
        } catch (error) {
          stack = String(Reflect.get(Object(error), "stack"));
        }
      }),
    ]);
    const a = await world.activate();
    const error = { name: "Error", message: "no" };
    await world.say({ settled: { a, step: "a", atUs: 1, status: "failed", error } });
    expect(stack).toMatch(/StepError: step `a` failed after 1 attempt: no/);
    expect(stack).toMatch(/awaiting .*steps\.test\.ts/);
  });

  /** §2.6: what is not JSON fails the step at once, with the place and why. */
  it("fail at once where the result is not JSON", async () => {
    const world = await World.of([handler((step) => step.run("a", () => ({ n: [1n] }) as never))]);
    await world.activate();
    const [ended] = world.takeOf("ended");
    expect(ended).toMatchObject({ terminal: true, error: { name: "SerializationError" } });
    expect(String(ended?.error && Reflect.get(ended.error, "message"))).toContain("$.n[0]");
    expect(SerializationError.is(new Error())).toBe(false);
  });

  /** §6.4: the next attempt waits for the old function, and for no more than 5 s. */
  it("run out of time, and wait for the old function", async () => {
    const first = later<number>();
    const reasons: unknown[] = [];
    const attempts: number[] = [];
    const world = await World.of([
      handler((step) =>
        step.run(
          "a",
          ({ attempt, signal }) => {
            attempts.push(attempt);
            signal.addEventListener("abort", () => reasons.push(signal.reason));
            return attempt === 1 ? first.promise : attempt;
          },
          { timeout: "1s" },
        ),
      ),
    ]);
    const a = await world.activate();
    await world.advance(1_000);
    expect(world.takeOf("ended")).toMatchObject([
      { n: 1, timedOut: true, error: { name: "StepTimeoutError" } },
    ]);
    expect(reasons.every(StepTimeoutError.is)).toBe(true);
    expect(reasons).toHaveLength(1);
    await world.say({ retry: { a, step: "a", n: 2, inUs: 0 } });
    await world.advance(4_999);
    expect(world.takeOf("released")).toEqual([]);
    expect(attempts).toEqual([1]);
    await world.advance(1);
    expect(attempts).toEqual([1, 2]);
    expect(world.takeOf("ended")).toMatchObject([{ n: 2, overlapped: true, output: 2 }]);
    world.take();
    first.resolve(9);
    await world.settle();
    expect(world.take()).toEqual([]);
  });

  /** §5.5: after a race a loser's pending and later calls throw; its functions get the signal. */
  it("throw in a branch that lost", async () => {
    const lost: unknown[] = [];
    const aborted: unknown[] = [];
    const won = later<string>();
    const world = await World.of([
      handler(async (step) => {
        const result = await step.race("race", {
          quick: (one) => one.run("quick", () => won.promise),
          slow: async (one) => {
            const running = one.run("running", ({ signal }) => {
              signal.addEventListener("abort", () => aborted.push(signal.reason));
              return new Promise(() => undefined);
            });
            await running.catch((error: unknown) => lost.push(error));
            await one.sleep("after", 1).catch((error: unknown) => lost.push(error));
          },
        });
        return result;
      }),
    ]);
    const a = await world.activate();
    expect(world.takeOf("race")).toMatchObject([
      { step: "race", open: { kind: "race", input: { branches: ["quick", "slow"] } } },
    ]);
    won.resolve("q");
    await world.settle();
    expect(world.takeOf("ended")).toMatchObject([
      { step: "quick", open: { branch: { race: "race", name: "quick" } } },
    ]);
    await world.say({ settled: { a, step: "quick", atUs: 1 } });
    expect(world.takeOf("raced")).toMatchObject([{ output: { winner: "quick", value: "q" } }]);
    expect(lost).toEqual([]);
    await world.say(
      { settled: { a, step: "running", atUs: 2, status: "cancelled" } },
      { settled: { a, step: "race", atUs: 2 } },
    );
    expect(lost.map(RaceLostError.is)).toEqual([true, true]);
    expect(aborted.map(CancelledError.is)).toEqual([true]);
    expect(world.takeOf("finished")).toEqual([{ a, output: { winner: "quick", value: "q" } }]);
  });

  /** §9.1: data that does not fit the schema of its event is not sent. */
  it("send no event whose data does not fit", async () => {
    const errors: unknown[] = [];
    const paid = event("paid", {
      "~standard": {
        version: 1,
        vendor: "test",
        validate: (value) =>
          typeof value === "object" ? { value } : { issues: [{ message: "no object" }] },
      },
    });
    const world = await World.of([
      handler(async (step) => {
        await step.emit("bad", { event: paid, data: 1 }).catch((error) => errors.push(error));
        await step.emit("good", { event: paid, data: { at: new Date(0) }, match: { n: 1 } });
      }),
    ]);
    await world.activate();
    expect(errors.map(InputError.is)).toEqual([true]);
    expect(world.takeOf("emit")).toMatchObject([
      { step: "good", event: "paid", data: { at: "1970-01-01T00:00:00.000Z" }, match: { n: 1 } },
    ]);
  });

  /** §2.3: numbers of chance and time come out the same on replay; lines are shown once. */
  it("give the same to the code on replay", async () => {
    const seen: unknown[] = [];
    const drawing = workflow({ name: "w" }, async ({ step, ctx }) => {
      const before = [ctx.now(), ctx.random(), ctx.uuid()];
      ctx.log.info("before");
      await step.run("a", () => 1);
      seen.push([...before, ctx.now(), ctx.random()]);
      ctx.log.info("after");
    });
    const live = await World.of([drawing]);
    const a = await live.activate();
    await live.say({ settled: { a, step: "a", atUs: 7_000_000 } });
    const replay = await World.of([drawing]);
    const ended = [
      { step: "a", kind: "run", status: "completed", atUs: 7_000_000, attempts: 1, output: 1 },
    ];
    await replay.activate({ ended });
    expect(seen[1]).toEqual(seen[0]);
    expect(seen[0]).toMatchObject([
      5_000,
      expect.any(Number),
      expect.any(String),
      7_000,
      expect.any(Number),
    ]);
    expect(live.lines.map((line) => line.message)).toEqual(["before", "after"]);
    expect(replay.lines.map((line) => line.message)).toEqual(["after"]);
    expect(RUN).toMatch(/^run_/);
  });
});
