/** The edges of a flow as a graph can draw them: between steps that there are, and never in a circle. */

import type { FlowEdge } from "./observed.ts";

/** Returns, for each step, the steps that it comes after. An edge that would close a circle is left out. */
export function afterOf(
  keys: readonly string[],
  edges: readonly FlowEdge[],
): ReadonlyMap<string, readonly string[]> {
  const after = new Map<string, string[]>(keys.map((key) => [key, []]));
  for (const [from, to] of edges) {
    const before = after.get(to);
    if (before === undefined || !after.has(from) || before.includes(from)) continue;
    if (leads(after, to, from)) continue;
    before.push(from);
  }
  return after;
}

/** Says whether one step comes before another, or is that one. */
function leads(after: ReadonlyMap<string, readonly string[]>, one: string, to: string): boolean {
  const seen = new Set<string>([to]);
  const left = [to];
  for (let key = left.pop(); key !== undefined; key = left.pop()) {
    if (key === one) return true;
    for (const before of after.get(key) ?? []) {
      if (seen.has(before)) continue;
      seen.add(before);
      left.push(before);
    }
  }
  return false;
}
