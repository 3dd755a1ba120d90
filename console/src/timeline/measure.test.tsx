// @vitest-environment happy-dom

import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import type { ReactNode } from "react";
import { afterEach, expect, test, vi } from "vitest";
import { axisOf } from "../model/axis.ts";
import type { Stretch } from "../model/spans.ts";
import { useKeys } from "../ui/keys.ts";
import { Measured, useMeasure } from "./measure.tsx";

afterEach(cleanup);

const AXIS = axisOf({ from: 0, to: 10_000 }, 1000, []);

function Canvas(props: {
  readonly onZoom: (span: Stretch) => void;
  readonly onEscape: () => void;
}): ReactNode {
  useKeys({ Escape: props.onEscape });
  const measure = useMeasure(AXIS, 0);
  const { onPointerDown, onPointerMove, onPointerUp } = measure;
  return (
    <div data-testid="canvas" {...{ onPointerDown, onPointerMove, onPointerUp }}>
      {measure.span !== null && (
        <Measured axis={AXIS} span={measure.span} onClear={measure.clear} onZoom={props.onZoom} />
      )}
    </div>
  );
}

function drag(from: number, to: number) {
  const [onZoom, onEscape] = [vi.fn(), vi.fn()];
  render(<Canvas onZoom={onZoom} onEscape={onEscape} />);
  const canvas = screen.getByTestId("canvas");
  fireEvent.pointerDown(canvas, { clientX: from, button: 0, buttons: 1 });
  fireEvent.pointerMove(canvas, { clientX: to, buttons: 1 });
  fireEvent.pointerUp(canvas, { clientX: to });
  return { onZoom, onEscape };
}

test("a drag says how long a span is, whichever way it goes, and zooms only when asked to", () => {
  const { onZoom } = drag(400, 231);
  expect(document.querySelector(".measure")?.textContent).toContain("1.69");
  expect(onZoom).not.toHaveBeenCalled();
  fireEvent.click(screen.getByRole("button", { name: "Zoom" }));
  expect(onZoom).toHaveBeenCalledWith({ from: 2310, to: 4000 });
  expect(document.querySelector(".measure")).toBeNull();
});

test("a click measures nothing", () => {
  drag(400, 402);
  expect(document.querySelector(".measure")).toBeNull();
});

test("Escape leaves the measured span, and nothing beneath it", () => {
  const { onEscape } = drag(100, 300);
  fireEvent.keyDown(window, { key: "Escape" });
  expect(document.querySelector(".measure")).toBeNull();
  expect(onEscape).not.toHaveBeenCalled();
});
