/** Where the nodes of a graph stand, as the worker has it. */

import { useEffect, useRef, useState } from "react";
import type { Graph } from "../model/graph.ts";
import { questionOf } from "../model/graph-view.ts";
import type { Placement } from "../model/placement.ts";
import type { Answer, Ask } from "./layout-worker.ts";
import { makeWorker } from "./make-worker.ts";

/** A graph that has its places. */
export interface Placed {
  readonly graph: Graph;
  readonly placement: Placement;
  /** Nodes that were not there in the placement before; empty in the first. */
  readonly added: ReadonlySet<string>;
}

/** The run that was looked at last: switched away from and back to, its nodes stand where they stood. */
let remembered: { readonly key: string; readonly placed: Placed } | null = null;

interface Asked {
  readonly number: number;
  readonly graph: Graph;
  readonly key: string;
}

/**
 * Returns the last graph that has been placed; null before the first. Nodes keep their places when others are
 * added, as long as `key` is the same: it tells runs apart, and what of one is spread out.
 */
export function usePlacement(graph: Graph, key: string): Placed | null {
  const worker = useRef<Worker | null>(null);
  const asked = useRef<Asked | null>(null);
  const [placed, setPlaced] = useState(() => (remembered?.key === key ? remembered.placed : null));
  useEffect(() => {
    const made = makeWorker();
    made.onmessage = (event: MessageEvent<Answer>) => {
      const { number, placement } = event.data;
      const question = asked.current;
      if (question === null || question.number !== number) return;
      const before = remembered?.key === question.key ? remembered.placed : null;
      const known = new Set(before?.placement.places.map((one) => one.id));
      const ids = placement.places.map((one) => one.id);
      const added = new Set(before === null ? [] : ids.filter((id) => !known.has(id)));
      remembered = { key: question.key, placed: { graph: question.graph, placement, added } };
      setPlaced(remembered.placed);
    };
    worker.current = made;
    return () => {
      made.terminate();
      worker.current = null;
      asked.current = null;
    };
  }, []);
  const structure = structureOf(graph);
  const latest = useRef(graph);
  latest.current = graph;
  // biome-ignore lint/correctness/useExhaustiveDependencies: only what changes places asks for them again
  useEffect(() => {
    const number = (asked.current?.number ?? 0) + 1;
    asked.current = { number, graph: latest.current, key };
    const kept = remembered?.key === key ? remembered.placed.placement.places : [];
    const ask: Ask = { number, question: questionOf(latest.current, kept) };
    worker.current?.postMessage(ask);
  }, [structure, key]);
  return placed;
}

/** What decides where nodes stand: which there are, and what leads to what. */
function structureOf(graph: Graph): string {
  const ids = graph.nodes.map(
    (node) => `${node.id}${node.type === "spread" ? node.shown.length : ""}`,
  );
  const edges = graph.edges.map((edge) => `${edge.from.join()}>${edge.to.join()}`);
  return [
    ...ids,
    ...edges,
    graph.aside.join(),
    ...graph.frames.map((frame) => frame.members.join()),
  ].join("\u001d");
}
