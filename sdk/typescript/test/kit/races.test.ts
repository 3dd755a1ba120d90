import { expect, it } from "vitest";
import { Node } from "../../src/test/node/node.js";
import type { Opening } from "../../src/test/node/said.js";

const AGO = { agoUs: 0, startedAgoUs: 0, endedAgoUs: 0 };

function open(kind: Opening["kind"], branch?: Opening["branch"]): { open: Opening } {
  return { open: { kind, agoUs: 0, compensable: "completed", ...(branch && { branch }) } };
}

/** §5.5, §7.2: a race that the decision on the run's end overtook has no losers; one that ended has. */
it.each([
  { why: "nothing was heard of the race", isHeard: false, steps: ["charge completed"] },
  { why: "the race had ended", isHeard: true, steps: ["r completed"] },
])("the stand-in takes what returns in a branch after a cancel: $why", ({ isHeard, steps }) => {
  const node = new Node("shop", [{ name: "w", strict: false }], 5_000_000);
  node.connect("r");
  const run = node.start("w", {});
  if (isHeard) {
    node.onMessage({ race: { a: 1, step: "r", ...open("race") } });
    node.onMessage({ raced: { a: 1, step: "r" } });
  }
  node.cancel(run);
  node.onMessage({ race: { a: 1, step: "r", ...open("race") } });
  const branch = open("run", { race: "r", name: "pay" });
  node.onMessage({ ended: { a: 1, step: "charge", n: 1, ...AGO, ...branch } });
  expect(run.steps.map(({ id, status }) => `${id} ${status}`)).toEqual(steps);
});
