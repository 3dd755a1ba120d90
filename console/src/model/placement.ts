/** Where the nodes and edges of a graph stand. Runs in a worker: see `graph/layout-worker.ts`. */

import dagre from "@dagrejs/dagre";
import {
  around,
  type Box,
  FRAME_PAD,
  isNear,
  LANE_GAP,
  middleOf,
  NODE_HEIGHT,
  NODE_WIDTH,
  type Place,
  RANK_GAP,
} from "./boxes.ts";
import { backPath, edgeLines, type Lines } from "./edge-paths.ts";
import { type GraphEdge, type LaneNode, neighboursOf, type RaceFrame } from "./graph.ts";

export interface Question {
  readonly nodes: readonly Size[];
  readonly edges: readonly GraphEdge[];
  readonly frames: readonly RaceFrame[];
  readonly lane: readonly LaneNode[];
  /** Nodes that stand in a lane of their own at the right, one below the other. */
  readonly aside: readonly string[];
  /** Nodes that have their place already, and keep it. */
  readonly kept: readonly Place[];
}

/** A node, and how large it is. */
export type Size = Omit<Place, "x" | "y">;

export interface Placement extends Lines {
  readonly places: readonly Place[];
  /** The frames of races, by the id of the race. */
  readonly frames: readonly Place[];
  /** Dashed lines from the lane of the clean-up to what it takes back. */
  readonly backs: readonly { readonly from: string; readonly to: string; readonly path: string }[];
  /** Where the lane of those that stand aside begins; null where none does. */
  readonly asideX: number | null;
  readonly width: number;
  readonly height: number;
}

/** Places nodes in ranks from top to bottom. What has a place keeps it. */
export function place(question: Question): Placement {
  const lanes = new Set([...question.lane.map((one) => one.id), ...question.aside]);
  const main = question.nodes.filter((one) => !lanes.has(one.id));
  const known = new Map(question.kept.map((one) => [one.id, one]));
  const isKept = main.some((one) => known.has(one.id));
  const placed = isKept
    ? joined(main, question, known)
    : straightened(fresh(main, question), question);
  const lane = laneOf(question, placed, known);
  const right = Math.max(0, ...[...placed, ...lane].map((one) => one.x + one.width));
  const places = [...placed, ...lane, ...asideOf(question, right)];
  const frames = framesOf(question.frames, places);
  const bounds = around([...places, ...frames]);
  return {
    places,
    frames,
    ...edgeLines(question.edges, places),
    backs: backsOf(question.lane, places),
    asideX: question.aside.length === 0 ? null : right + LANE_GAP,
    width: bounds === null ? 0 : bounds.x + bounds.width,
    height: bounds === null ? 0 : bounds.y + bounds.height,
  };
}

/** Places all nodes anew. */
function fresh(nodes: readonly Size[], question: Question): readonly Place[] {
  const graph = new dagre.graphlib.Graph({ compound: question.frames.length > 0 });
  // Rails are nodes without a size between two ranks, so each rank is half as far from the next.
  const ranker = asSoonAsPossible as unknown as string;
  graph.setGraph({ rankdir: "TB", nodesep: LANE_GAP, ranksep: RANK_GAP / 2, ranker });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const { id, width, height } of nodes) graph.setNode(id, { width, height });
  question.edges.forEach((edge, index) => {
    const [from, to] = [edge.from[0], edge.to[0]];
    if (edge.from.length === 1 && edge.to.length === 1 && from && to) {
      graph.setEdge(from, to, { minlen: 2 });
      return;
    }
    const rail = `rail ${index}`;
    graph.setNode(rail, { width: 1, height: 0 });
    for (const id of edge.from) graph.setEdge(id, rail, { minlen: 1 });
    for (const id of edge.to) graph.setEdge(rail, id, { minlen: 1 });
  });
  for (const frame of question.frames) {
    const id = `frame ${frame.race}`;
    graph.setNode(id, {});
    for (const member of frame.members) graph.setParent(member, id);
  }
  dagre.layout(graph);
  return inRows(nodes.map((size) => boxOf(size, graph.node(size.id))));
}

function boxOf(size: Size, at: { readonly x?: number; readonly y?: number }): Place {
  const { width, height } = size;
  return {
    ...size,
    x: Math.round((at.x ?? 0) - width / 2),
    y: Math.round((at.y ?? 0) - height / 2),
  };
}

/** Nodes of one rank begin at one height, though some are higher than others. */
function inRows(places: readonly Place[]): readonly Place[] {
  const tops = new Map<number, number>();
  const rowOf = (one: Place) => Math.round(one.y + one.height / 2);
  for (const one of places) {
    const row = rowOf(one);
    tops.set(row, Math.min(tops.get(row) ?? one.y, one.y));
  }
  const left = Math.min(0, ...places.map((one) => one.x));
  return places.map((one) => ({ ...one, x: one.x - left, y: tops.get(rowOf(one)) ?? one.y }));
}

/** Moves nodes that stand alone in their rank above what follows them, else below what they came after. */
function straightened(places: readonly Place[], question: Question): readonly Place[] {
  const at = new Map(places.map((one) => [one.id, one]));
  const framed = new Set(question.frames.flatMap((frame) => frame.members));
  const inRow = new Map<number, number>();
  for (const one of places) inRow.set(one.y, (inRow.get(one.y) ?? 0) + 1);
  const passed = passedRows(question.edges, at);
  const alone = places.filter(
    (one) => inRow.get(one.y) === 1 && !passed.has(one.y) && !framed.has(one.id),
  );
  const { before, behind } = neighboursOf(question);
  const move = (one: Place, others: readonly string[] | undefined) => {
    const near = (others ?? []).flatMap((id) => at.get(id) ?? []);
    if (near.length > 0) at.set(one.id, { ...one, x: Math.max(0, wishedX(one, near)) });
  };
  for (const one of alone.toSorted((a, b) => b.y - a.y)) move(one, behind.get(one.id));
  for (const one of alone) if (!behind.has(one.id)) move(one, before.get(one.id));
  return places.map((one) => at.get(one.id) ?? one);
}

/** The rows that edges pass on their way to others further down. */
function passedRows(
  edges: readonly GraphEdge[],
  at: ReadonlyMap<string, Place>,
): ReadonlySet<number> {
  const rows = new Set([...at.values()].map((one) => one.y));
  const passed = new Set<number>();
  for (const edge of edges) {
    const top = Math.min(...edge.from.flatMap((id) => at.get(id)?.y ?? []));
    const foot = Math.max(...edge.to.flatMap((id) => at.get(id)?.y ?? []));
    for (const y of rows) if (y > top && y < foot) passed.add(y);
  }
  return passed;
}

interface RankGraph {
  nodes(): string[];
  node(id: string): { rank?: number };
  inEdges(id: string): { v: string; w: string }[] | undefined;
  edge(edge: { v: string; w: string }): { minlen: number };
}

/** Gives each node the first rank below all that it came after: so a step stands where it could begin. */
function asSoonAsPossible(graph: RankGraph): void {
  const ranks = new Map<string, number>();
  const rankOf = (begin: string): void => {
    const stack = [begin];
    for (let id = stack.at(-1); id !== undefined; id = stack.at(-1)) {
      const edges = graph.inEdges(id) ?? [];
      const missing = edges.map((edge) => edge.v).filter((v) => !ranks.has(v));
      if (missing.length > 0) {
        stack.push(...missing);
        continue;
      }
      stack.pop();
      const ends = edges.map((edge) => (ranks.get(edge.v) ?? 0) + graph.edge(edge).minlen);
      ranks.set(id, Math.max(0, ...ends));
    }
  };
  for (const id of graph.nodes()) {
    if (!ranks.has(id)) rankOf(id);
    graph.node(id).rank = ranks.get(id) ?? 0;
  }
}

/** Places new nodes among those that keep their place: below what they came after, where there is room. */
function joined(
  nodes: readonly Size[],
  question: Question,
  known: ReadonlyMap<string, Place>,
): readonly Place[] {
  const parents = new Map<string, readonly string[]>();
  for (const edge of question.edges) for (const id of edge.to) parents.set(id, edge.from);
  const placed = new Map<string, Place>();
  for (const size of nodes) {
    const one = known.get(size.id);
    if (one !== undefined) placed.set(size.id, { ...size, x: one.x, y: one.y });
  }
  // Nodes come in the order in which they began, so what a node came after is there before it.
  for (const size of nodes) {
    if (placed.has(size.id)) continue;
    const above = (parents.get(size.id) ?? []).flatMap((id) => placed.get(id) ?? []);
    placed.set(size.id, roomFor(size, above, [...placed.values()]));
  }
  return nodes.flatMap((one) => placed.get(one.id) ?? []);
}

function roomFor(size: Size, above: readonly Place[], others: readonly Place[]): Place {
  const least = above.length === 0 ? 0 : Math.max(...above.map((one) => one.y + one.height));
  const under = above.length === 0 ? 0 : least + RANK_GAP;
  // A rank that is there already is used, where it begins low enough.
  const rows = others
    .map((one) => one.y)
    .filter((y) => y >= under && y < under + NODE_HEIGHT + RANK_GAP);
  const y = Math.min(...rows, under + (rows.length === 0 ? 0 : NODE_HEIGHT + RANK_GAP));
  const wished = wishedX(size, above);
  const row = others.filter((one) => one.y < y + size.height && one.y + one.height > y);
  const sides = row.flatMap((one) => [one.x + one.width + LANE_GAP, one.x - LANE_GAP - size.width]);
  const free = [wished, ...sides]
    .filter((x) => row.every((one) => !isNear({ ...size, x, y }, one, LANE_GAP)))
    .sort((a, b) => Math.abs(a - wished) - Math.abs(b - wished));
  return { ...size, x: free[0] ?? wished, y };
}

function wishedX(size: Size, above: readonly Place[]): number {
  if (above.length === 0) return 0;
  const middles = above.map(middleOf);
  const middle = (Math.min(...middles) + Math.max(...middles)) / 2;
  return Math.round(middle - size.width / 2);
}

/** Places what takes steps back in a lane at the right, each beside its step or as near below as there is room. */
function laneOf(
  question: Question,
  placed: readonly Place[],
  known: ReadonlyMap<string, Place>,
): readonly Place[] {
  const at = new Map(placed.map((one) => [one.id, one]));
  const sizes = new Map(question.nodes.map((one) => [one.id, one]));
  const right = Math.max(0, ...placed.map((one) => one.x + one.width));
  const x = question.lane.flatMap((one) => known.get(one.id)?.x ?? [])[0] ?? right + 2 * LANE_GAP;
  const taken: Place[] = [];
  const foot = Math.max(0, ...placed.map((one) => one.y + one.height)) + RANK_GAP;
  // The highest first, so that what has to give way gives way downwards.
  const wished = question.lane
    .map((one) => ({ id: one.id, y: (one.of === null ? undefined : at.get(one.of)?.y) ?? null }))
    .sort((a, b) => (a.y ?? Number.MAX_VALUE) - (b.y ?? Number.MAX_VALUE));
  for (const { id, y } of wished) {
    const size = sizes.get(id) ?? { id, width: NODE_WIDTH, height: NODE_HEIGHT };
    // What takes back no node in sight, as the handler of the failure, stands below the others.
    const under = taken.length === 0 ? foot : Math.max(...taken.map(footOf)) + STACK_GAP;
    let box: Place = { ...size, x, y: known.get(id)?.y ?? y ?? under };
    for (let other = hit(box, taken); other !== undefined; other = hit(box, taken)) {
      box = { ...box, y: footOf(other) + STACK_GAP };
    }
    taken.push(box);
  }
  return taken;
}

/** Places what stands aside in a column, below the room for what the column is. */
function asideOf(question: Question, right: number): readonly Place[] {
  const sizes = new Map(question.nodes.map((one) => [one.id, one]));
  return question.aside.flatMap((id, at) => {
    const size = sizes.get(id);
    if (size === undefined) return [];
    return [{ ...size, x: right + 2 * LANE_GAP, y: (at + 1) * (NODE_HEIGHT + RANK_GAP) }];
  });
}

/** How far what stands on others in the lane is from them. */
const STACK_GAP = 12;

function footOf(box: Box): number {
  return box.y + box.height;
}

function hit(box: Box, others: readonly Place[]): Place | undefined {
  return others.find((one) => isNear(box, one, 0));
}

function backsOf(lane: readonly LaneNode[], places: readonly Place[]): Placement["backs"] {
  const at = new Map(places.map((one) => [one.id, one]));
  return lane.flatMap(({ id, of }) => {
    const [from, to] = [at.get(id), at.get(of ?? "")];
    if (from === undefined || to === undefined) return [];
    return [{ from: id, to: to.id, path: backPath(from, to, places) }];
  });
}

function framesOf(frames: readonly RaceFrame[], places: readonly Place[]): readonly Place[] {
  const at = new Map(places.map((one) => [one.id, one]));
  return frames.flatMap((frame) => {
    const box = around(frame.members.flatMap((id) => at.get(id) ?? []));
    if (box === null) return [];
    return [
      {
        id: frame.race,
        x: box.x - FRAME_PAD,
        y: box.y - FRAME_PAD,
        width: box.width + 2 * FRAME_PAD,
        height: box.height + 2 * FRAME_PAD,
      },
    ];
  });
}
