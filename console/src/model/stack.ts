/** A stack as people read it: the frames of their own code, and how many others there are. */

import { count, counted } from "./words.ts";

export interface Stack {
  readonly own: readonly string[];
  readonly others: readonly string[];
}

const FRAME = /^\s*at /;
const FOREIGN = /node_modules|\(node:|at node:|<anonymous>|\/rustc\/|stepwell[^/]*\/dist\//;

/** Says what the folded frames are: `12 more frames, 9 in node_modules`. */
export function othersWords(others: readonly string[]): string {
  const modules = others.filter((frame) => frame.includes("node_modules")).length;
  const words = counted(others.length, "more frame");
  return modules === 0 ? `${words} of the runtime` : `${words}, ${count(modules)} in node_modules`;
}

/** Splits a stack. One without frames as JavaScript writes them is all its owner's. */
export function stackOf(text: string): Stack {
  const lines = text.split("\n");
  const frames = lines.filter((line) => FRAME.test(line)).map((line) => line.trim());
  if (frames.length === 0) {
    return { own: lines.slice(1).filter((line) => line.trim() !== ""), others: [] };
  }
  return {
    own: frames.filter((frame) => !FOREIGN.test(frame)),
    others: frames.filter((frame) => FOREIGN.test(frame)),
  };
}
