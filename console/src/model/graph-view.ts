/** How a graph is shown: sizes, shapes, the gutter with times, and which node a key leads to. */

import { NODE_HEIGHT, NODE_WIDTH, type Place, spreadSize } from "./boxes.ts";
import { fanOutStatus } from "./fan-out.ts";
import { type Graph, type GraphNode, neighboursOf, nodeStart, stepsOf } from "./graph.ts";
import { fanOutName } from "./parallel.ts";
import type { Question, Size } from "./placement.ts";
import { isFailure, nameOf, type Step, type StepStatus, stepHasEnded, titleOf } from "./run.ts";
import type { Stretch } from "./spans.ts";
import { listed } from "./words.ts";

/** The cards behind a node that stands for many. */
const CARDS = 10;

/** What a node looks like: its outline says its kind. */
export type Shape =
  | "run"
  | "wait"
  | "emit"
  | "sleep"
  | "child"
  | "race"
  | "skip"
  | "many"
  | "compensation"
  /** Of observed steps: declared, and neither called nor skipped. */
  | "missing"
  | "notReached";

const SHAPES: Readonly<Record<Step["kind"], Shape>> = {
  run: "run",
  sleep: "sleep",
  sleepUntil: "sleep",
  waitForEvent: "wait",
  namedWait: "wait",
  invoke: "child",
  emit: "emit",
  race: "race",
  skip: "skip",
  compensate: "compensation",
  onFailure: "run",
  observed: "run",
};

/** Observed steps that were not called are told by their outline. */
const UNCALLED: Readonly<Partial<Record<StepStatus, Shape>>> = {
  skipped: "skip",
  missing: "missing",
  not_reached: "notReached",
};

/** Returns the shape of a node. */
export function shapeOf(node: GraphNode): Shape {
  if (node.type !== "step") return "many";
  const { kind, status } = node.step;
  return (kind === "observed" ? UNCALLED[status] : undefined) ?? SHAPES[kind];
}

/** Returns the name of a node as people read it. */
export function nodeName(node: GraphNode): string {
  return node.type === "step" ? titleOf(node.step.id) : fanOutName(node.group);
}

/** Returns the name on a node: what takes a step back has that step's own, its shape and kind say the rest. */
export function nodeLabel(node: GraphNode): string {
  const isBack = node.type === "step" && node.step.kind === "compensate";
  return isBack ? nameOf(node.step.id) : nodeName(node);
}

/** Returns the status that a node shows. */
export function nodeStatus(node: GraphNode): StepStatus {
  return node.type === "step" ? node.step.status : fanOutStatus(node.group.steps);
}

/** Says whether a node is or holds what failed. */
export function hasFailed(node: GraphNode): boolean {
  return stepsOf(node).some(isFailure);
}

/** Says whether a node may still change. */
export function isOpen(node: GraphNode): boolean {
  return stepsOf(node).some((step) => !stepHasEnded(step));
}

/** Asks for the places of a graph. Nodes that had one keep it; one that took in others stands where the first was. */
export function questionOf(graph: Graph, places: readonly Place[]): Question {
  const at = new Map(places.map((one) => [one.id, one]));
  const kept: Place[] = [];
  const nodes = graph.nodes.map((node): Size => {
    const had = at.get(node.id) ?? (node.type === "step" ? undefined : formerPlace(node, at));
    if (had !== undefined) kept.push({ ...had, id: node.id });
    return { id: node.id, ...sizeOf(node) };
  });
  return {
    nodes,
    edges: graph.edges,
    frames: graph.frames,
    lane: graph.lane,
    aside: graph.aside,
    kept,
  };
}

function formerPlace(node: GraphNode, at: ReadonlyMap<string, Place>): Place | undefined {
  for (const step of stepsOf(node)) {
    const place = at.get(step.id);
    if (place !== undefined) return place;
  }
  return undefined;
}

function sizeOf(node: GraphNode): Omit<Size, "id"> {
  if (node.type === "spread") return spreadSize(node.shown.length);
  const size = { width: NODE_WIDTH, height: NODE_HEIGHT };
  return node.type === "many" ? { ...size, rise: CARDS } : size;
}

/** Orders places by rank, then from left to right: as tabs and readers of screens go through them. */
export function byRank(places: readonly Place[]): readonly Place[] {
  return [...places].sort((a, b) => a.y - b.y || a.x - b.x);
}

/** A mark of the gutter: when a rank began, or how long nothing ran before it. */
export type Mark =
  | { readonly type: "start"; readonly y: number; readonly at: number }
  | { readonly type: "fold"; readonly y: number; readonly from: number; readonly ms: number };

/** Returns the marks of the gutter, from top to bottom. `gaps` are the stretches in which nothing ran. */
export function gutterOf(
  graph: Graph,
  places: readonly Place[],
  gaps: readonly Stretch[],
): readonly Mark[] {
  const lane = new Set(graph.lane.map((one) => one.id));
  const begins = beginsOf(graph);
  const rows = new Map<number, { at: number; y: number }>();
  for (const place of places) {
    const node = graph.byId.get(place.id);
    if (node === undefined || lane.has(place.id)) continue;
    const row = rows.get(place.y);
    const start = begins.get(node.id) ?? nodeStart(node);
    const at = Math.min(row?.at ?? Number.POSITIVE_INFINITY, start);
    rows.set(place.y, { at, y: place.y + NODE_HEIGHT / 2 });
  }
  const marks: Mark[] = [];
  let [before, gap] = [Number.NEGATIVE_INFINITY, 0];
  for (const row of [...rows.values()].sort((a, b) => a.y - b.y)) {
    let folded = 0;
    let from = 0;
    for (; gap < gaps.length; gap += 1) {
      const one = gaps[gap];
      if (one === undefined || one.to > row.at) break;
      if (folded === 0) from = one.from;
      folded += one.to - one.from;
    }
    if (folded > 0 && before > Number.NEGATIVE_INFINITY) {
      marks.push({ type: "fold", y: (before + row.y) / 2, from, ms: folded });
    }
    marks.push({ type: "start", y: row.y, at: row.at });
    before = row.y;
  }
  return marks;
}

/** When each race began: with its first branch, though the journal may tell of the race itself later. */
function beginsOf(graph: Graph): ReadonlyMap<string, number> {
  return new Map(
    graph.frames.map(({ race, members }) => {
      const starts = members.flatMap((id) => graph.byId.get(id) ?? []).map(nodeStart);
      return [race, Math.min(...starts)];
    }),
  );
}

export type Way = "up" | "down" | "left" | "right";

/** Returns the node that lies in a direction: along edges up and down, in the same rank to the sides. */
export function nextNode(
  graph: Graph,
  places: readonly Place[],
  from: string,
  way: Way,
): string | null {
  const at = new Map(places.map((one) => [one.id, one]));
  const here = at.get(from);
  if (here === undefined) return byRank(places)[0]?.id ?? null;
  if (way === "left" || way === "right") {
    const beside = places.filter(
      (one) =>
        one.y < here.y + here.height &&
        one.y + one.height > here.y &&
        (way === "left" ? one.x < here.x : one.x > here.x),
    );
    return nearest(beside, here);
  }
  const { before, behind } = neighboursOf(graph);
  const ids = (way === "up" ? before : behind).get(from) ?? [];
  return nearest(
    ids.flatMap((id) => at.get(id) ?? []),
    here,
  );
}

function nearest(places: readonly Place[], to: Place): string | null {
  const far = (one: Place) => Math.abs(one.x - to.x) + Math.abs(one.y - to.y) / 4;
  const found = [...places].sort((a, b) => far(a) - far(b))[0];
  return found?.id ?? null;
}

const NAMES_MAX = 6;

/** Tells the edges of a node in words: `After charge; then label and fraud.` */
export function edgeWords(graph: Graph): ReadonlyMap<string, string> {
  const { before, behind } = neighboursOf(graph);
  const names = (ids: readonly string[] | undefined) => {
    const known = (ids ?? []).flatMap((id) => {
      const node = graph.byId.get(id);
      return node === undefined ? [] : [nodeName(node)];
    });
    if (known.length <= NAMES_MAX) return listed(known);
    return `${known.slice(0, NAMES_MAX).join(", ")} and ${known.length - NAMES_MAX} more`;
  };
  return new Map(
    graph.nodes.map(({ id }) => {
      const [after, then] = [names(before.get(id)), names(behind.get(id))];
      const parts = [after && `after ${after}`, then && `then ${then}`].filter(
        (part) => part !== "",
      );
      return [id, parts.length === 0 ? "" : `${parts.join("; ")}.`];
    }),
  );
}
