/**
 * When a long list jumps, the rows that come are drawn in the elements of those that went: what is new is their
 * text, so that the browser need not find out anew how each of their elements looks.
 */

import { type RefObject, useLayoutEffect, useRef, useState } from "react";

type Key = string | number | bigint;

/** Gives what is drawn its elements. */
export class Slots {
  #slots: ReadonlyMap<Key, number> = new Map();
  #next = 0;

  /** Takes the keys of all that is drawn now, in order, and returns the slot of each. */
  of(keys: readonly Key[]): readonly number[] {
    const old = this.#slots;
    const stay = keys.filter((key) => old.has(key)).length;
    // Elements that change their order must be styled anew, so they are used again in their order or not at all.
    const free = stay < keys.length / 2 ? [...old.values()] : null;
    const slots = keys.map((key, at) => (free === null ? old.get(key) : free[at]) ?? this.#new());
    this.#slots = new Map(keys.map((key, at) => [key, slots[at] ?? 0]));
    return slots;
  }

  #new(): number {
    this.#next += 1;
    return this.#next;
  }
}

/** Returns for each key of what is drawn the key to draw it with. */
export function useSlots(keys: readonly Key[]): readonly number[] {
  const [slots] = useState(() => new Slots());
  return slots.of(keys);
}

/** Gives the ref of a row's element. What is focused in it stays behind when the slot gets another row. */
export function useSlot<T extends HTMLElement>(key: string): RefObject<T | null> {
  const node = useRef<T>(null);
  const before = useRef(key);
  useLayoutEffect(() => {
    if (before.current === key) return;
    before.current = key;
    const { activeElement } = document;
    if (activeElement instanceof HTMLElement && node.current?.contains(activeElement)) {
      activeElement.blur();
    }
  }, [key]);
  return node;
}
