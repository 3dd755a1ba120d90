/** A stack as people read it: the frames of their own code, and how many others there are. */

export interface Stack {
  readonly own: readonly string[];
  readonly others: readonly string[];
}

const FRAME = /^\s*at /;
const FOREIGN = /node_modules|\(node:|at node:|<anonymous>|\/rustc\/|stepwell[^/]*\/dist\//;

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
