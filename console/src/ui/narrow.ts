/** Whether the page has the width of a phone. */

import { useSyncExternalStore } from "react";

const narrow = matchMedia("(max-width: 719px)");

function listen(listener: () => void): () => void {
  narrow.addEventListener("change", listener);
  return () => narrow.removeEventListener("change", listener);
}

/** Says whether the page is narrow; changes with it. */
export function useNarrow(): boolean {
  return useSyncExternalStore(listen, () => narrow.matches);
}
