import { expect, test } from "vitest";
import { contentsOf } from "./contents.ts";
import { graphOf, NODES_MAX } from "./graph.ts";
import { NODE_HEIGHT, NODE_WIDTH, place } from "./placement.ts";
import type { Step } from "./run.ts";
import { fan, run, step } from "./testing.ts";

const graph = (steps: readonly Step[]) => graphOf(contentsOf(run(steps)));

/** Steps one after the other. */
function chain(prefix: string, count: number): readonly Step[] {
  return Array.from({ length: count }, (_, at) =>
    step(`${prefix}${at}`, at * 10, at * 10 + 5, {
      position: at,
      after: at === 0 ? [] : [`${prefix}${at - 1}`],
    }),
  );
}

const DIAMOND = [
  step("charge", 0, 10),
  step("label", 10, 20, { after: ["charge"] }),
  step("fraud", 10, 20, { after: ["charge"] }),
  step("approval", 30, 40, { after: ["label", "fraud"] }),
  step("remind", 30, 40, { after: ["fraud", "label"] }),
];

test("several that lead to several are one edge, so that they are drawn as one rail", () => {
  expect(graph(DIAMOND).edges).toEqual([
    { from: ["charge"], to: ["label", "fraud"] },
    { from: ["fraud", "label"], to: ["approval", "remind"] },
  ]);
});

test("1,000 parallel branches are one node with an edge in and an edge out", () => {
  const branches = fan("charge:", 1000, [3]);
  const report = step("report", 5000, 5001, { after: branches.map((one) => one.id) });
  const { nodes, edges } = graph([step("load", 0, 90), ...branches, report]);
  expect(nodes.map((node) => node.type)).toEqual(["step", "many", "step"]);
  expect(edges).toEqual([
    { from: ["load"], to: ["*charge:@1"] },
    { from: ["*charge:@1"], to: ["report"] },
  ]);
});

test("10,000 steps in a row whose names begin alike are one node", () => {
  const { nodes, earlier } = graph(chain("page-", 10_000));
  expect(nodes).toHaveLength(1);
  expect(nodes[0]).toMatchObject({ type: "chain", prefix: "page-" });
  expect(earlier).toBe(0);
});

test("a small run shows each step of a row", () => {
  expect(graph(chain("page-", 50)).nodes).toHaveLength(50);
});

test("of too many nodes the oldest are one, and it says how many they are", () => {
  const steps = Array.from({ length: 1000 }, (_, at) =>
    step(`${String.fromCharCode(97 + (at % 26))}${at}`, at * 10, at * 10 + 5, {
      position: at,
      after: at === 0 ? [] : [`${String.fromCharCode(97 + ((at - 1) % 26))}${at - 1}`],
    }),
  );
  const { nodes, edges, earlier } = graph(steps);
  expect(nodes).toHaveLength(NODES_MAX);
  expect(earlier).toBe(1000 - NODES_MAX + 1);
  expect(edges[0]?.from).toEqual(["<"]);
});

test("nodes stand below what they came after, and none covers another", () => {
  const { nodes, edges } = graph(DIAMOND);
  const { places, width, height } = place({ nodes: nodes.map((node) => node.id), edges });
  const at = new Map(places.map((one) => [one.id, one]));
  for (const edge of edges) {
    for (const from of edge.from) {
      for (const to of edge.to) {
        expect(at.get(to)?.y).toBeGreaterThanOrEqual((at.get(from)?.y ?? 0) + NODE_HEIGHT);
      }
    }
  }
  for (const a of places) {
    expect([
      a.x >= 0,
      a.y >= 0,
      a.x + NODE_WIDTH <= width,
      a.y + NODE_HEIGHT <= height,
    ]).not.toContain(false);
    for (const b of places) {
      const apart = Math.abs(a.x - b.x) >= NODE_WIDTH || Math.abs(a.y - b.y) >= NODE_HEIGHT;
      expect(a === b || apart).toBe(true);
    }
  }
});

test("an edge past other ranks keeps out of the nodes between", () => {
  const steps = [
    step("a", 0, 10),
    step("wait", 10, 90, { after: ["a"] }),
    ...["b", "c", "d"].map((id, at) =>
      step(id, 10 + at * 10, 15 + at * 10, {
        after: [at === 0 ? "a" : (["b", "c"][at - 1] ?? "")],
      }),
    ),
    step("end", 95, 99, { after: ["wait", "d"] }),
  ];
  const { nodes, edges } = graph(steps);
  const { places, paths } = place({ nodes: nodes.map((node) => node.id), edges });
  const crossed = paths
    .flatMap((path) => downs(path))
    .filter(({ x, from, to }) =>
      places.some(
        (one) =>
          x > one.x && x < one.x + NODE_WIDTH && from < one.y + NODE_HEIGHT - 1 && to > one.y + 1,
      ),
    );
  expect(crossed).toEqual([]);
});

/** The vertical parts of a path. */
function downs(path: string): readonly { x: number; from: number; to: number }[] {
  const found: { x: number; from: number; to: number }[] = [];
  let [x, y] = [0, 0];
  for (const [, command, rest] of path.matchAll(/([MVHq])([^MVHq]*)/g)) {
    const numbers = (rest ?? "").trim().split(/[ ,]+/).map(Number);
    if (command === "M") [x, y] = [numbers[0] ?? 0, numbers[1] ?? 0];
    else if (command === "H") x = numbers[0] ?? 0;
    else if (command === "q") [x, y] = [x + (numbers[2] ?? 0), y + (numbers[3] ?? 0)];
    else {
      found.push({ x, from: Math.min(y, numbers[0] ?? 0), to: Math.max(y, numbers[0] ?? 0) });
      y = numbers[0] ?? 0;
    }
  }
  return found;
}
