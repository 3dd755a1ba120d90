/** The lines of a graph: orthogonal, with round corners, past the nodes; one rail where several meet. */

import { type Box, LANE_GAP, middleOf, type Place, RANK_GAP } from "./boxes.ts";
import type { GraphEdge } from "./graph.ts";

const CORNER = 8;
/** A line keeps this far from nodes that it passes. */
const CLEAR = 12;

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** A line as a path of SVG, with the nodes that it belongs to. */
export interface Line {
  readonly path: string;
  readonly from: readonly string[];
  readonly to: readonly string[];
}

export interface Lines {
  readonly lines: readonly Line[];
  /** Where lines meet on a rail of several to several. */
  readonly joints: readonly Point[];
  readonly arrows: readonly (Point & { readonly to: string })[];
}

/** Draws the edges between nodes that have places. */
export function edgeLines(edges: readonly GraphEdge[], places: readonly Place[]): Lines {
  const at = new Map(places.map((one) => [one.id, one]));
  const lines: Line[] = [];
  const joints: Point[] = [];
  const arrows: (Point & { readonly to: string })[] = [];
  for (const edge of edges) {
    const from = edge.from.flatMap((id) => at.get(id) ?? []);
    const to = edge.to.flatMap((id) => at.get(id) ?? []);
    const top = Math.min(...to.map((one) => one.y));
    if (from.length === 0 || to.length === 0) continue;
    // The rail runs just above the highest node that it leads to: there no other node is in its way.
    const rail = { x: railX(from, to), y: top - RANK_GAP / 2 };
    const joined = from.length > 1 && to.length > 1;
    for (const one of from) {
      const foot = { x: middleOf(one), y: one.y + one.height };
      const points = [foot, ...passage(foot, rail, places), rail];
      lines.push({ path: drawn(points, joined ? "joint" : "rail"), from: [one.id], to: edge.to });
    }
    for (const one of to) {
      const head = { x: middleOf(one), y: one.y - (one.rise ?? 0) };
      const path = joined
        ? sharp([rail, { x: head.x, y: rail.y }, head])
        : drawn([rail, head], "head");
      lines.push({ path, from: edge.from, to: [one.id] });
      arrows.push({ ...head, to: one.id });
    }
    if (joined) {
      joints.push(...[...from, ...to].map((one) => ({ x: middleOf(one), y: rail.y })));
    }
  }
  return { lines, joints, arrows };
}

/** Draws a line from what takes a step back, in its lane at the right, to the node of that step. */
export function backPath(from: Place, to: Place, places: readonly Place[]): string {
  const [start, end] = [
    { x: from.x, y: from.y + from.height / 2 },
    { x: to.x + to.width, y: to.y + to.height / 2 },
  ];
  const between: Box = {
    x: end.x + 1,
    y: Math.min(start.y, end.y) - 1,
    width: Math.max(start.x - end.x - 2, 0),
    height: Math.abs(start.y - end.y) + 2,
  };
  const blocked = places.some(
    (one) => one.id !== from.id && one.id !== to.id && overlaps(one, between),
  );
  if (!blocked && start.y === end.y) return `M${start.x} ${start.y}H${end.x}`;
  // Through the gap beneath the step, where only rails are.
  const [foot, y] = [to.x + to.width - 24, to.y + to.height];
  const down = y + 10;
  const turn = start.x - 16;
  return (
    `M${start.x} ${start.y}H${turn + CORNER}q${-CORNER} 0 ${-CORNER} ${Math.sign(down - start.y || 1) * CORNER}` +
    `V${down}H${foot}V${y}`
  );
}

function overlaps(a: Box, b: Box): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

function railX(from: readonly Place[], to: readonly Place[]): number {
  return middle(from.length === 1 && to.length > 1 ? from : to);
}

function middle(all: readonly Place[]): number {
  const xs = all.map(middleOf);
  return (Math.min(...xs) + Math.max(...xs)) / 2;
}

/** Returns where a line goes down past other nodes: nothing where it has none in its way. */
function passage(foot: Point, rail: Point, places: readonly Place[]): readonly Point[] {
  const [top, bottom] = [foot.y + RANK_GAP / 2, rail.y];
  const blockers = places.filter((one) => one.y < bottom && one.y + one.height > top);
  if (blockers.length === 0) return [];
  const isFree = (x: number) =>
    blockers.every((one) => x <= one.x - CLEAR || x >= one.x + one.width + CLEAR);
  // Straight down is best, then above the rail's end, then beside what is in the way, the nearest first.
  const sides = blockers
    .flatMap((one) => [one.x - LANE_GAP / 2, one.x + one.width + LANE_GAP / 2])
    .sort((a, b) => Math.abs(a - foot.x) - Math.abs(b - foot.x));
  const x = [foot.x, rail.x, ...sides].find(isFree);
  if (x === undefined || x === foot.x) return [];
  return [
    { x: foot.x, y: top },
    { x, y: top },
  ];
}

/** A path of straight lines with round corners. The last stretch goes across at a rail's end, or its begin. */
function drawn(points: readonly Point[], at: "rail" | "joint" | "head"): string {
  const corners: Point[] = [];
  points.forEach((to, index) => {
    const from = points[index - 1];
    const isLast = index === points.length - 1;
    if (from !== undefined && isLast && from.x !== to.x && from.y !== to.y) {
      corners.push(at === "head" ? { x: to.x, y: from.y } : { x: from.x, y: to.y });
    }
    corners.push(to);
  });
  const end = points.at(-1);
  const last = corners.at(-2);
  // On a rail where several meet several, a joint marks the meeting and no corner is round.
  if (at === "joint" && end !== undefined && last !== undefined && last.y === end.y) {
    return `${rounded(corners.slice(0, -1))}H${end.x}`;
  }
  return rounded(corners);
}

function sharp(points: readonly Point[]): string {
  return points.map((point, at) => `${at === 0 ? "M" : "L"}${point.x} ${point.y}`).join("");
}

function rounded(points: readonly Point[]): string {
  const kept = points.filter((point, at) => {
    const before = points[at - 1];
    return before === undefined || before.x !== point.x || before.y !== point.y;
  });
  const [first] = kept;
  if (first === undefined) return "";
  let path = `M${first.x} ${first.y}`;
  kept.slice(1).forEach((point, index) => {
    const [before, next] = [kept[index] ?? first, kept[index + 2]];
    path += next === undefined ? straight(point, before) : corner(before, point, next);
  });
  return path;
}

function straight(to: Point, from: Point): string {
  return to.x === from.x ? `V${to.y}` : `H${to.x}`;
}

function corner(before: Point, at: Point, next: Point): string {
  const [inX, inY] = [Math.sign(at.x - before.x), Math.sign(at.y - before.y)];
  const [outX, outY] = [Math.sign(next.x - at.x), Math.sign(next.y - at.y)];
  if (inX === outX && inY === outY) return straight(at, before);
  const room = (a: Point, b: Point) => Math.abs(a.x - b.x) + Math.abs(a.y - b.y);
  const r = Math.min(CORNER, room(before, at) / 2, room(at, next) / 2);
  const begin = { x: at.x - inX * r, y: at.y - inY * r };
  return `${straight(begin, before)}q${inX * r} ${inY * r} ${(inX + outX) * r} ${(inY + outY) * r}`;
}
