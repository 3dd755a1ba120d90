/** Who acts and why, as this browser remembers it: the name once, and the last reasons. */

import { useSyncExternalStore } from "react";
import { session } from "../api/session.ts";
import { recallText, remember } from "../ui/stored.ts";

const REASONS_MAX = 5;
const BYTES_MAX = 256;
export const REASON_CHARS_MIN = 3;

const listeners = new Set<() => void>();

/** Returns the person's name; empty where it was never given. */
export function person(): string {
  return recallText("by");
}

/** Returns who signs an act: the person, or what their key is called. */
export function signer(): string {
  const now = session.session();
  const key = now.state === "signedIn" ? now.me.key : null;
  return person() || (key?.name ?? "");
}

/** Remembers the person's name. */
export function setPerson(name: string): void {
  remember("by", name.trim());
  for (const tell of listeners) tell();
}

/** Returns the person's name, and changes with it. */
export function usePerson(): string {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, person);
}

/** Returns the last reasons that were given here, the newest first. */
export function reasons(): readonly string[] {
  try {
    const kept: unknown = JSON.parse(recallText("reasons"));
    return Array.isArray(kept) ? kept.filter((one) => typeof one === "string") : [];
  } catch {
    return [];
  }
}

/** Remembers a reason. */
export function keepReason(reason: string): void {
  const all = [reason, ...reasons().filter((one) => one !== reason)];
  remember("reasons", JSON.stringify(all.slice(0, REASONS_MAX)));
}

/** Says why a text cannot stand in the history; null where it can. */
export function refusedText(what: string, text: string, charsMin: number): string | null {
  const trimmed = text.trim();
  if (trimmed.length < charsMin) {
    return charsMin === 1 ? `${what} is needed` : `${what} needs ${charsMin} characters or more`;
  }
  const bytes = new TextEncoder().encode(trimmed).length;
  if (bytes > BYTES_MAX) return `${what} has ${bytes} bytes; at most ${BYTES_MAX} are taken`;
  return /\p{Cc}/u.test(trimmed) ? `${what} may hold no control characters` : null;
}
