/** A button that may be off: it stays where it is, takes the focus, and says why. */

import type { ReactNode } from "react";
import { say } from "./said.tsx";

interface ActButtonProps {
  /** Why it cannot be pressed; null where it can. */
  readonly off: string | null;
  readonly onAct: () => void;
  readonly className?: string;
  /** The key that does the same, as `useKeys` names it. */
  readonly keys?: string | undefined;
  readonly children: ReactNode;
}

/** Shows the button. */
export function ActButton({ off, onAct, className, keys, children }: ActButtonProps): ReactNode {
  return (
    <button
      type="button"
      className={className}
      aria-disabled={off === null ? undefined : true}
      title={off ?? undefined}
      aria-keyshortcuts={keys}
      onClick={unlessOff(off, onAct)}
    >
      {children}
    </button>
  );
}

/** Does something, or says why it cannot be done: what a key does that stands for such a button. */
export function unlessOff(off: string | null, act: () => void): () => void {
  return off === null ? act : () => say(off);
}
