/** What followed what: nodes and edges, with fan-outs and long chains as one node each. */

import type { RunContents } from "./contents.ts";
import { type FanOut, prefixOf, startOf } from "./parallel.ts";
import { nameOf, type Step } from "./run.ts";

/** More nodes than this are not shown one by one. */
export const NODES_MAX = 300;
/** In a large run, this many steps in a row whose names begin alike are one node. */
const CHAIN_MIN = 4;

export type GraphNode =
  | { readonly type: "step"; readonly id: string; readonly step: Step }
  | { readonly type: "many"; readonly id: string; readonly fanOut: FanOut }
  | {
      readonly type: "chain";
      readonly id: string;
      readonly prefix: string;
      readonly steps: readonly Step[];
    }
  | { readonly type: "earlier"; readonly id: string; readonly steps: readonly Step[] };

/** An edge leads from several nodes to several: one rail, and no weave of lines. */
export interface GraphEdge {
  readonly from: readonly string[];
  readonly to: readonly string[];
}

export interface Graph {
  /** In the order in which they began. */
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
  /** How many steps are in the node of earlier ones; 0 where all are shown. */
  readonly earlier: number;
}

/** Makes the graph of a run. */
export function graphOf(contents: RunContents): Graph {
  const nodes = cut(chained(nodesOf(contents), contents));
  const nodeOf = new Map<string, string>();
  for (const node of nodes) for (const step of stepsOf(node)) nodeOf.set(step.id, node.id);
  const first = nodes[0];
  return {
    nodes,
    edges: edgesOf(nodes, nodeOf),
    earlier: first?.type === "earlier" ? first.steps.length : 0,
  };
}

/** Returns the steps that a node stands for, in order. */
export function stepsOf(node: GraphNode): readonly Step[] {
  if (node.type === "step") return [node.step];
  return node.type === "many" ? node.fanOut.steps : node.steps;
}

/** Returns when a node began. */
export function nodeStart(node: GraphNode): number {
  const first = stepsOf(node)[0];
  return first === undefined ? 0 : startOf(first);
}

function nodesOf(contents: RunContents): readonly GraphNode[] {
  const nodes: GraphNode[] = [];
  const told = new Set<string>();
  for (const step of contents.steps) {
    const fanOut = contents.fanOutOf.get(step.id);
    if (fanOut === undefined) nodes.push({ type: "step", id: step.id, step });
    else if (!told.has(fanOut.key)) {
      told.add(fanOut.key);
      nodes.push({ type: "many", id: `*${fanOut.key}`, fanOut });
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
      const prefix = prefixOf(nameOf(first.id));
      made.push({ type: "chain", id: `~${first.id}`, prefix, steps: chain });
    } else made.push(...chain.map((step) => ({ type: "step", id: step.id, step }) as const));
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
  const from = nodes.length - NODES_MAX + 1;
  const earlier: GraphNode = {
    type: "earlier",
    id: "<",
    steps: nodes.slice(0, from).flatMap(stepsOf),
  };
  return [earlier, ...nodes.slice(from)];
}

function edgesOf(
  nodes: readonly GraphNode[],
  nodeOf: ReadonlyMap<string, string>,
): readonly GraphEdge[] {
  const bundles = new Map<string, { from: readonly string[]; to: string[] }>();
  for (const node of nodes) {
    const from = beforeOf(node, nodeOf);
    if (from.length === 0) continue;
    const key = from.join("\u001d");
    const bundle = bundles.get(key);
    if (bundle === undefined) bundles.set(key, { from, to: [node.id] });
    else bundle.to.push(node.id);
  }
  return [...bundles.values()];
}

/** The nodes that a node came after. */
function beforeOf(node: GraphNode, nodeOf: ReadonlyMap<string, string>): readonly string[] {
  const before = new Set<string>();
  for (const step of stepsOf(node)) {
    for (const id of step.after) {
      const from = nodeOf.get(id);
      if (from !== undefined && from !== node.id) before.add(from);
    }
  }
  return [...before].sort();
}
