/** The run that the page shows, for those who stand beside the page: the palette and the keys. */

import { useEffect, useSyncExternalStore } from "react";
import type { Run } from "../model/run.ts";

let here: Run | null = null;
const listeners = new Set<() => void>();

function set(run: Run | null): void {
  here = run;
  for (const tell of listeners) tell();
}

/** Says which run the page shows, while it does. */
export function useTellHere(run: Run): void {
  useEffect(() => set(run), [run]);
  useEffect(() => () => set(null), []);
}

/** Returns the run that the page shows; null on other pages. */
export function useHere(): Run | null {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => here,
  );
}
