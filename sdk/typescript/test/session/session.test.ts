import { describe, expect, it } from "vitest";
import { type Ctx, type Step, workflow } from "../../src/index.js";
import { RUN, World } from "../machine/world.js";

const forever = (): Promise<never> => new Promise(() => undefined);

function handler(
  run: (step: Step, ctx: Ctx) => Promise<unknown>,
  options: Readonly<Record<string, unknown>> = {},
): ReturnType<typeof workflow> {
  const made = workflow({ ...options, name: "w" }, ({ step, ctx }) => run(step, ctx));
  return made as ReturnType<typeof workflow>;
}

function names(world: World): string[] {
  return world.take().flatMap((message) => Object.keys(message));
}

describe("a session", () => {
  /** §4.7: no function starts after the grant has lapsed, counted from when its ping was sent. */
  it("starts no function without a grant", async () => {
    const calls: string[] = [];
    const world = await World.of([
      handler(async (step) => {
        await step.run("a", () => void calls.push("a"));
        await step.run("b", () => void calls.push("b"));
      }),
    ]);
    const a = await world.activate();
    await world.advance(10_000, false);
    await world.say({ settled: { a, step: "a", atUs: 1 } });
    expect(calls).toEqual(["a"]);
    await world.advance(1);
    expect(calls).toEqual(["a", "b"]);
  });

  /** §4.7, §4.9: what was not answered is told again on the next connection, under a new handle. */
  it("tells again what was not answered", async () => {
    const world = await World.of([
      handler(async (step) => {
        await step.run("done", () => 0);
        await Promise.all([
          step.run("a", { big: 1 }, () => 1),
          step.sleep("nap", "1h"),
          step.run("runs", forever),
        ]);
      }),
    ]);
    const a = await world.activate({ nonce: 7 });
    await world.say({ settled: { a, step: "done", atUs: 1 } });
    expect(names(world)).toEqual(["ended", "sleep", "ended"].toSorted());
    world.session.onDisconnected();
    await world.advance(60, false);
    const hello = await world.connect();
    expect(hello.hello?.resume).toEqual([{ run: RUN, epoch: 1, nonce: 7, told: 1, idle: false }]);
    expect(world.take()).toEqual([]);
    await world.say({ resumed: { a: 9, run: RUN } });
    const told = world.take();
    expect(told.map((one) => Object.keys(one)[0])).toEqual(["ended", "sleep", "started"]);
    expect(told).toMatchObject([
      { ended: { a: 9, step: "a", output: 1, open: { input: { big: 1 } } } },
      { sleep: { a: 9, step: "nap", forUs: 3_600_000_000 } },
      { started: { a: 9, step: "runs", n: 1 } },
    ]);
    await world.say({ gone: { run: RUN, epoch: 1 } });
    expect(world.session.held).toBe(0);
  });

  /** §4.7: a run from a connection before starts nothing until the node says that it is held. */
  it("holds a run back until it is resumed", async () => {
    const calls: number[] = [];
    const world = await World.of([
      handler((step) =>
        step.run("a", ({ attempt }) => {
          calls.push(attempt);
          throw new Error("no");
        }),
      ),
    ]);
    const a = await world.activate();
    await world.say({ retry: { a, step: "a", n: 2, inUs: 500_000 } });
    world.session.onDisconnected();
    await world.advance(600, false);
    await world.connect();
    expect(calls).toEqual([1]);
    await world.say({ resumed: { a: 2, run: RUN } });
    expect(calls).toEqual([1, 2]);
  });

  /** §3.2: a run that waits takes no slot, and is given back after its last activity. */
  it("gives a run back that waits", async () => {
    const world = await World.of([handler((step) => step.sleep("nap", "1h"))]);
    await world.activate();
    expect(names(world)).toEqual(["sleep", "idle"]);
    await world.advance(999);
    expect(names(world)).toEqual([]);
    await world.advance(1);
    expect(world.take()).toEqual([{ released: { a: 1, seen: 0 } }]);
    expect(world.session.held).toBe(0);
  });

  /** §6.1: a backoff is kept by the runner, which says `busy` when it is over. */
  it("takes a slot again when a backoff is over", async () => {
    const world = await World.of([
      handler((step) =>
        step.run("a", ({ attempt }) => {
          if (attempt === 1) throw new Error("no");
          return attempt;
        }),
      ),
    ]);
    const a = await world.activate();
    await world.say({ retry: { a, step: "a", n: 2, inUs: 300_000 } });
    expect(names(world)).toEqual(["ended", "idle"]);
    await world.advance(300);
    expect(names(world)).toEqual(["busy", "ended"]);
  });

  /** §9.6: a paused run begins nothing, and its code is given nothing. */
  it("holds a paused run back", async () => {
    const calls: string[] = [];
    const world = await World.of([
      handler(async (step) => {
        await step.run("a", () => void calls.push("a"));
        await step.run("b", () => void calls.push("b"));
      }),
    ]);
    const a = await world.activate();
    await world.say({ pause: { a } });
    await world.say({ settled: { a, step: "a", atUs: 1 } });
    expect(calls).toEqual(["a"]);
    await world.say({ unpause: { a } });
    expect(calls).toEqual(["a", "b"]);
  });

  /** §7.1, §7.2: a cancelled run signals its functions, tells their results and then that it ended. */
  it("ends a run from outside", async () => {
    const world = await World.of([
      handler((step) =>
        step.run("a", ({ signal }) => {
          return new Promise((resolve) => signal.addEventListener("abort", () => resolve("late")));
        }),
      ),
    ]);
    const a = await world.activate();
    await world.say({ end: { a, status: "cancelled" } });
    expect(world.take()).toMatchObject([
      { ended: { step: "a", output: "late" } },
      { finished: { error: { name: "CancelledError" } } },
    ]);
    await world.say({ done: { a } });
    expect(world.session.held).toBe(0);
  });

  /** §5.3, §7.2: functions beside the one that failed get the signal, and are awaited. */
  it("awaits functions in flight when a handler fails", async () => {
    const world = await World.of([
      handler(async (step) => {
        const beside = step.run("beside", ({ signal }) => {
          return new Promise((resolve) => signal.addEventListener("abort", () => resolve(1)));
        });
        await Promise.all([beside, step.run("bad", () => Promise.reject(new Error("no")))]);
      }),
    ]);
    const a = await world.activate();
    world.take();
    const error = { name: "Error", message: "no" };
    await world.say({ settled: { a, step: "bad", atUs: 1, status: "failed", error } });
    expect(world.take()).toMatchObject([
      { ended: { step: "beside", output: 1 } },
      { dropped: { step: "beside" } },
      { finished: { error: { name: "StepError" } } },
    ]);
  });

  /** §5.6: what is in flight when a handler returns is cancelled, recorded. */
  it("cancels what a handler leaves behind", async () => {
    const reasons: unknown[] = [];
    const world = await World.of([
      handler(async (step) => {
        void step.sleep("nap", "1h");
        const left = step.run(
          "left",
          ({ signal }) => {
            signal.addEventListener("abort", () => reasons.push(signal.reason));
            return forever();
          },
          { compensate: () => undefined },
        );
        await Promise.race([left, Promise.resolve()]);
        return "over";
      }),
    ]);
    await world.activate();
    expect(world.take()).toMatchObject([
      { sleep: { step: "nap" } },
      { dropped: { step: "nap" } },
      { started: { step: "left", open: { compensable: "completed" } } },
      { dropped: { step: "left" } },
      { finished: { output: "over" } },
    ]);
    expect(reasons).toHaveLength(1);
  });

  /** §4.10: another kind under an id blocks the run; the node evicts it, and is answered. */
  it("blocks a run whose code and journal disagree", async () => {
    const world = await World.of([handler((step) => step.sleep("a", "1s"))]);
    const ended = [{ step: "a", kind: "run", status: "completed", atUs: 1, attempts: 1 }];
    const a = await world.activate({ ended });
    expect(world.take()).toEqual([
      { block: { a, cause: { kind: "kindChanged", step: "a", expected: "run", found: "sleep" } } },
    ]);
    await world.say({ evict: { a } });
    expect(world.take()).toEqual([{ released: { a, seen: 0 } }]);
  });

  /** §4.10: a strict workflow is blocked by a changed order of steps. */
  it("blocks a strict run whose order changed", async () => {
    const world = await World.of([handler((step) => step.run("b", () => 1), { strict: true })]);
    const ended = ["a", "b"].map((step, at) => {
      return { step, kind: "run", status: "completed", atUs: at, attempts: 1 };
    });
    await world.activate({ ended });
    await world.advance(1_000);
    expect(world.take()).toMatchObject([
      { block: { cause: { kind: "orderChanged", expected: "a", found: "b" } } },
    ]);
  });

  /** §6.5: ends that an earlier run of the handler left are given as soon as they are asked for. */
  it("gives ends of an earlier run of the handler first", async () => {
    const seen: unknown[] = [];
    const world = await World.of([
      handler(async (step) => {
        seen.push(await step.run("y", () => 0), await step.run("x", () => 0));
        await step.run("z", forever);
      }),
    ]);
    const ended = ["x", "y"].map((step) => {
      return {
        step,
        kind: "run",
        status: "completed",
        atUs: 1,
        attempts: 1,
        output: step,
        kept: true,
      };
    });
    await world.activate({ ended });
    expect(seen).toEqual(["y", "x"]);
    expect(world.takeOf("order")).toEqual([]);
  });

  /** §4.5: a start is durable before the function is called; a lost one is verified. */
  it("asks before a function starts that starts at most once", async () => {
    const calls: string[] = [];
    const once = handler((step) =>
      step.run("wire", () => void calls.push("wire"), {
        atMostOnce: { verify: () => ({ outcome: "notDone" }), onUnknown: "throw" },
      }),
    );
    const world = await World.of([once]);
    const a = await world.activate();
    expect(world.take()).toMatchObject([
      { started: { step: "wire", n: 1, open: { once: { onUnknown: "throw" } } } },
    ]);
    expect(calls).toEqual([]);
    await world.say({ begin: { a, step: "wire", n: 1 } });
    expect(calls).toEqual(["wire"]);
    const next = await World.of([once]);
    const open = [{ step: "wire", kind: "run", attempts: 1, once: true, unknown: true }];
    const b = await next.activate({ open });
    expect(next.take()).toMatchObject([{ verified: { step: "wire", n: 1, verdict: "notDone" } }]);
    await next.say({ retry: { a: b, step: "wire", n: 2, inUs: 0 } });
    expect(next.take()).toMatchObject([{ started: { step: "wire", n: 2 } }]);
    expect(calls).toEqual(["wire"]);
  });

  /** §2.3, §9.4: attributes are told; the run goes on as another one. */
  it("sets search attributes, and goes on as another run", async () => {
    const world = await World.of([
      handler(async (_step, ctx) => {
        ctx.setSearch({ country: "DE", gone: null });
        return ctx.continueAs({ page: 2 });
      }),
    ]);
    const a = await world.activate();
    expect(world.take()).toEqual([
      { search: { a, set: { country: "DE", gone: null } } },
      { finished: { a, continueAs: { input: { page: 2 } } } },
    ]);
  });

  /** §7.3, §7.5: the handler is replayed, calls nothing, and its functions then take steps back. */
  it("takes steps back in a run of its own", async () => {
    const calls: string[] = [];
    const world = await World.of([
      handler(async (step) => {
        const charge = await step.run("charge", () => ({ tx: "live" }), {
          compensate: async ({ tx }) => void calls.push(`undo ${tx}`),
        });
        calls.push(`handler ${charge.tx}`);
        charge.tx = "changed";
        await step.run("next", () => calls.push("next"));
      }),
    ]);
    const one = { step: "charge", kind: "run", status: "completed", atUs: 1, attempts: 1 };
    const a = await world.activate({
      ended: [{ ...one, output: { tx: "saved" } }],
      cleanUp: {
        status: "failed",
        error: { name: "Error", message: "no" },
        compensate: [{ step: "charge" }],
      },
    });
    // §7.3: what was saved, though the handler has changed what it was given.
    expect(calls).toEqual(["handler saved", "undo saved"]);
    expect(world.take()).toMatchObject([
      { ended: { step: "compensate\u001fcharge", open: { kind: "compensate" } } },
    ]);
    await world.say({ settled: { a, step: "compensate\u001fcharge", atUs: 2 } });
    expect(world.take()).toEqual([{ finished: { a } }]);
  });

  /** §7.5: where the code does not reach what is to be taken back, the run says what. */
  it("says what a clean-up does not reach", async () => {
    const world = await World.of([handler(async (step) => await step.run("other", () => 1))]);
    const cleanUp = {
      status: "failed",
      error: { name: "Error", message: "no" },
      compensate: [{ step: "charge" }],
    };
    const a = await world.activate({ cleanUp });
    await world.advance(1_000);
    expect(world.take()).toEqual([
      { block: { a, cause: { kind: "cleanUpLost", steps: ["charge"] } } },
    ]);
  });

  /** A runner that stops gives its runs back, each once none of its functions is in progress. */
  it("drains", async () => {
    let resolve: (value: number) => void = () => undefined;
    const work = new Promise<number>((given) => {
      resolve = given;
    });
    const world = await World.of([
      handler(async (step) => {
        await step.run("a", () => work);
        await step.run("b", () => 1);
      }),
    ]);
    const a = await world.activate();
    world.session.drain();
    await world.settle();
    expect(names(world)).toEqual(["drain"]);
    resolve(1);
    await world.settle();
    await world.say({ settled: { a, step: "a", atUs: 1 } });
    expect(world.take()).toMatchObject([{ ended: { step: "a" } }, { released: { seen: 0 } }]);
    expect(world.session.held).toBe(0);
  });

  /** §4: what the node is not ready for waits; pings and credit do not. */
  it("keeps to the credit that it has", async () => {
    const world = await World.of([handler((step) => step.run("a", () => 1))], { creditBytes: 0 });
    await world.activate();
    expect(world.take()).toEqual([]);
    await world.say({ credit: { bytes: 1 } });
    expect(names(world)).toEqual(["ended"]);
  });
});
