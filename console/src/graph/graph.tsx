/** The graph: what followed what, from top to bottom. */

import "@xyflow/react/dist/base.css";
import "../styles/graph.css";
import "../styles/nodes.css";
import {
  Background,
  BackgroundVariant,
  type NodeProps as FlowNodeProps,
  type Node,
  ReactFlow,
  ReactFlowProvider,
} from "@xyflow/react";
import { type ReactNode, useEffect, useMemo, useRef } from "react";
import { around, type Box } from "../model/boxes.ts";
import type { RunContents } from "../model/contents.ts";
import { ancestorsOf, type Graph as GraphModel, graphOf, stepsOf } from "../model/graph.ts";
import {
  edgeWords,
  gutterOf,
  hasFailed,
  isOpen,
  nodeName,
  nodeStatus,
} from "../model/graph-view.ts";
import { instant } from "../model/instants.ts";
import { wasCalled } from "../model/observed-run.ts";
import type { Placement } from "../model/placement.ts";
import { type Filter, gapsOf, isFiltering } from "../model/rows.ts";
import { hasEnded } from "../model/run.ts";
import { firstView, type Room, ZOOM_MAX, ZOOM_MIN } from "../model/viewport.ts";
import { counted } from "../model/words.ts";
import { usePage } from "../run/use-page.ts";
import { useNarrow } from "../ui/narrow.ts";
import { useStored } from "../ui/stored.ts";
import { Controls } from "./controls.tsx";
import { Edges } from "./edges.tsx";
import { Gutter } from "./gutter.tsx";
import { type NodeProps, NodeView } from "./node.tsx";
import { Legend } from "./shapes.tsx";
import { useCamera } from "./use-camera.ts";
import { useFlowNodes } from "./use-flow-nodes.ts";
import { useGraphKeys } from "./use-graph-keys.ts";
import { type Placed, usePlacement } from "./use-placement.ts";
import { useRoom } from "./use-room.ts";
import { useShapes } from "./use-shapes.ts";

const GUTTER = 96;
const LEGEND = 152;

interface GraphProps {
  /** Where the controls of the view stand in the bar. */
  readonly slot: HTMLElement | null;
  readonly onList: () => void;
}

/** Shows the graph of the run. */
export function Graph({ slot, onList }: GraphProps): ReactNode {
  const { contents, spread } = usePage();
  const graph = useMemo(() => graphOf(contents, spread), [contents, spread]);
  const { run } = contents;
  const placed = usePlacement(graph, [run.workflow, run.id, ...spread].join("\u001d"));
  const box = useRef<HTMLDivElement>(null);
  const narrow = useNarrow();
  const [isLegendOpen, toggleLegend] = useShapes();
  // What is spread out needs all of the width.
  const withLegend = isLegendOpen && !narrow && spread.size === 0;
  // Declared steps have no time of their own: their order is that of the declaration.
  const isObserved = run.observed !== undefined;
  const room = useRoom(box, {
    gutter: narrow || isObserved ? 0 : GUTTER,
    right: withLegend ? LEGEND : 0,
  });
  return (
    <section className="graph" aria-label="Graph of the steps">
      <button type="button" className="as-list" onClick={onList}>
        Show as list
      </button>
      {graph.earlier > 0 && (
        <p className="graph-note">
          {`The oldest ${counted(graph.earlier, "step")} stand as one node: a graph shows 300 at most.`}
        </p>
      )}
      <div className="canvas" ref={box}>
        {placed !== null && room !== null && (
          <ReactFlowProvider>
            <Canvas
              graph={graph}
              placed={placed}
              room={room}
              slot={slot}
              withLegend={withLegend}
              onLegend={toggleLegend}
            />
          </ReactFlowProvider>
        )}
      </div>
    </section>
  );
}

interface CanvasProps {
  readonly graph: GraphModel;
  readonly placed: Placed;
  readonly room: Room;
  readonly slot: HTMLElement | null;
  readonly withLegend: boolean;
  readonly onLegend: () => void;
}

const nodeTypes = { node: FlowNode };

/** A node as the canvas wants it. */
export type CanvasNode = Node<NodeProps & Record<string, unknown>, "node">;

function FlowNode({ data }: FlowNodeProps<CanvasNode>): ReactNode {
  return <NodeView {...data} />;
}

function Canvas(props: CanvasProps): ReactNode {
  const { graph, placed, room, withLegend } = props;
  const { contents, filter, now } = usePage();
  const { placement } = placed;
  const bounds = useBounds(placement);
  const camera = useCamera(bounds, room);
  const selected = useSelectedNode(graph);
  const dots = useMemo(() => dotsOf(graph, filter), [graph, filter]);
  const races = useMemo(() => racesOf(graph), [graph]);
  const words = useMemo(() => edgeWords(graph), [graph]);
  const nodes = useFlowNodes({ graph, placed, selected, dots, lost: races.lost, words });
  const marks = useMemo(
    () => gutterOf(graph, placement.places, gapsOf(contents.steps, now)),
    [graph, placement, contents, now],
  );
  const follow = useFollow(graph, placement, camera);
  useGraphKeys({ graph, placement, selected, camera, onFollow: follow.toggle });
  useReveal(selected, placement, camera);
  const called = useMemo(() => calledOf(graph, contents), [graph, contents]);
  const first = useRef(firstView(bounds, room, firstLook(graph, placement, selected)));
  const { run } = contents;
  return (
    <>
      <ReactFlow<CanvasNode>
        nodes={nodes}
        nodeTypes={nodeTypes}
        defaultViewport={first.current}
        minZoom={ZOOM_MIN}
        maxZoom={ZOOM_MAX}
        onlyRenderVisibleElements
        nodesDraggable={false}
        nodesConnectable={false}
        nodesFocusable={false}
        elementsSelectable={false}
        disableKeyboardA11y
        deleteKeyCode={null}
        selectionKeyCode={null}
        multiSelectionKeyCode={null}
        panOnScroll
        zoomOnScroll={false}
        zoomOnDoubleClick={false}
        proOptions={{ hideAttribution: true }}
        onMoveStart={(event) => event !== null && follow.stop()}
      >
        <Background variant={BackgroundVariant.Dots} gap={24} size={1} />
        <Edges
          placement={placement}
          selected={selected}
          winners={races.won}
          dots={dots}
          called={called}
        />
      </ReactFlow>
      {room.gutter > 0 && <Gutter marks={marks} start={instant(run.startedAt ?? run.createdAt)} />}
      {withLegend && <Legend isObserved={run.observed !== undefined} />}
      <Controls
        slot={props.slot}
        following={hasEnded(run) ? null : follow.isOn}
        onFollow={follow.toggle}
        withShapes={withLegend}
        onShapes={props.onLegend}
        onFit={camera.fit}
        onZoom={camera.zoomBy}
        onActual={camera.actual}
      />
    </>
  );
}

function useBounds(placement: Placement): Box {
  return useMemo(
    () => around([...placement.places, ...placement.frames]) ?? { x: 0, y: 0, width: 1, height: 1 },
    [placement],
  );
}

/** The node of what is selected: the step's own, or the one that it is in. */
function useSelectedNode(graph: GraphModel): string | null {
  const { selected } = usePage();
  if (selected?.type === "step") return graph.nodeOf.get(selected.id) ?? null;
  if (selected?.type !== "many") return null;
  return [`*${selected.key}`, selected.key].find((id) => graph.byId.has(id)) ?? null;
}

/** What is looked at first: the selection, what runs, or the begin. */
function firstLook(
  graph: GraphModel,
  placement: Placement,
  selected: string | null,
): Box | "begin" | "end" {
  const place = placement.places.find((one) => one.id === selected);
  if (place !== undefined) return place;
  return graph.nodes.some(isOpen) ? "end" : "begin";
}

/** Nodes that are not what is looked for: with failures only, all but failures and what led to them. */
function dotsOf(graph: GraphModel, filter: Filter): ReadonlySet<string> {
  if (!isFiltering(filter)) return new Set();
  const ids = graph.nodes.map((node) => node.id);
  const wanted = filter.text.toLowerCase();
  const named = graph.nodes.filter((node) => nodeName(node).toLowerCase().includes(wanted));
  const found = filter.failuresOnly ? named.filter(hasFailed) : named;
  const kept = found.map((node) => node.id);
  const shown = filter.failuresOnly ? ancestorsOf(graph, kept) : new Set(kept);
  return new Set(ids.filter((id) => !shown.has(id)));
}

/** Which nodes stand in branches that won a race, and which in ones that lost. */
function racesOf(graph: GraphModel): {
  readonly won: ReadonlySet<string>;
  readonly lost: ReadonlySet<string>;
} {
  const winners = new Map<string, unknown>();
  for (const node of graph.nodes) {
    if (node.type !== "step" || node.step.kind !== "race") continue;
    const { output } = node.step;
    const told = typeof output === "object" && output !== null && "winner" in output;
    if (told) winners.set(node.step.id, output.winner);
  }
  const [won, lost] = [new Set<string>(), new Set<string>()];
  for (const node of graph.nodes) {
    const branch = node.type === "step" ? node.step.branch : node.group.steps[0]?.branch;
    if (branch === undefined || !winners.has(branch.race)) continue;
    (winners.get(branch.race) === branch.name ? won : lost).add(node.id);
  }
  return { won, lost };
}

/** The nodes of an observed run that were called; null of a run whose edges are all ways that were gone. */
function calledOf(graph: GraphModel, { run }: RunContents): ReadonlySet<string> | null {
  if (run.observed === undefined) return null;
  const nodes = graph.nodes.filter((node) => stepsOf(node).some(({ status }) => wasCalled(status)));
  return new Set(nodes.map((node) => node.id));
}

/** With Follow on, the camera keeps what runs in sight; a hand that moves it turns Follow off. */
function useFollow(graph: GraphModel, placement: Placement, camera: ReturnType<typeof useCamera>) {
  const [kept, keep] = useStored("follow", ["on", "off"], "off");
  const isOn = kept === "on";
  const running = graph.nodes.findLast((node) => nodeStatus(node) === "running")?.id;
  useEffect(() => {
    const place = placement.places.find((one) => one.id === running);
    if (isOn && place !== undefined) camera.centre(place);
  }, [isOn, running, placement, camera]);
  return {
    isOn,
    toggle: () => keep(isOn ? "off" : "on"),
    stop: () => isOn && keep("off"),
  };
}

/** Shows what has been selected, where it is out of sight. */
function useReveal(
  selected: string | null,
  placement: Placement,
  camera: ReturnType<typeof useCamera>,
): void {
  const before = useRef(selected);
  useEffect(() => {
    if (before.current === selected) return;
    before.current = selected;
    const place = placement.places.find((one) => one.id === selected);
    if (place !== undefined) camera.reveal(place);
  }, [selected, placement, camera]);
}
