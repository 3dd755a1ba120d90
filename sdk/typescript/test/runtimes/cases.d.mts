/** The types of `cases.mjs`. */

/** Fails where two values are not the same. */
export function same(found: unknown, wanted: unknown): void;

/** Returns what a promise rejects with; fails where it does not. */
export function rejection(promise: Promise<unknown>): Promise<unknown>;

/** Runs cases by their names, one after another. */
export function run(
  group: string,
  cases: Readonly<Record<string, () => Promise<void>>>,
): Promise<void>;
