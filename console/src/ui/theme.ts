/** The theme: the system's, or one that was chosen. `public/theme.js` sets it before the first paint. */

import { useSyncExternalStore } from "react";
import { recall, remember } from "./stored.ts";

export const THEMES = ["system", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

const listeners = new Set<() => void>();

function theme(): Theme {
  return recall("theme", THEMES, "system");
}

/** Shows a theme, and remembers it. */
export function setTheme(next: Theme): void {
  remember("theme", next);
  if (next === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = next;
  for (const tell of listeners) tell();
}

/** Returns the theme that is chosen. */
export function useTheme(): Theme {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, theme);
}
