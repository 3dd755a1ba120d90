/** What this browser remembers: theme, sizes, the last view. Storage may be refused; then nothing is. */

import { useState } from "react";

const PREFIX = "stepwell.";

/** Reads what is remembered under a name, if it is one of what is accepted. */
export function recall<T extends string>(name: string, accepted: readonly T[], otherwise: T): T {
  try {
    const kept = localStorage.getItem(PREFIX + name);
    return accepted.find((one) => one === kept) ?? otherwise;
  } catch {
    return otherwise;
  }
}

/** Reads what is remembered under a name, whatever it is; empty where nothing is. */
export function recallText(name: string): string {
  try {
    return localStorage.getItem(PREFIX + name) ?? "";
  } catch {
    return "";
  }
}

/** Reads a number that is remembered under a name; null where there is none. */
export function recallNumber(name: string): number | null {
  const kept = Number.parseFloat(recallText(name));
  return Number.isFinite(kept) ? kept : null;
}

/** Remembers a value under a name. */
export function remember(name: string, value: string): void {
  try {
    localStorage.setItem(PREFIX + name, value);
  } catch {
    // Refused storage is no fault of the page.
  }
}

/** A state that is remembered. */
export function useStored<T extends string>(
  name: string,
  accepted: readonly T[],
  otherwise: T,
): readonly [T, (value: T) => void] {
  const [value, set] = useState(() => recall(name, accepted, otherwise));
  const keep = (next: T) => {
    remember(name, next);
    set(next);
  };
  return [value, keep];
}
