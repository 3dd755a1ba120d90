/** Keys of the page. Single letters are off while a field has the focus, and while a dialog is open. */

import { useEffect, useRef } from "react";
import { recall } from "./stored.ts";

/** What keys do, by their names: `j`, `Shift+N`, `Alt+1`, `Escape`; `g r` is one after the other. */
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

/** WCAG 2.1.4: keys that are one character can be switched off. */
export function areLettersOff(): boolean {
  return recall("letters", ["on", "off"], "on") === "off";
}

function isLetterAlone(name: string): boolean {
  return /^(Shift\+)?\S$/.test(name);
}

/** How long the first key of two waits for the second. */
const SECOND_KEY_MS = 1500;

/** All who listen. Who is deeper in the page began to listen earlier, and is asked first. */
const listening: { readonly current: Keys }[] = [];
let first: { readonly name: string; readonly at: number } | null = null;

function find(name: string): Keys[string] {
  for (const { current } of listening) {
    const act = current[name];
    if (act !== undefined) return act;
  }
  return undefined;
}

function beginsTwo(name: string): boolean {
  return listening.some(({ current }) =>
    Object.keys(current).some((one) => one.startsWith(`${name} `)),
  );
}

function press(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.isComposing) return;
  const name = keyName(event);
  if (isField(event.target) && name !== "Escape" && !name.startsWith("Ctrl+")) return;
  if (isLetterAlone(name) && areLettersOff()) return;
  // What is behind a dialog has no keys; its own are handled in it.
  if (document.querySelector("dialog[open]") !== null) return;
  // Space and Enter belong to the control that has the focus.
  const onControl = event.target instanceof HTMLElement && event.target.closest("button, a");
  if (onControl && (name === "Enter" || name === " ")) return;
  const begun = first !== null && event.timeStamp - first.at < SECOND_KEY_MS ? first.name : null;
  first = null;
  const act = (begun === null ? undefined : find(`${begun} ${name}`)) ?? find(name);
  if (act === undefined) {
    if (beginsTwo(name)) first = { name, at: event.timeStamp };
    return;
  }
  event.preventDefault();
  act(event);
}

function listen(keys: { readonly current: Keys }): () => void {
  if (listening.push(keys) === 1) addEventListener("keydown", press);
  return () => {
    listening.splice(listening.indexOf(keys), 1);
    if (listening.length === 0) removeEventListener("keydown", press);
  };
}

/** Listens for keys while the component is shown. */
export function useKeys(keys: Keys): void {
  const latest = useRef(keys);
  useEffect(() => {
    latest.current = keys;
  });
  useEffect(() => listen(latest), []);
}
