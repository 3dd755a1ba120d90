// @vitest-environment happy-dom

import { cleanup, fireEvent, screen } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Selection } from "../model/rows.ts";
import type { Step } from "../model/run.ts";
import { attempt, fan, run, step } from "../model/testing.ts";
import { pageOf, show } from "../run/testing.tsx";
import { Inspector } from "./inspector.tsx";

vi.mock("../live/stream.ts", () => ({
  useConnection: () => ({ state: "live", asOf: 0, retryAt: null }),
}));

const ERROR = { name: "CarrierError", message: "no such street", stack: null };
const STEPS: readonly Step[] = [
  step("load", 0, 10, { output: { rows: 3 }, input: { from: "disk" } }),
  step("ship", 10, 90, {
    after: ["load"],
    status: "failed",
    error: ERROR,
    attempts: [
      { ...attempt(1, 10, 30, "failed"), error: ERROR },
      { ...attempt(2, 60, 90, "failed"), error: ERROR },
    ],
  }),
];

beforeEach(() => localStorage.clear());
afterEach(() => {
  cleanup();
  history.replaceState(null, "", "/");
});

function open(selected: Selection, steps = STEPS) {
  const page = pageOf(run(steps), { selected });
  const closed = vi.fn();
  show(<Inspector dock="beside" onClose={closed} />, page);
  return { page, closed };
}

const tabs = () => screen.getAllByRole("tab").map((tab) => tab.textContent);

describe("the inspector of a step", () => {
  test("a tab without content is absent", () => {
    open({ type: "step", id: "load" });
    expect(tabs()).toEqual(["Output", "Input", "Attempts1", "Raw"]);
  });

  test("a failed step opens on its error", () => {
    open({ type: "step", id: "ship" });
    expect(screen.getByRole("tab", { selected: true }).textContent).toBe("Error");
    expect(screen.getByRole("tabpanel").textContent).toContain("CarrierError: no such street");
  });

  test("a tab is chosen by its key and by arrows, and stands in the address", () => {
    open({ type: "step", id: "load" });
    fireEvent.keyDown(window, { key: "2", code: "Digit2", altKey: true });
    expect(location.search).toBe("?tab=input");
    fireEvent.keyDown(screen.getByRole("tablist"), { key: "ArrowRight" });
    expect(location.search).toBe("?tab=attempts");
  });

  test("what it came after leads there", () => {
    const { page } = open({ type: "step", id: "ship" });
    fireEvent.click(screen.getByRole("button", { name: "load" }));
    expect(page.select).toHaveBeenCalledWith({ type: "step", id: "load" });
  });

  test("each attempt tells how it ended", () => {
    history.replaceState(null, "", "/?tab=attempts");
    open({ type: "step", id: "ship" });
    expect(screen.getByRole("tabpanel").textContent).toContain("backoff 30");
    expect(screen.getAllByText("CarrierError: no such street")).toHaveLength(2);
  });

  test("what can be done with it stands in its head", () => {
    open({ type: "step", id: "load" });
    expect(screen.getByRole("button", { name: "Fork from here" })).toBeTruthy();
  });

  test("Back and the cross leave it", () => {
    const { closed } = open({ type: "step", id: "load" });
    fireEvent.click(screen.getByRole("button", { name: "Back" }));
    fireEvent.click(screen.getByRole("button", { name: "Close the inspector" }));
    expect(closed).toHaveBeenCalledTimes(2);
  });
});

describe("the inspector of a fan-out", () => {
  const members = fan("charge:", 40, [17]);
  const key = "charge:@1";

  test("has a cell for each member, which leads to it", () => {
    const { page } = open({ type: "many", key }, members);
    const cells = document.querySelectorAll<HTMLElement>(".cells i");
    expect(cells).toHaveLength(40);
    expect(cells[17]?.className).toContain("hue-red");
    if (cells[17]) fireEvent.click(cells[17]);
    expect(page.select).toHaveBeenCalledWith({ type: "step", id: "charge:17" });
  });

  test("can be spread out where the graph is shown, and only there", () => {
    open({ type: "many", key }, members);
    expect(screen.queryByRole("button", { name: "Spread out" })).toBeNull();
    cleanup();
    const page = pageOf(run(members), { selected: { type: "many", key }, view: "graph" });
    show(<Inspector dock="beside" onClose={vi.fn()} />, page);
    fireEvent.click(screen.getByRole("button", { name: "Spread out" }));
    expect(page.toggleSpread).toHaveBeenCalledWith(key);
  });
});

test("the edge of the inspector moves by keys, and the browser remembers where", () => {
  const page = pageOf(run(STEPS));
  const { container } = show(
    <div className="run-main">
      <Inspector dock="beside" onClose={vi.fn()} />
    </div>,
    page,
  );
  const main = container.querySelector<HTMLElement>(".run-main");
  Object.defineProperty(main, "clientWidth", { value: 1440 });
  const edge = screen.getByRole("separator");
  const dock = edge.parentElement;
  if (dock !== null) dock.getBoundingClientRect = () => ({ width: 460, height: 700 }) as DOMRect;
  fireEvent.keyDown(edge, { key: "ArrowLeft" });
  expect(main?.style.getPropertyValue("--inspector")).toBe("484px");
  expect(localStorage.getItem("stepwell.inspector.beside")).toBe("484");
  fireEvent.doubleClick(edge);
  expect(main?.style.getPropertyValue("--inspector")).toBe("");
});
