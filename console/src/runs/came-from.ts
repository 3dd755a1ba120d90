/** The list that was last shown: where one goes back to, and what is before and after a run. */

import { useSyncExternalStore } from "react";
import type { RunRow } from "../model/run.ts";
import { RunList } from "./run-list.ts";

/** A list with where somebody was in it. */
export interface Kept {
  readonly list: RunList;
  /** The address of the list. */
  href: string;
  /** The run that the keys are at. */
  current: string | null;
  scrollTop: number;
}

let kept: Kept | null = null;

/** Returns the list of what fits these parameters: the last one, if it is of the same. */
export function listOf(query: string): Kept {
  if (kept?.list.query !== query) {
    kept = { list: new RunList(query), href: "/runs", current: null, scrollTop: 0 };
  }
  return kept;
}

/** Forgets the last list. */
export function forgetList(): void {
  kept = null;
}

/** Returns the address of the list that was last shown. */
export function listHref(): string {
  return kept?.href ?? "/runs";
}

/** The runs before and after one in the list that was last shown; null where there is none. */
export interface Neighbours {
  readonly before: RunRow | null;
  readonly after: RunRow | null;
}

const ALONE: Neighbours = { before: null, after: null };
const nobody = () => () => undefined;

/** Returns the neighbours of a run in the list that it was opened from. */
export function useNeighbours(id: string): Neighbours {
  const list = kept?.list ?? null;
  const state = useSyncExternalStore(list?.subscribe ?? nobody, () => list?.state() ?? null);
  if (state === null) return ALONE;
  const at = state.rows.findIndex((row) => row.id === id);
  if (at < 0) return ALONE;
  return { before: state.rows[at - 1] ?? null, after: state.rows[at + 1] ?? null };
}

/** Makes the keys of the list stand at a run that was reached from a run's page. */
export function standAt(id: string): void {
  if (kept !== null) kept.current = id;
}
