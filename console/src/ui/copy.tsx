/** A button that copies. */

import { type ReactNode, useEffect, useState } from "react";
import { Icon } from "./icon.tsx";

interface CopyProps {
  readonly text: () => string;
  /** What it copies, for readers of screens. */
  readonly what: string;
  /** The words on it; without them it is an icon. */
  readonly children?: string;
}

/** Copies a text when pressed, and says so for a moment. */
export function Copy({ text, what, children }: CopyProps): ReactNode {
  const [done, setDone] = useState(false);
  useEffect(() => {
    if (!done) return;
    const timer = setTimeout(() => setDone(false), 1500);
    return () => clearTimeout(timer);
  }, [done]);
  const copy = () => {
    navigator.clipboard.writeText(text()).then(
      () => setDone(true),
      () => setDone(false),
    );
  };
  const name = done ? "Copied" : `Copy ${what}`;
  return (
    <button
      type="button"
      className={children ? "plain" : "plain bare"}
      title={name}
      aria-label={name}
      onClick={copy}
    >
      <Icon name={done ? "done" : "copy"} />
      {children}
    </button>
  );
}
