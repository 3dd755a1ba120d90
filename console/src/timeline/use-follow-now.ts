/** Keeps now in sight of a window that shows a part of an open run. */

import { useEffect } from "react";
import { followed } from "../model/timeline.ts";
import { useStored } from "../ui/stored.ts";
import type { TimeWindow } from "./use-window.ts";

/** Returns whether the window follows now, and how to change that. */
export function useFollowNow(
  now: number | null,
  view: TimeWindow,
): { readonly isOn: boolean; readonly toggle: () => void; readonly stop: () => void } {
  const [kept, keep] = useStored("follow-now", ["on", "off"], "off");
  const isOn = kept === "on" && now !== null;
  const { window, isZoomed, show } = view;
  useEffect(() => {
    if (!isOn || !isZoomed || now === null) return;
    const next = followed(window, now);
    if (next !== window) show(next);
  }, [isOn, isZoomed, now, window, show]);
  return {
    isOn,
    toggle: () => keep(kept === "on" ? "off" : "on"),
    stop: () => isOn && keep("off"),
  };
}
