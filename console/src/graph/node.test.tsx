// @vitest-environment happy-dom

import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { ReactFlowProvider } from "@xyflow/react";
import { afterEach, expect, test, vi } from "vitest";
import { contentsOf } from "../model/contents.ts";
import { type GraphNode, graphOf } from "../model/graph.ts";
import type { Step } from "../model/run.ts";
import { attempt, fan, run, step } from "../model/testing.ts";
import { type NodeProps, NodeView } from "./node.tsx";

vi.mock("../live/stream.ts", () => ({
  useConnection: () => ({ state: "live", asOf: null, retryAt: null }),
}));

afterEach(cleanup);

const acts = { onSelect: vi.fn(), onEnter: vi.fn(), onSelectStep: vi.fn() };

function nodesOf(steps: readonly Step[], spread?: ReadonlySet<string>): readonly GraphNode[] {
  return graphOf(contentsOf(run(steps)), spread).nodes;
}

function show(node: GraphNode | undefined, more: Partial<NodeProps> = {}): HTMLElement {
  if (node === undefined) throw new Error("there is no node");
  const look = { isSelected: false, isDot: false, isLost: false, isNew: false };
  render(
    <ReactFlowProvider>
      <NodeView node={node} edges="after a; then b." found="" {...look} {...acts} {...more} />
    </ReactFlowProvider>,
  );
  return screen.getAllByRole("button")[0] ?? document.body;
}

test("a node is a button that says its status, its name and its edges", () => {
  const button = show(nodesOf([step("load", 0, 5)])[0]);
  expect(button.textContent).toContain("load");
  expect(button.querySelector("[aria-label=completed]")).not.toBeNull();
  expect(button.getAttribute("aria-description")).toBe("after a; then b.");
});

test("each kind has its shape, and only what is open has a hue at its outline", () => {
  const [wait] = nodesOf([step("approval", 0, null, { kind: "waitForEvent", status: "waiting" })]);
  expect(show(wait).className).toMatch(/shape-wait hue-violet is-open/);
  cleanup();
  const [done] = nodesOf([step("pause", 0, 5, { kind: "sleep" })]);
  expect(show(done).className).toMatch(/shape-sleep/);
  expect(show(done).className).not.toMatch(/is-open/);
});

test("what runs tells where, and is alive at its foot", () => {
  const button = show(nodesOf([step("ship", 0, null)])[0]);
  expect(button.textContent).toContain("run on blue, 1st attempt");
  expect(button.querySelector(".travel")).not.toBeNull();
});

test("what failed tells why", () => {
  const error = { name: "CarrierError", message: "no such street\nat all" };
  const attempts = [attempt(1, 0, 5, "failed")];
  const [node] = nodesOf([step("ship", 0, 5, { status: "failed", error, attempts })]);
  expect(show(node).textContent).toContain("CarrierError: no such street");
});

test("a fan-out tells its counts, and is opened by Enter once it is selected", () => {
  const [node] = nodesOf(fan("charge:", 1000, [3, 4, 5]));
  const button = show(node, { isSelected: true });
  expect(button.textContent).toMatch(/charge:\*×1,000997 ok3 failed/);
  fireEvent.keyDown(button, { key: "Enter" });
  expect(acts.onEnter).toHaveBeenCalledWith(node);
});

test("what is not looked for is a dot with its name", () => {
  const button = show(nodesOf([step("load", 0, 5)])[0], { isDot: true });
  expect(button.textContent).toBe("");
  expect(button.getAttribute("aria-label")).toBe("load, run, completed. after a; then b.");
});

test("members of a fan-out that is spread out lead to themselves", () => {
  const steps = fan("charge:", 100, [70]);
  const key = [...contentsOf(run(steps)).fanOuts.keys()][0] ?? "";
  show(nodesOf(steps, new Set([key]))[0]);
  fireEvent.click(screen.getByText("charge:70"));
  expect(acts.onSelectStep).toHaveBeenCalledWith(expect.objectContaining({ id: "charge:70" }));
  expect(document.querySelectorAll(".spread-at")).toHaveLength(60);
});
