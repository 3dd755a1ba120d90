import { expect, it } from "vitest";
import { app, type Step, unchecked, workflow } from "../../src/index.js";
import { replay, Test } from "../../src/test/index.js";

/** A program: steps, and steps in one after the other, side by side, or against each other. */
type Program =
  | { readonly op: "run" | "sleep" | "wait"; readonly id: string; readonly n: number }
  | { readonly op: "seq" | "all" | "settled" | "first" | "any"; readonly of: readonly Program[] }
  | { readonly op: "race"; readonly id: string; readonly of: readonly Program[] };

function randomOf(seed: number): () => number {
  let state = Math.imul(seed, 2_654_435_761) >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

function drawn(random: () => number, depth: number, ids: { next: number }): Program {
  const pick = <T>(...of: readonly T[]): T => of[Math.floor(random() * of.length)] as T;
  const id = `${ids.next++}`;
  if (depth === 0 || random() < 0.2) {
    return { op: pick("run", "run", "sleep", "wait"), id, n: Math.floor(random() * 90) };
  }
  const count = 1 + Math.floor(random() * 3);
  const of = Array.from({ length: count }, () => drawn(random, depth - 1, ids));
  const op = pick("seq", "seq", "all", "settled", "first", "any", "race", "race");
  return op === "race" ? { op, id, of } : { op, of };
}

/** Runs a program, and notes in which order its code is given what. */
async function go(program: Program, step: Step, seen: string[]): Promise<void> {
  const all = "of" in program ? program.of : [];
  const begun = (): Promise<void>[] => all.map((one) => go(one, step, seen));
  switch (program.op) {
    case "run": {
      const { id, n } = program;
      const call = async (): Promise<void> => {
        for (let turn = n; turn > 0; turn--) await null;
        if (n % 5 === 0) throw new Error("no");
      };
      await step.run(id, call, { retry: false }).finally(() => seen.push(id));
      return;
    }
    case "sleep":
      await step.sleep(program.id, program.n).finally(() => seen.push(program.id));
      return;
    case "wait":
      await step.waitForEvent(program.id, { event: "none", timeout: program.n });
      seen.push(program.id);
      return;
    case "seq":
      for (const one of all) await go(one, step, seen).catch(() => seen.push("caught"));
      return;
    case "all":
      await Promise.all(begun());
      break;
    case "settled":
      await Promise.allSettled(begun());
      break;
    case "first":
      await Promise.race(begun());
      break;
    case "any":
      await Promise.any(begun());
      break;
    case "race": {
      const branches = all.map((one, at) => [`${at}`, (two: Step) => go(one, two, seen)] as const);
      await step.race(program.id, Object.fromEntries(branches));
    }
  }
  seen.push(program.op);
}

/** §5.2–§5.5: whatever a program awaits, and whenever its process dies, its code is given the same again. */
it("programs of every shape replay as they ran", { timeout: 60_000 }, async () => {
  let given: string[][] = [];
  const any = workflow(
    { name: "any", input: unchecked<number>(), strict: true },
    async ({ input, step }) => {
      const seen: string[] = [];
      given.push(seen);
      await go(drawn(randomOf(input), 5, { next: 0 }), step, seen).catch(() => seen.push("thrown"));
      await step.sleep("last", 10);
      return [...seen];
    },
  );
  const shop = app("shop", { workflows: [any] });
  let ends = 0;
  for (let seed = 1; seed <= 60; seed++) {
    given = [];
    await using test = await Test.of(shop, { patience: "20ms" });
    const run = await test.start("any", seed);
    for (let n = 0; n < 12 && run.status !== "completed"; n++) {
      await test.advance(7 + (seed % 20));
      if (n % 3 === seed % 3) await test.crash();
    }
    await test.advance("1h");
    expect([seed, run.status]).toEqual([seed, "completed"]);
    const seen = run.output() as string[];
    ends += seen.length;
    await replay(shop, JSON.parse(JSON.stringify(run.history())));
    for (const one of given) {
      expect([seed, one.slice(0, seen.length)]).toEqual([seed, seen.slice(0, one.length)]);
    }
  }
  expect(ends).toBeGreaterThan(600);
});
