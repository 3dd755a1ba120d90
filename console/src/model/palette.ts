/** What the palette offers: entries in groups, the best of each for what was typed. */

import { fuzzy } from "./fuzzy.ts";

/** Something that can be chosen. */
export interface Entry {
  readonly id: string;
  readonly group: string;
  readonly text: string;
}

/** Entries of a group, best first. */
export interface EntryGroup<T extends Entry> {
  readonly name: string;
  readonly entries: readonly T[];
  /** How many more fit. */
  readonly more: number;
}

const GROUP_MAX = 8;

/**
 * Chooses the entries that fit. Groups keep their order while nothing is typed; then the one with the best
 * entry is first, so that Enter takes what was meant.
 */
export function choose<T extends Entry>(
  wanted: string,
  entries: readonly T[],
): readonly EntryGroup<T>[] {
  const groups = new Map<string, { entry: T; score: number }[]>();
  for (const entry of entries) {
    const found = fuzzy(wanted, entry.text);
    if (found === null) continue;
    const group = groups.get(entry.group) ?? [];
    group.push({ entry, score: found.score });
    groups.set(entry.group, group);
  }
  const all = [...groups].map(([name, found]) => {
    found.sort((a, b) => b.score - a.score);
    return {
      name,
      best: found[0]?.score ?? 0,
      entries: found.slice(0, GROUP_MAX).map((one) => one.entry),
      more: Math.max(0, found.length - GROUP_MAX),
    };
  });
  if (wanted.trim() !== "") all.sort((a, b) => b.best - a.best);
  return all.map(({ name, entries: chosen, more }) => ({ name, entries: chosen, more }));
}
