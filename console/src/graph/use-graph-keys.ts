/** Keys of the graph: arrows go along edges and across lanes, `j` and `k` through the ranks. */

import type { Graph } from "../model/graph.ts";
import { byRank, nextNode, type Way } from "../model/graph-view.ts";
import type { Placement } from "../model/placement.ts";
import { usePage } from "../run/use-page.ts";
import { useKeys } from "../ui/keys.ts";
import type { Camera } from "./use-camera.ts";
import { selectionOfNode } from "./use-flow-nodes.ts";

const PAN_PX = 120;
const ZOOM = 1.25;

interface Keyed {
  readonly graph: Graph;
  readonly placement: Placement;
  readonly selected: string | null;
  readonly camera: Camera;
  readonly onFollow: () => void;
}

/** Listens for the keys of the graph. */
export function useGraphKeys({ graph, placement, selected, camera, onFollow }: Keyed): void {
  const { select } = usePage();
  const choose = (id: string | null | undefined) => {
    const node = graph.byId.get(id ?? "");
    if (node !== undefined) select(selectionOfNode(node), "replace");
  };
  const along = (way: Way) => () => choose(nextNode(graph, placement.places, selected ?? "", way));
  const through = (by: number) => () => {
    const order = byRank(placement.places);
    const at = order.findIndex((one) => one.id === selected);
    const next = at < 0 ? (by > 0 ? 0 : order.length - 1) : at + by;
    choose(order[Math.min(Math.max(next, 0), order.length - 1)]?.id);
  };
  useKeys({
    ArrowUp: along("up"),
    ArrowDown: along("down"),
    ArrowLeft: along("left"),
    ArrowRight: along("right"),
    j: through(1),
    k: through(-1),
    Home: through(Number.NEGATIVE_INFINITY),
    End: through(Number.POSITIVE_INFINITY),
    "+": () => camera.zoomBy(ZOOM),
    "=": () => camera.zoomBy(ZOOM),
    "-": () => camera.zoomBy(1 / ZOOM),
    "0": camera.fit,
    h: () => camera.pan(PAN_PX, 0),
    l: () => camera.pan(-PAN_PX, 0),
    PageDown: () => camera.pan(0, -4 * PAN_PX),
    PageUp: () => camera.pan(0, 4 * PAN_PX),
    ".": onFollow,
  });
}
