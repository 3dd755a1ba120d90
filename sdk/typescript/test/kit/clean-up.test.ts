import { describe, expect, it } from "vitest";
import { app, type Workflow, workflow } from "../../src/index.js";
import { crashEverywhere, Test } from "../../src/test/index.js";

const fail = (): never => {
  throw new RangeError("no");
};

/** What was taken back, by the workflows below. */
let undone: unknown[] = [];
const undo = (...what: readonly unknown[]): void => void undone.push(what);

/** §7.3, §7.5: what takes a step back may use what its code was given, though it is said before that is there. */
describe("a compensation that uses its step's result", () => {
  const alone = workflow({ name: "alone" }, async ({ step }) => {
    const seat = await step.run("seat", () => ({ row: 7 }), {
      compensate: async (saved) => undo(seat, saved),
    });
    await step.run("fails", fail, { retry: false });
  });
  const several = workflow({ name: "several" }, async ({ step }) => {
    const first = await step.run("first", () => 1, { compensate: () => undo(first) });
    const both: [number, unknown, number] = await Promise.all([
      step.run("second", () => 2, { compensate: () => undo(first, both) }),
      step.sleep("nap", "1h"),
      step.run("third", () => 3, { compensate: () => undo(both[2]) }),
    ]);
    const last: number = await step.run("last", () => 4, { compensate: () => undo(both, last) });
    await step.run("fails", fail, { retry: false });
  });
  const raced = workflow({ name: "raced" }, async ({ step }) => {
    const won = await step.race("first", {
      quick: async (one) => {
        await one.sleep("moment", "1s");
        return await one.run("quick", () => "q", { compensate: () => undo(won) });
      },
      slow: async (one) => {
        const kept = await one.run("kept", () => "k", { compensate: () => undo(kept) });
        await one.sleep("slow", "1h");
      },
    });
    await step.sleep("nap", "1s");
    await step.run("fails", fail, { retry: false });
  });
  const child = workflow({ name: "child" }, () => "c");
  const parent = workflow({ name: "parent" }, async ({ step }) => {
    const made: unknown = await step.invoke("child", {
      workflow: child,
      compensate: () => undo(made),
    });
    await step.run("fails", fail, { retry: false });
  });
  const caught = workflow({ name: "caught" }, async ({ step }) => {
    await step.run("fails first", fail, { retry: false }).catch(() => undefined);
    const seat = await step.run("seat", () => 7, { compensate: () => undo(seat) });
    throw new RangeError("no");
  });

  it.each([
    { of: alone, gives: [[{ row: 7 }, { row: 7 }]] },
    {
      of: several,
      gives: [[[2, null, 3], 4], [3], [1, [2, null, 3]], [1]],
    },
    { of: raced, gives: [[{ winner: "quick", value: "q" }], ["k"]] },
    { of: parent, gives: [["c"]] },
    { of: caught, gives: [[7]] },
  ])("takes back: $of.name", async ({ of, gives }: { of: Workflow; gives: unknown }) => {
    undone = [];
    await using test = await Test.of(app("shop", { workflows: [of, child] }));
    const run = await test.start(of.name);
    await test.advance("2h");
    expect(run.steps().filter(({ error }) => error?.name === "ReferenceError")).toEqual([]);
    expect(run.status).toBe("failed");
    expect(JSON.parse(JSON.stringify(undone))).toEqual(gives);
  });

  /** §4.9: whenever the process dies. */
  it("is the same after a crash at any moment", async () => {
    const report = await crashEverywhere(
      () => app("shop", { workflows: [several] }),
      async (test) => {
        const run = await test.start("several");
        await test.advance("2h");
        expect(run.status).toBe("failed");
        expect(run.steps().filter(({ kind }) => kind === "compensate")).toHaveLength(4);
        expect(run.steps().every(({ error }) => error?.name !== "ReferenceError")).toBe(true);
      },
    );
    expect(report.points.length).toBeGreaterThan(20);
  });
});

describe("the replay before a clean-up", () => {
  /** §7.2, §7.5: a step that returned while the run was ending is given to the code first, too. */
  it("gives the code what came while the run was ending", async () => {
    undone = [];
    const said: string[] = [];
    const ends = workflow({ name: "ends", compensateOnCancel: true }, async ({ step, ctx }) => {
      const late = await step.run(
        "late",
        ({ signal }) =>
          new Promise<string>((resolve) => signal.addEventListener("abort", () => resolve("late"))),
        { compensate: () => undo(late) },
      );
      // §2.3: no replay shows lines.
      ctx.log.info("went on");
      said.push("went on");
      await step.run("never", () => said.push("never"));
    });
    await using test = await Test.of(app("shop", { workflows: [ends] }));
    const run = await test.start("ends");
    await test.cancel(run);
    await test.advance("1m");
    expect([run.status, undone, said]).toEqual(["cancelled", [["late"]], ["went on"]]);
    expect(run.logs()).toEqual([]);
    expect(run.steps().map(({ id }) => id)).toEqual(["late", "compensate late"]);
  });

  /** §7.5: once each is said, code that goes another way than before blocks nothing any more. */
  it.each([false, true])("is not blocked by what follows (strict: %s)", async (strict) => {
    undone = [];
    let lives = 0;
    const changes = workflow({ name: "changes", strict }, async ({ step }) => {
      const isFirst = lives++ === 0;
      const seat = await step.run("seat", () => 7, { compensate: () => undo(seat) });
      if (isFirst) await step.run("next", () => 1);
      else await step.sleep("next", "1h");
      await step.run("fails", fail, { retry: false });
    });
    await using test = await Test.of(app("shop", { workflows: [changes] }));
    const run = await test.start("changes");
    await test.advance("1m");
    expect([run.status, run.blocked, undone]).toEqual(["failed", undefined, [[7]]]);
  });

  /** §5.4, §7.5: nor does another order, where the end of what is taken back stands behind others. */
  it.each([false, true])("is not blocked by another order (strict: %s)", async (strict) => {
    undone = [];
    let lives = 0;
    const orders = workflow({ name: "orders", strict }, async ({ step }) => {
      const isFirst = lives++ === 0;
      if (isFirst) await step.run("before", () => 1);
      const seat = await step.run("seat", () => 7, {
        // A strict run is given nothing out of order: there it has the result that was saved.
        compensate: (saved) => undo(strict ? saved : seat),
      });
      await step.run("fails", fail, { retry: false });
    });
    await using test = await Test.of(app("shop", { workflows: [orders] }));
    const run = await test.start("orders");
    await test.advance("1m");
    expect([run.status, run.blocked, undone]).toEqual(["failed", undefined, [[7]]]);
  });
});
