/** Sizes of what a graph shows, and boxes that must not cover each other. */

export const NODE_WIDTH = 236;
export const NODE_HEIGHT = 50;
export const LANE_GAP = 44;
export const RANK_GAP = 38;
/** A frame keeps this much around what it holds, and this much above for its name. */
export const FRAME_PAD = 16;
export const FRAME_HEAD = 30;
/** Members of a fan-out that is spread out stand in so many columns. */
const SPREAD_COLUMNS = 5;
const SPREAD_GAP = 12;

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Where a node stands. */
export interface Place extends Box {
  readonly id: string;
  /** How far what belongs to it stands out above the box: the cards behind a fan-out. */
  readonly rise?: number;
}

/** Returns the size of the frame of so many nodes that are spread out. */
export function spreadSize(count: number): { readonly width: number; readonly height: number } {
  const columns = Math.min(count, SPREAD_COLUMNS);
  const rows = Math.ceil(count / SPREAD_COLUMNS);
  return {
    width: columns * (NODE_WIDTH + SPREAD_GAP) - SPREAD_GAP + 2 * FRAME_PAD,
    height: rows * (NODE_HEIGHT + SPREAD_GAP) - SPREAD_GAP + FRAME_HEAD + FRAME_PAD,
  };
}

/** Returns where the node with a number stands in the frame of those that are spread out. */
export function spreadPlace(at: number): { readonly x: number; readonly y: number } {
  return {
    x: FRAME_PAD + (at % SPREAD_COLUMNS) * (NODE_WIDTH + SPREAD_GAP),
    y: FRAME_HEAD + Math.floor(at / SPREAD_COLUMNS) * (NODE_HEIGHT + SPREAD_GAP),
  };
}

/** Returns the middle of a box from left to right. */
export function middleOf(box: Box): number {
  return box.x + box.width / 2;
}

/** Says whether two boxes come nearer to each other than a gap. */
export function isNear(a: Box, b: Box, gap: number): boolean {
  return (
    a.x < b.x + b.width + gap &&
    b.x < a.x + a.width + gap &&
    a.y < b.y + b.height &&
    b.y < a.y + a.height
  );
}

/** Returns the smallest box around others; null around none. */
export function around(boxes: readonly Box[]): Box | null {
  if (boxes.length === 0) return null;
  const [x, y] = [Math.min(...boxes.map((box) => box.x)), Math.min(...boxes.map((box) => box.y))];
  const right = Math.max(...boxes.map((box) => box.x + box.width));
  const foot = Math.max(...boxes.map((box) => box.y + box.height));
  return { x, y, width: right - x, height: foot - y };
}
