import { expect, test } from "vitest";
import { firstView, fitted, shown } from "./viewport.ts";

const ROOM = { width: 900, height: 600, gutter: 90, right: 0 };
const SMALL = { x: 0, y: 0, width: 500, height: 400 };
const TALL = { x: 0, y: 0, width: 500, height: 4000 };
const NODE = { x: 100, y: 2000, width: 236, height: 50 };

test("a small graph is seen at its size, in the middle of what the gutter leaves", () => {
  expect(firstView(SMALL, ROOM, "begin")).toEqual({ x: 90 + 155, y: 24, zoom: 1 });
});

test("a tall graph of an open run is seen at its end", () => {
  const view = firstView(TALL, ROOM, "end");
  expect(view.y + 4000).toBe(600 - 24);
});

test("a graph that is too wide is made smaller, but not so small that it cannot be read", () => {
  expect(firstView({ ...SMALL, width: 900 }, ROOM, "begin").zoom).toBeCloseTo(0.847, 2);
  expect(firstView({ ...SMALL, width: 9000 }, ROOM, "begin").zoom).toBe(0.6);
});

test("what is selected is seen first, in the middle", () => {
  const view = firstView(TALL, ROOM, NODE);
  expect(view.y + 2025).toBe(300);
});

test("no room is left above a graph for what is selected near its begin", () => {
  expect(firstView(TALL, ROOM, { ...NODE, y: 100 }).y).toBe(24);
  expect(firstView(SMALL, ROOM, { ...NODE, y: 300 }).y).toBe(24);
});

test("all of a graph fits", () => {
  const view = fitted(TALL, ROOM);
  expect(view.zoom * 4000).toBeLessThanOrEqual(600 - 48);
  expect(view.y).toBeGreaterThanOrEqual(0);
});

test("a view moves only as far as a node needs to be seen", () => {
  const view = { x: 90, y: 0, zoom: 1 };
  const seen = { ...NODE, y: 100 };
  expect(shown(seen, ROOM, view)).toEqual(view);
  expect(shown(NODE, ROOM, view).y).toBe(600 - 24 - 50 - 2000);
});
