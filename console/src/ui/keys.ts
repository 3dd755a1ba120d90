/** Keys of the page. Single letters are off while a field has the focus. */

import { useEffect, useRef } from "react";

/** What keys do, by their names: `j`, `Shift+N`, `Alt+1`, `Escape`. */
export type Keys = Readonly<Record<string, ((event: KeyboardEvent) => void) | undefined>>;

/** Names a pressed key with what is held beside it. Letters are named as they are without Shift. */
export function keyName(event: KeyboardEvent): string {
  const letter = /^Key([A-Z])$/.exec(event.code)?.[1]?.toLowerCase();
  const digit = /^Digit(\d)$/.exec(event.code)?.[1];
  const plain = event.altKey ? (letter ?? digit ?? event.key) : event.key;
  const isLetter = /^[a-z]$/i.test(plain);
  const held = [
    event.ctrlKey || event.metaKey ? "Ctrl+" : "",
    event.altKey ? "Alt+" : "",
    event.shiftKey && (isLetter || plain.length > 1) ? "Shift+" : "",
  ];
  return held.join("") + (isLetter ? plain.toLowerCase() : plain);
}

function isField(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
  );
}

/** Listens for keys while the component is shown. */
export function useKeys(keys: Keys): void {
  const latest = useRef(keys);
  useEffect(() => {
    latest.current = keys;
  });
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.isComposing) return;
      const name = keyName(event);
      if (isField(event.target) && name !== "Escape") return;
      // Space and Enter belong to the control that has the focus.
      const onControl = event.target instanceof HTMLElement && event.target.closest("button, a");
      if (onControl && (name === "Enter" || name === " ")) return;
      const act = latest.current[name];
      if (act === undefined) return;
      event.preventDefault();
      act(event);
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, []);
}
