/** What followed what: nodes and edges, with fan-outs and long chains as one node each. */

import type { RunContents } from "./contents.ts";
import { undeclaredOf } from "./observed-run.ts";
import { type FanOut, failedFirst, prefixOf, startOf } from "./parallel.ts";
import { isCleanUp, nameOf, type Step, titleOf } from "./run.ts";

/** More nodes than this are not shown one by one. */
export const NODES_MAX = 300;
/** So many of the oldest become one at a time, so that a run that grows does not lose a node with each step. */
const CUT = 50;
/** In a large run, this many steps in a row whose names begin alike are one node. */
const CHAIN_MIN = 4;
/** A fan-out that is spread out shows this many of its members. */
export const SPREAD_MAX = 60;

/** Why steps stand as one: they ran side by side, in a row, long ago, or take such steps back. */
export type ManyOf = "parallel" | "chain" | "earlier" | "cleanUp";

export type GraphNode =
  | { readonly type: "step"; readonly id: string; readonly step: Step }
  | {
      readonly type: "many";
      readonly id: string;
      readonly group: FanOut;
      readonly of: ManyOf;
    }
  /** A fan-out with members as nodes of their own, in a frame. */
  | {
      readonly type: "spread";
      readonly id: string;
      readonly group: FanOut;
      readonly shown: readonly Step[];
    };

/** An edge leads from several nodes to several: one rail, and no weave of lines. */
export interface GraphEdge {
  readonly from: readonly string[];
  readonly to: readonly string[];
}

/** A race and the nodes of its branches stand in one frame. */
export interface RaceFrame {
  readonly race: string;
  readonly members: readonly string[];
}

/** What takes steps back stands in a lane of its own, beside the node that it takes back. */
export interface LaneNode {
  readonly id: string;
  /** The node that it takes back; null for the handler of the failure. */
  readonly of: string | null;
}

export interface Graph {
  /** In the order in which they began. */
  readonly nodes: readonly GraphNode[];
  readonly byId: ReadonlyMap<string, GraphNode>;
  readonly edges: readonly GraphEdge[];
  readonly frames: readonly RaceFrame[];
  readonly lane: readonly LaneNode[];
  /** Nodes of steps that nobody declared stand in a lane of their own. */
  readonly aside: readonly string[];
  /** Which node shows a step. */
  readonly nodeOf: ReadonlyMap<string, string>;
  /** How many steps are in the node of earlier ones; 0 where all are shown. */
  readonly earlier: number;
}

const NOTHING: ReadonlySet<string> = new Set();

/** Makes the graph of a run. `spread` are the keys of fan-outs whose members are shown. */
export function graphOf(contents: RunContents, spread: ReadonlySet<string> = NOTHING): Graph {
  const main = cut(chained(nodesOf(contents, spread), contents));
  const nodeOf = new Map<string, string>();
  for (const node of main) for (const step of stepsOf(node)) nodeOf.set(step.id, node.id);
  const cleanUp = cleanUpOf(contents, nodeOf);
  for (const { node } of cleanUp) for (const step of stepsOf(node)) nodeOf.set(step.id, node.id);
  const nodes = [...main, ...cleanUp.map(({ node }) => node)];
  const first = main[0];
  return {
    nodes,
    byId: new Map(nodes.map((node) => [node.id, node])),
    edges: edgesOf(main, nodeOf, contents),
    frames: framesOf(contents, nodeOf),
    lane: cleanUp.map(({ node, of }) => ({ id: node.id, of })),
    aside: asideOf(main, contents),
    nodeOf,
    earlier: first?.type === "many" && first.of === "earlier" ? first.group.steps.length : 0,
  };
}

function asideOf(nodes: readonly GraphNode[], { run }: RunContents): readonly string[] {
  if (run.observed === undefined) return [];
  const undeclared = undeclaredOf(run.observed);
  return nodes.flatMap((node) => (undeclared.has(node.id) ? [node.id] : []));
}

/** Finds steps that stand as one by their key: a fan-out, or what only the graph makes one of. */
export function groupOf(contents: RunContents, key: string): FanOut | undefined {
  const known = contents.fanOuts.get(key);
  if (known !== undefined) return known;
  const node = graphOf(contents).byId.get(key);
  return node?.type === "many" ? node.group : undefined;
}

/** Returns the steps that a node stands for, in order. */
export function stepsOf(node: GraphNode): readonly Step[] {
  return node.type === "step" ? [node.step] : node.group.steps;
}

/** Returns when a node began. */
export function nodeStart(node: GraphNode): number {
  const first = stepsOf(node)[0];
  return first === undefined ? 0 : startOf(first);
}

function stepNode(step: Step): GraphNode {
  return { type: "step", id: step.id, step };
}

function nodesOf(contents: RunContents, spread: ReadonlySet<string>): readonly GraphNode[] {
  const nodes: GraphNode[] = [];
  const told = new Set<string>();
  for (const step of contents.steps) {
    if (isCleanUp(step)) continue;
    const group = contents.fanOutOf.get(step.id);
    if (group === undefined) nodes.push(stepNode(step));
    else if (!told.has(group.key)) {
      told.add(group.key);
      const id = `*${group.key}`;
      if (!spread.has(group.key)) nodes.push({ type: "many", id, group, of: "parallel" });
      else {
        const shown = failedFirst(group.steps).slice(0, SPREAD_MAX);
        nodes.push({ type: "spread", id, group, shown });
      }
    }
  }
  return nodes;
}

/** Where there are too many nodes, makes one of steps that followed each other and are named alike. */
function chained(nodes: readonly GraphNode[], contents: RunContents): readonly GraphNode[] {
  if (nodes.length <= NODES_MAX) return nodes;
  const made: GraphNode[] = [];
  let chain: Step[] = [];
  const close = () => {
    const first = chain[0];
    if (first !== undefined && chain.length >= CHAIN_MIN) {
      const [id, prefix] = [`~${first.id}`, prefixOf(nameOf(first.id))];
      made.push({ type: "many", id, group: { key: id, prefix, steps: chain }, of: "chain" });
    } else made.push(...chain.map(stepNode));
    chain = [];
  };
  for (const node of nodes) {
    const last = chain.at(-1);
    const joins = node.type === "step" && last !== undefined && follows(node.step, last, contents);
    if (!joins) close();
    if (node.type === "step") chain.push(node.step);
    else made.push(node);
  }
  close();
  return made;
}

function follows(step: Step, before: Step, contents: RunContents): boolean {
  return (
    step.kind === before.kind &&
    step.after.length === 1 &&
    step.after[0] === before.id &&
    contents.followers.get(before.id)?.length === 1 &&
    prefixOf(nameOf(step.id)) === prefixOf(nameOf(before.id))
  );
}

/** Where there are still too many, makes one node of the oldest. */
function cut(nodes: readonly GraphNode[]): readonly GraphNode[] {
  if (nodes.length <= NODES_MAX) return nodes;
  const from = Math.ceil((nodes.length - NODES_MAX + 1) / CUT) * CUT;
  const steps = nodes.slice(0, from).flatMap(stepsOf);
  const group = { key: "<", prefix: "", title: "Earlier steps", steps };
  return [{ type: "many", id: "<", group, of: "earlier" }, ...nodes.slice(from)];
}

/** The nodes of the clean-up: what takes back the steps of one node is one node too. */
function cleanUpOf(
  contents: RunContents,
  nodeOf: ReadonlyMap<string, string>,
): readonly { readonly node: GraphNode; readonly of: string | null }[] {
  const byNode = new Map<string | null, Step[]>();
  for (const step of contents.steps) {
    if (!isCleanUp(step)) continue;
    const of = step.kind === "compensate" ? (nodeOf.get(nameOf(step.id)) ?? null) : null;
    const steps = byNode.get(of);
    if (steps === undefined) byNode.set(of, [step]);
    else steps.push(step);
  }
  return [...byNode].flatMap(([of, steps]) => {
    const first = steps[0];
    if (first === undefined) return [];
    if (steps.length === 1 || of === null)
      return steps.map((step) => ({ node: stepNode(step), of }));
    const [id, prefix] = [`>${of}`, prefixOf(titleOf(first.id))];
    return [{ node: { type: "many", id, group: { key: id, prefix, steps }, of: "cleanUp" }, of }];
  });
}

/** Races with the nodes that stand in their frames. One whose steps stand elsewhere as one has none. */
function framesOf(
  contents: RunContents,
  nodeOf: ReadonlyMap<string, string>,
): readonly RaceFrame[] {
  const frames = new Map<string, Set<string>>();
  for (const step of contents.steps) {
    const race = step.branch?.race;
    if (race === undefined || nodeOf.get(race) !== race) continue;
    const node = nodeOf.get(step.id);
    if (node === undefined || node === "<") continue;
    const members = frames.get(race);
    if (members === undefined) frames.set(race, new Set([race, node]));
    else members.add(node);
  }
  return [...frames].map(([race, members]) => ({ race, members: [...members] }));
}

/**
 * Returns what a step came after, as the graph draws it: the first steps of a race's branches come after the
 * race, and what follows a race comes after the branch that won.
 */
export function drawnAfter(step: Step, contents: RunContents): readonly string[] {
  const race = step.branch === undefined ? undefined : contents.byId.get(step.branch.race);
  if (race !== undefined && !step.after.some((id) => raceOf(id, contents) === race.id)) {
    return [race.id];
  }
  const won = new Set(
    step.after.flatMap((id) => {
      const of = raceOf(id, contents);
      return of === undefined || of === step.branch?.race ? [] : [of];
    }),
  );
  return won.size === 0 ? step.after : step.after.filter((id) => !won.has(id));
}

function raceOf(id: string, contents: RunContents): string | undefined {
  return contents.byId.get(id)?.branch?.race;
}

function edgesOf(
  nodes: readonly GraphNode[],
  nodeOf: ReadonlyMap<string, string>,
  contents: RunContents,
): readonly GraphEdge[] {
  return bundled(nodes.map((node) => [node.id, beforeOf(node, nodeOf, contents)]));
}

/** Makes one edge of those that come from the same nodes. Each node is told with the nodes that it came after. */
export function bundled(
  all: readonly (readonly [id: string, before: readonly string[]])[],
): readonly GraphEdge[] {
  const bundles = new Map<string, { from: readonly string[]; to: string[] }>();
  for (const [id, from] of all) {
    if (from.length === 0) continue;
    const key = from.join("\u001d");
    const bundle = bundles.get(key);
    if (bundle === undefined) bundles.set(key, { from, to: [id] });
    else bundle.to.push(id);
  }
  return [...bundles.values()];
}

/** The nodes that a node came after. */
function beforeOf(
  node: GraphNode,
  nodeOf: ReadonlyMap<string, string>,
  contents: RunContents,
): readonly string[] {
  // Members of a fan-out came after the same steps, those of a chain after each other; before the oldest is none.
  const first = node.id === "<" ? undefined : stepsOf(node)[0];
  if (first === undefined) return [];
  const before = new Set<string>();
  for (const id of drawnAfter(first, contents)) {
    const from = nodeOf.get(id);
    if (from !== undefined && from !== node.id) before.add(from);
  }
  return [...before].sort();
}

/** Returns the nodes that come directly before and after each, for keys that go along edges. */
export function neighboursOf(graph: Pick<Graph, "edges">): {
  readonly before: ReadonlyMap<string, readonly string[]>;
  readonly behind: ReadonlyMap<string, readonly string[]>;
} {
  const [before, behind] = [
    new Map<string, readonly string[]>(),
    new Map<string, readonly string[]>(),
  ];
  const add = (map: Map<string, readonly string[]>, id: string, ids: readonly string[]) =>
    map.set(id, [...(map.get(id) ?? []), ...ids]);
  for (const edge of graph.edges) {
    for (const id of edge.to) add(before, id, edge.from);
    for (const id of edge.from) add(behind, id, edge.to);
  }
  return { before, behind };
}

/** Returns the nodes that lead to some: these, and all that came before them. */
export function ancestorsOf(graph: Graph, ids: readonly string[]): ReadonlySet<string> {
  const { before } = neighboursOf(graph);
  const found = new Set(ids);
  const left = [...ids];
  for (let id = left.pop(); id !== undefined; id = left.pop()) {
    for (const one of before.get(id) ?? []) {
      if (found.has(one)) continue;
      found.add(one);
      left.push(one);
    }
  }
  return found;
}
