import { expect, it } from "vitest";
import { RaceLostError, workflow } from "../../src/index.js";
import { World } from "./world.js";

/** §5.4, §5.5: a race inside of a branch that lost goes where it went before it was cancelled. */
it("a cancelled race is replayed as far as it came", async () => {
  const seen: string[] = [];
  const handler = workflow({ name: "w", strict: true }, async ({ step }) => {
    await step.race("limit", {
      work: async (one) => {
        const inner = one.race("inner", {
          a: async (two) => {
            seen.push(`x: ${await two.run("x", () => 1)}`);
            await two.sleep("long", "1h");
            seen.push("never");
          },
          b: (two) => two.sleep("longer", "2h"),
        });
        await inner.catch((error: unknown) => seen.push(`lost: ${RaceLostError.is(error)}`));
      },
      late: (one) => one.sleep("nap", "1s"),
    });
    seen.push("over");
    await step.run("after", () => 2);
  });
  const world = await World.of([handler]);
  const ended = [
    { step: "x", kind: "run", status: "completed", output: 1 },
    { step: "nap", kind: "sleep", status: "completed" },
    { step: "limit", kind: "race", status: "completed", output: { winner: "late" } },
    { step: "inner", kind: "race", status: "cancelled" },
    { step: "long", kind: "sleep", status: "cancelled" },
    { step: "longer", kind: "sleep", status: "cancelled" },
  ].map((one, at) => ({ ...one, attempts: one.kind === "run" ? 1 : 0, atUs: 5_000_001 + at }));
  const a = await world.activate({ ended });
  expect(seen).toEqual(["x: 1", "over", "lost: true"]);
  expect(world.take()).toMatchObject([{ ended: { a, step: "after" } }]);
  await world.advance(2_000);
  expect(world.take()).toEqual([]);
});
