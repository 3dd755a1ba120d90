/** How dialects call the native steps. */

import { failing, promised } from "../steps/scope.js";
import type { RunOptions } from "../types/run-options.js";
import type { Step } from "../types/step.js";

/**
 * Makes the promise of a step of a dialect. As one of a native step it may be rejected while nobody awaits it, and
 * what is wrong with arguments rejects it, too.
 */
export function asked<T>(call: () => Promise<T>): Promise<T> {
  return promised(async (own) => {
    try {
      return await call();
    } catch (error) {
      throw failing(own, error);
    }
  });
}

/** §13.5: a step has one attempt unless its code says how it is retried. */
export function oneAttempt(options: RunOptions | undefined): RunOptions {
  if (options === undefined) return { retry: false };
  // What are no options the native call refuses, and a function that starts at most once takes no `retry`.
  if (typeof options !== "object" || options === null || options.atMostOnce !== undefined) {
    return options;
  }
  return options.retry === undefined ? { ...options, retry: false } : options;
}

/** Has the branches of a race get the handle of the dialect. */
export function branchesOf<S>(branches: unknown, handleOf: (native: Step) => S): never {
  const isObject = typeof branches === "object" && branches !== null;
  // What are no branches the native call refuses; the types of a dialect say what they are.
  if (!isObject) return branches as never;
  const all = Object.entries(branches).map(([name, branch]: [string, unknown]) => [
    name,
    typeof branch === "function" ? (native: Step): unknown => branch(handleOf(native)) : branch,
  ]);
  return Object.fromEntries(all) as never;
}
