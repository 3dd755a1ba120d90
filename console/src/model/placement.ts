/** Where the nodes and edges of a graph stand. Runs in a worker: see `graph/layout-worker.ts`. */

import dagre from "@dagrejs/dagre";
import type { GraphEdge } from "./graph.ts";

export const NODE_WIDTH = 236;
export const NODE_HEIGHT = 50;
const LANE_GAP = 44;
const RANK_GAP = 38;
const CORNER = 8;

export interface Place {
  readonly id: string;
  /** The left upper corner. */
  readonly x: number;
  readonly y: number;
}

export interface Placement {
  readonly places: readonly Place[];
  /** Edges as paths of SVG; the joints of a rail as points. */
  readonly paths: readonly string[];
  readonly joints: readonly { readonly x: number; readonly y: number }[];
  readonly arrows: readonly { readonly x: number; readonly y: number }[];
  readonly width: number;
  readonly height: number;
}

export interface Question {
  readonly nodes: readonly string[];
  readonly edges: readonly GraphEdge[];
}

/** Places nodes in ranks from top to bottom. */
export function place(question: Question): Placement {
  const graph = new dagre.graphlib.Graph();
  graph.setGraph({ rankdir: "TB", nodesep: LANE_GAP, ranksep: RANK_GAP, ranker: "longest-path" });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const id of question.nodes) graph.setNode(id, { width: NODE_WIDTH, height: NODE_HEIGHT });
  for (const edge of question.edges) {
    for (const from of edge.from) for (const to of edge.to) graph.setEdge(from, to);
  }
  dagre.layout(graph);
  const places = question.nodes.map((id) => {
    const node = graph.node(id);
    const [x, y] = [node.x ?? 0, node.y ?? 0];
    return { id, x: Math.round(x - NODE_WIDTH / 2), y: Math.round(y - NODE_HEIGHT / 2) };
  });
  const lanes: Lanes = (from, to) => (graph.edge(from, to)?.points ?? []).slice(1, -1);
  return { places, ...edgesOf(question.edges, places, lanes), ...size(places) };
}

function size(places: readonly Place[]): { readonly width: number; readonly height: number } {
  return {
    width: Math.max(0, ...places.map((one) => one.x + NODE_WIDTH)),
    height: Math.max(0, ...places.map((one) => one.y + NODE_HEIGHT)),
  };
}

type Edges = Pick<Placement, "paths" | "joints" | "arrows">;
type Point = { readonly x: number; readonly y: number };
/** Where an edge passes between other nodes, rank by rank. */
type Lanes = (from: string, to: string) => readonly Point[];

function edgesOf(edges: readonly GraphEdge[], places: readonly Place[], lanes: Lanes): Edges {
  const at = new Map(places.map((one) => [one.id, one]));
  const paths: string[] = [];
  const joints: Point[] = [];
  const arrows: Point[] = [];
  for (const edge of edges) {
    const from = edge.from.flatMap((id) => at.get(id) ?? []);
    const to = edge.to.flatMap((id) => at.get(id) ?? []);
    const first = to.toSorted((a, b) => a.y - b.y)[0];
    if (from.length === 0 || first === undefined) continue;
    // The rail runs just above the highest node that it leads to: there no other node is in its way.
    const railY = first.y - RANK_GAP / 2;
    const rail = { x: middle(from.length === 1 && to.length > 1 ? from : to), y: railY };
    for (const one of from) {
      const foot = { x: middleOf(one), y: one.y + NODE_HEIGHT };
      const passed = lanes(one.id, first.id).filter((point) => point.y < railY);
      paths.push(path([foot, ...passed, rail], "rail"));
    }
    for (const one of to) {
      const head = { x: middleOf(one), y: one.y };
      paths.push(path([rail, head], "head"));
      arrows.push(head);
    }
    if (from.length > 1 && to.length > 1) {
      joints.push(...[...from, ...to].map((one) => ({ x: middleOf(one), y: railY })));
    }
  }
  return { paths, joints, arrows };
}

function middleOf(one: Place): number {
  return one.x + NODE_WIDTH / 2;
}

function middle(all: readonly Place[]): number {
  const xs = all.map(middleOf);
  return (Math.min(...xs) + Math.max(...xs)) / 2;
}

/**
 * A path of straight lines with round corners. Between points it goes down half the way, across, and down;
 * its end at a rail, or its begin there, goes across at once.
 */
function path(points: readonly Point[], at: "rail" | "head"): string {
  const [first] = points;
  if (first === undefined) return "";
  let drawn = `M${first.x} ${first.y}`;
  points.slice(1).forEach((to, index) => {
    const from = points[index] ?? first;
    const ends = at === "rail" && index === points.length - 2;
    const across = at === "head" ? from.y : ends ? to.y : (from.y + to.y) / 2;
    drawn += step(from, to, across);
  });
  return drawn;
}

function step(from: Point, to: Point, across: number): string {
  const turn = Math.sign(to.x - from.x);
  if (turn === 0) return `V${to.y}`;
  const room = Math.abs(to.x - from.x) / 2;
  const before = Math.min(CORNER, room, Math.abs(across - from.y));
  const after = Math.min(CORNER, room, Math.abs(to.y - across));
  return (
    `V${across - before}q0 ${before} ${turn * before} ${before}` +
    `H${to.x - turn * after}q${turn * after} 0 ${turn * after} ${after}V${to.y}`
  );
}
