/** Which part of a graph is seen, and how large: what a camera shows of it. */

import type { Box } from "./boxes.ts";
import { middleOf } from "./boxes.ts";

/** Where the origin of a graph stands on the page, and how much larger it is drawn. */
export interface Viewport {
  readonly x: number;
  readonly y: number;
  readonly zoom: number;
}

/** The room that a graph has, and how much of it belongs to the gutter at the left and the legend at the right. */
export interface Room {
  readonly width: number;
  readonly height: number;
  readonly gutter: number;
  readonly right: number;
}

export const ZOOM_MIN = 0.1;
export const ZOOM_MAX = 2;
/** Names can be read down to this. */
const READABLE = 0.6;
const EDGE = 24;

/** What is looked at first: a node, or the begin or the end of the graph. */
export type LookAt = Box | "begin" | "end";

/** Returns a first view that can be read: all of the width where that is possible. */
export function firstView(bounds: Box, room: Room, at: LookAt): Viewport {
  const wide = widthOf(room) - 2 * EDGE;
  const zoom = clamp(wide / Math.max(bounds.width, 1), READABLE, 1);
  if (typeof at === "object") return centred(at, room, zoom, bounds);
  const x = across(bounds, room, zoom);
  const tall = bounds.height * zoom + 2 * EDGE;
  const isLow = at === "end" && tall > room.height;
  const y = isLow ? room.height - EDGE - (bounds.y + bounds.height) * zoom : EDGE - bounds.y * zoom;
  return { x, y, zoom };
}

/** Returns the view that shows all, as large as there is room. */
export function fitted(bounds: Box, room: Room): Viewport {
  const wide = (widthOf(room) - 2 * EDGE) / Math.max(bounds.width, 1);
  const high = (room.height - 2 * EDGE) / Math.max(bounds.height, 1);
  const zoom = clamp(Math.min(wide, high), ZOOM_MIN, 1);
  const y = Math.max(EDGE, (room.height - bounds.height * zoom) / 2) - bounds.y * zoom;
  return { x: across(bounds, room, zoom), y: Math.min(y, EDGE * 2 - bounds.y * zoom), zoom };
}

/** Returns the view with a box in its middle, as far as the graph does not fit. */
export function centred(box: Box, room: Room, zoom: number, bounds: Box): Viewport {
  const fits = bounds.width * zoom <= widthOf(room) - EDGE;
  const middle = room.gutter + widthOf(room) / 2;
  const x = fits ? across(bounds, room, zoom) : middle - middleOf(box) * zoom;
  const top = EDGE - bounds.y * zoom;
  if (bounds.height * zoom <= room.height - 2 * EDGE) return { x, y: top, zoom };
  // Nothing is above the graph, so no room is left there.
  return { x, y: Math.min(top, room.height / 2 - (box.y + box.height / 2) * zoom), zoom };
}

/** Returns the view moved as little as needed for a box to be seen. */
export function shown(box: Box, room: Room, view: Viewport): Viewport {
  const { zoom } = view;
  const [left, top] = [box.x * zoom + view.x, box.y * zoom + view.y];
  const right = room.width - room.right - EDGE - box.width * zoom;
  const foot = room.height - EDGE - box.height * zoom;
  return {
    x: view.x + clamp(left, Math.min(room.gutter + EDGE, right), right) - left,
    y: view.y + clamp(top, Math.min(EDGE, foot), foot) - top,
    zoom,
  };
}

function across(bounds: Box, room: Room, zoom: number): number {
  const free = widthOf(room) - bounds.width * zoom;
  return room.gutter + Math.max(free / 2, EDGE) - bounds.x * zoom;
}

function widthOf(room: Room): number {
  return room.width - room.gutter - room.right;
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}
