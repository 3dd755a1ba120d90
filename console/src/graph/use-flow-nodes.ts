/** The nodes as the canvas wants them. One that did not change stays the same object, and is not drawn again. */

import { useRef } from "react";
import type { Graph, GraphNode } from "../model/graph.ts";
import { byRank } from "../model/graph-view.ts";
import type { Step } from "../model/run.ts";
import { go, runHref } from "../route.ts";
import { usePage } from "../run/use-page.ts";
import type { CanvasNode } from "./graph.tsx";
import type { NodeProps } from "./node.tsx";
import type { Placed } from "./use-placement.ts";

interface Wanted {
  readonly graph: Graph;
  readonly placed: Placed;
  readonly selected: string | null;
  readonly dots: ReadonlySet<string>;
  readonly lost: ReadonlySet<string>;
  readonly words: ReadonlyMap<string, string>;
}

/** Returns the nodes in the order of their ranks. */
export function useFlowNodes(wanted: Wanted): CanvasNode[] {
  const { graph, placed, selected, dots, lost, words } = wanted;
  const { filter } = usePage();
  const acts = useNodeActs();
  const kept = useRef(new Map<string, CanvasNode>());
  const next = new Map<string, CanvasNode>();
  for (const place of byRank(placed.placement.places)) {
    const node = graph.byId.get(place.id);
    if (node === undefined) continue;
    const data: NodeProps = {
      node,
      edges: words.get(node.id) ?? "",
      found: filter.text,
      isSelected: node.id === selected,
      isDot: dots.has(node.id),
      isLost: lost.has(node.id),
      isNew: placed.added.has(node.id),
      ...acts,
    };
    const before = kept.current.get(place.id);
    const { x, y, width, height } = place;
    const stays =
      before !== undefined &&
      before.position.x === x &&
      before.position.y === y &&
      before.width === width &&
      isSameNode(before.data, data);
    next.set(
      place.id,
      stays
        ? before
        : {
            id: place.id,
            type: "node",
            position: { x, y },
            width,
            height,
            measured: { width, height },
            handles: [],
            data: { ...data },
          },
    );
  }
  kept.current = next;
  return [...next.values()];
}

function isSameNode(a: NodeProps, b: NodeProps): boolean {
  return (
    isSameContent(a.node, b.node) &&
    a.edges === b.edges &&
    a.found === b.found &&
    a.isSelected === b.isSelected &&
    a.isDot === b.isDot &&
    a.isLost === b.isLost &&
    a.isNew === b.isNew &&
    a.onSelect === b.onSelect
  );
}

/** Steps that did not change are the same objects from one version of the run to the next. */
function isSameContent(a: GraphNode, b: GraphNode): boolean {
  if (a.type === "step" || b.type === "step") {
    return a.type === "step" && b.type === "step" && a.step === b.step;
  }
  const [one, two] = [a.group.steps, b.group.steps];
  return (
    a.type === b.type && one.length === two.length && one.every((step, at) => step === two[at])
  );
}

/** What nodes do: select; and open what they stand for, a child's run or the members of a fan-out. */
function useNodeActs(): Pick<NodeProps, "onSelect" | "onEnter" | "onSelectStep"> {
  const { select, toggleSpread } = usePage();
  const acts = useRef<Pick<NodeProps, "onSelect" | "onEnter" | "onSelectStep">>(null);
  const latest = useRef({ select, toggleSpread });
  latest.current = { select, toggleSpread };
  acts.current ??= {
    onSelect: (node) => latest.current.select(selectionOfNode(node)),
    onSelectStep: (step: Step) => latest.current.select({ type: "step", id: step.id }),
    onEnter: (node) => {
      const child = node.type === "step" ? node.step.child : undefined;
      if (child !== undefined) go(runHref(child.run, "graph"));
      else if (node.type === "spread" || (node.type === "many" && node.of === "parallel")) {
        latest.current.toggleSpread(node.group.key);
      }
    },
  };
  return acts.current;
}

/** Names what a node is about, so that it can be selected. */
export function selectionOfNode(
  node: GraphNode,
):
  | { readonly type: "step"; readonly id: string }
  | { readonly type: "many"; readonly key: string } {
  if (node.type === "step") return { type: "step", id: node.step.id };
  return { type: "many", key: node.group.key };
}
