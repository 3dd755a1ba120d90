/** What is to be told of a key that was pressed, where nothing else on the page tells it. */

import { type ReactNode, useEffect, useSyncExternalStore } from "react";
import { Foreign } from "./text.tsx";

const SAID_MS = 6000;

let said: string | null = null;
const listeners = new Set<() => void>();

/** Tells something, in the place of what was told before. Null ends it. */
export function say(text: string | null): void {
  said = text;
  for (const tell of listeners) tell();
}

function listen(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Shows what is told, for a while. */
export function Said(): ReactNode {
  const text = useSyncExternalStore(listen, () => said);
  useEffect(() => {
    if (text === null) return;
    const timer = setTimeout(() => say(null), SAID_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <div className="said" role="status">
      {text !== null && <Foreign>{text}</Foreign>}
    </div>
  );
}
