/** What a program says of itself: a line for each thing that it looked at, and an error for the first that is wrong. */

import { deepEqual } from "node:assert/strict";
import { setTimeout } from "node:timers/promises";
import type { RunView } from "stepwell";

/** How long something is waited for. */
const PATIENCE_MS = 60_000;

/** A program, which ends by itself. */
export type Program = (checks: Checks) => Promise<void>;

/** A run, whatever it gives. */
export interface Showable {
  show(): Promise<RunView>;
}

/** Counts what was looked at. */
export class Checks {
  #made = 0;
  readonly #say: (line: string) => void;

  constructor(say: (line: string) => void = () => undefined) {
    this.#say = say;
  }

  /** How many there were, all of them as they should be. */
  get made(): number {
    return this.#made;
  }

  /**
   * Says what was found.
   *
   * @throws `AssertionError` where it is not what it should be
   */
  is(what: string, found: unknown, wanted: unknown): void {
    deepEqual(
      found,
      wanted,
      `${what}: ${JSON.stringify(found)}, and not ${JSON.stringify(wanted)}`,
    );
    this.#made += 1;
    this.#say(`  ${what}: ${JSON.stringify(found)}`);
  }
}

/**
 * Asks again until what is given is as wanted; gives it.
 *
 * @throws `Error` with what was given last, after a minute
 */
export async function until<T>(ask: () => Promise<T>, isSo: (given: T) => boolean): Promise<T> {
  const end = performance.now() + PATIENCE_MS;
  for (;;) {
    const given = await ask();
    if (isSo(given)) return given;
    if (performance.now() > end)
      throw new Error(`it did not come so far: ${JSON.stringify(given)}`);
    await setTimeout(20);
  }
}
