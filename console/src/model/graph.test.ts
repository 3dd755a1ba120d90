import { expect, test } from "vitest";
import { isNear, NODE_HEIGHT, NODE_WIDTH } from "./boxes.ts";
import { contentsOf } from "./contents.ts";
import { graphOf, NODES_MAX } from "./graph.ts";
import { edgeWords, gutterOf, nextNode, nodeLabel, questionOf } from "./graph-view.ts";
import { place } from "./placement.ts";
import type { Step } from "./run.ts";
import { fan, run, step, ZERO } from "./testing.ts";

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
  expect(nodes[0]).toMatchObject({ type: "many", of: "chain", group: { prefix: "page-" } });
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
  expect(nodes.length).toBeLessThanOrEqual(NODES_MAX);
  expect(earlier).toBe(1000 - nodes.length + 1);
  expect(edges[0]?.from).toEqual(["<"]);
});

const placed = (steps: readonly Step[]) => place(questionOf(graph(steps), []));

test("nodes stand below what they came after, and none covers another", () => {
  const { edges } = graph(DIAMOND);
  const { places, width, height } = placed(DIAMOND);
  const at = new Map(places.map((one) => [one.id, one]));
  for (const edge of edges) {
    for (const from of edge.from) {
      for (const to of edge.to) {
        expect(at.get(to)?.y).toBeGreaterThanOrEqual((at.get(from)?.y ?? 0) + NODE_HEIGHT);
      }
    }
  }
  for (const a of places) {
    expect([a.x >= 0, a.y >= 0]).toEqual([true, true]);
    expect([a.x + NODE_WIDTH <= width, a.y + NODE_HEIGHT <= height]).toEqual([true, true]);
    for (const b of places) expect(a === b || !isNear(a, b, 0)).toBe(true);
  }
});

/** A step with a long wait beside three in a row. */
const BESIDE = [
  step("a", 0, 10),
  step("wait", 10, 90, { after: ["a"] }),
  ...["b", "c", "d"].map((id, at) =>
    step(id, 10 + at * 10, 15 + at * 10, { after: [at === 0 ? "a" : (["b", "c"][at - 1] ?? "")] }),
  ),
  step("end", 95, 99, { after: ["wait", "d"] }),
];

test("an edge past other ranks keeps out of the nodes between", () => {
  const { places, lines } = placed(BESIDE);
  const crossed = lines
    .flatMap((line) => downs(line.path))
    .filter(({ x, from, to }) =>
      places.some(
        (one) =>
          x > one.x && x < one.x + NODE_WIDTH && from < one.y + NODE_HEIGHT - 1 && to > one.y + 1,
      ),
    );
  expect(crossed).toEqual([]);
});

test("what has a place keeps it when steps are added, and what is new covers nothing", () => {
  const before = placed(BESIDE.slice(0, 3)).places;
  const after = place(questionOf(graph(BESIDE), before)).places;
  for (const one of before) expect(after.find((two) => two.id === one.id)).toEqual(one);
  expect(after).toHaveLength(BESIDE.length);
  for (const a of after) for (const b of after) expect(a === b || !isNear(a, b, 0)).toBe(true);
});

test("siblings that become a fan-out stand where the first of them stood", () => {
  const few = [step("load", 0, 90), ...fan("charge:", 8)];
  const before = placed(few).places;
  const many = graph([step("load", 0, 90), ...fan("charge:", 9)]);
  const after = place(questionOf(many, before)).places;
  const first = before.find((one) => one.id === "charge:0");
  expect(after.find((one) => one.id.startsWith("*"))).toMatchObject({ x: first?.x, y: first?.y });
});

const RACE = [
  step("ask", 0, 10),
  step("quote", 10, 50, {
    kind: "race",
    after: ["ask"],
    output: { winner: "north", value: 1 },
  }),
  step("north", 10, 50, { after: ["ask"], branch: { race: "quote", name: "north" } }),
  step("south", 10, 50, {
    after: ["ask"],
    status: "cancelled",
    branch: { race: "quote", name: "south" },
  }),
  step("book", 60, 70, { after: ["north", "quote"] }),
];

test("branches come after their race, and what follows comes after the winner", () => {
  const { edges, frames } = graph(RACE);
  expect(edges).toEqual([
    { from: ["ask"], to: ["quote"] },
    { from: ["quote"], to: ["north", "south"] },
    { from: ["north"], to: ["book"] },
  ]);
  expect(frames).toEqual([{ race: "quote", members: ["quote", "north", "south"] }]);
});

test("the frame of a race holds its branches and nothing else", () => {
  const { places, frames } = placed(RACE);
  const frame = frames[0];
  const inside = places.filter((one) => frame !== undefined && isNear(one, frame, 0));
  expect(inside.map((one) => one.id).sort()).toEqual(["north", "quote", "south"]);
});

const UNDONE = [
  step("reserve", 0, 10),
  step("charge", 10, 20, { after: ["reserve"] }),
  step("ship", 20, 30, { after: ["charge"], status: "failed" }),
  step("compensate\u001fcharge", 40, 50, { kind: "compensate", after: ["ship"] }),
  step("compensate\u001freserve", 50, 60, {
    kind: "compensate",
    after: ["compensate\u001fcharge"],
  }),
];

test("what takes a step back stands at the right of it, with a line to it", () => {
  const { places, backs } = placed(UNDONE);
  const at = new Map(places.map((one) => [one.id, one]));
  for (const name of ["charge", "reserve"]) {
    const [back, of] = [at.get(`compensate\u001f${name}`), at.get(name)];
    expect(back?.y).toBe(of?.y);
    expect(back?.x).toBeGreaterThan((of?.x ?? 0) + NODE_WIDTH);
  }
  expect(backs.map((one) => one.to).sort()).toEqual(["charge", "reserve"]);
});

test("the handler of a failure stands right below what takes steps back", () => {
  const handler = step("onFailure\u001fcheckout", 60, 70, { kind: "onFailure" });
  const { places } = placed([...UNDONE, handler]);
  const lane = places.filter((one) => one.id.startsWith("compensate"));
  const foot = Math.max(...lane.map((one) => one.y + one.height));
  const at = places.find((one) => one.id === handler.id);
  expect(at?.x).toBe(lane[0]?.x);
  expect((at?.y ?? 0) - foot).toBe(12);
});

test("what takes a step back has that step's name on it", () => {
  expect(graph(UNDONE).nodes.map(nodeLabel)).toEqual([
    "reserve",
    "charge",
    "ship",
    "charge",
    "reserve",
  ]);
});

test("what takes a fan-out back is one node", () => {
  const members = fan("charge:", 20);
  const backs = members.map((one, at) =>
    step(`compensate\u001f${one.id}`, 500 + at, 501 + at, { kind: "compensate" }),
  );
  const { nodes, lane } = graph([...members, ...backs]);
  expect(nodes.map((node) => node.type)).toEqual(["many", "many"]);
  expect(lane[0]?.of).toBe(nodes[0]?.id);
});

test("a fan-out that is spread out shows 60 of its members, failed first, in a frame", () => {
  const contents = contentsOf(run(fan("charge:", 1000, [700])));
  const key = [...contents.fanOuts.keys()][0] ?? "";
  const node = graphOf(contents, new Set([key])).nodes[0];
  expect(node?.type === "spread" && node.shown).toHaveLength(60);
  expect(node?.type === "spread" && node.shown[0]?.id).toBe("charge:700");
});

test("the gutter tells when each rank began, and how long nothing ran before it", () => {
  const steps = [
    step("a", 0, 1000),
    step("pause", 1000, 3_601_000, { kind: "sleep", after: ["a"] }),
    step("b", 3_601_000, 3_602_000, { after: ["pause"] }),
  ];
  const made = graph(steps);
  const gaps = [{ from: ZERO + 1000, to: ZERO + 3_601_000 }];
  const marks = gutterOf(made, place(questionOf(made, [])).places, gaps);
  expect(marks.map((mark) => (mark.type === "fold" ? mark.ms : mark.at - ZERO))).toEqual([
    0, 1000, 3_600_000, 3_601_000,
  ]);
});

test("the rank of a race began with the first of its branches", () => {
  const made = graph([
    step("race", 82, 90, { kind: "race" }),
    step("north", 18, 90, { branch: { race: "race", name: "north" } }),
    step("south", 82, 90, { branch: { race: "race", name: "south" } }),
  ]);
  const marks = gutterOf(made, place(questionOf(made, [])).places, []);
  expect(marks.map((mark) => mark.type === "start" && mark.at - ZERO)).toEqual([18, 18]);
});

test("keys go down along edges, and across lanes within a rank", () => {
  const made = graph(DIAMOND);
  const { places } = placed(DIAMOND);
  const down = nextNode(made, places, "charge", "down");
  expect(["label", "fraud"]).toContain(down);
  const other = down === "label" ? "fraud" : "label";
  const left =
    (places.find((one) => one.id === other)?.x ?? 0) <
    (places.find((one) => one.id === down)?.x ?? 0);
  expect(nextNode(made, places, down ?? "", left ? "left" : "right")).toBe(other);
  expect(nextNode(made, places, "approval", "down")).toBeNull();
});

test("edges are told in words", () => {
  expect(edgeWords(graph(DIAMOND)).get("label")).toBe("after charge; then approval and remind.");
});

test("many steps that lead to many others are placed without a line for each pair", () => {
  const first = Array.from({ length: 140 }, (_, at) =>
    step(`${at} a`, 10, 20, { after: ["load"] }),
  );
  const ids = first.map((one) => one.id);
  const second = Array.from({ length: 140 }, (_, at) => step(`${at} b`, 30, 40, { after: ids }));
  const { lines } = placed([step("load", 0, 5), ...first, ...second]);
  expect(lines.length).toBeLessThan(600);
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
