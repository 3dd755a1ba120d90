/** The edge of the inspector: dragged or moved by keys, it changes its size, which the browser remembers. */

import {
  type KeyboardEvent,
  type PointerEvent,
  type ReactNode,
  useLayoutEffect,
  useRef,
} from "react";
import { clamped, type Dock, LIMITS, sizeFrom } from "../model/dock.ts";
import { recallNumber, remember } from "../ui/stored.ts";

const KEY_PX = 24;

/** Shows the edge of an inspector that stands beside or below a view. */
export function Resizer({ dock }: { readonly dock: Dock }): ReactNode {
  const edge = useRef<HTMLDivElement>(null);
  const name = `inspector.${dock}`;
  const set = (px: number | null) => {
    const main = edge.current?.closest<HTMLElement>(".run-main");
    if (!main) return;
    const room = dock === "beside" ? main.clientWidth : main.clientHeight;
    const size = px === null ? null : clamped(dock, px, room);
    if (size === null) main.style.removeProperty("--inspector");
    else main.style.setProperty("--inspector", `${size}px`);
    edge.current?.setAttribute("aria-valuenow", String(size ?? LIMITS[dock].usual));
    remember(name, size === null ? "" : String(size));
  };
  const latest = useRef(set);
  latest.current = set;
  useLayoutEffect(() => latest.current(recallNumber(name)), [name]);
  const sizeNow = () => {
    const box = edge.current?.parentElement?.getBoundingClientRect();
    return (dock === "beside" ? box?.width : box?.height) ?? LIMITS[dock].usual;
  };
  const drag = (event: PointerEvent) => {
    const main = edge.current?.closest(".run-main");
    if (!edge.current?.hasPointerCapture(event.pointerId) || !main) return;
    set(sizeFrom(dock, event.nativeEvent, main.getBoundingClientRect()));
  };
  const press = (event: KeyboardEvent) => {
    const by = KEYS[dock][event.key];
    if (by === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    set(sizeNow() + by * KEY_PX);
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: a rule cannot be moved
    <div
      ref={edge}
      className="resizer"
      role="separator"
      tabIndex={0}
      aria-label="Size of the inspector"
      aria-orientation={dock === "beside" ? "vertical" : "horizontal"}
      aria-valuemin={LIMITS[dock].least}
      aria-valuenow={LIMITS[dock].usual}
      onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
      onPointerMove={drag}
      onKeyDown={press}
      onDoubleClick={() => set(null)}
    />
  );
}

/** Keys move the edge to where they point. */
const KEYS: Readonly<Record<Dock, Readonly<Record<string, number>>>> = {
  beside: { ArrowLeft: 1, ArrowRight: -1 },
  below: { ArrowUp: 1, ArrowDown: -1 },
};
