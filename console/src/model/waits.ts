/** The waits of a run: what each asks for, and which of them an event would wake. */

import { type Difference, differenceOf } from "./matching.ts";
import type { Run, Step } from "./run.ts";

/** A wait that is open. */
export interface Wait {
  readonly step: string;
  readonly event: string;
  /** Undefined where any event of the name will do. */
  readonly match: unknown;
}

/** Reads what a step waits for; null where it is no wait for an event. */
export function waitOf(step: Step): Wait | null {
  if (step.kind !== "waitForEvent" && step.kind !== "namedWait") return null;
  if (typeof step.input !== "object" || step.input === null) return null;
  const { event, match } = step.input as { readonly event?: unknown; readonly match?: unknown };
  if (typeof event !== "string") return null;
  return { step: step.id, event, match: match ?? undefined };
}

/** Lists the waits of a run that are open. */
export function openWaits(run: Run): readonly Wait[] {
  return run.steps.flatMap((step) => {
    const wait = step.status === "waiting" ? waitOf(step) : null;
    return wait === null ? [] : [wait];
  });
}

/** Which waits an event would wake, and where it differs from one that it would not. */
export interface Effect {
  readonly wakes: readonly Wait[];
  readonly misses: readonly { readonly wait: Wait; readonly difference: Difference }[];
}

/** Foretells what an event does to waits. `held` is what they are held against: its match, else its data. */
export function effectOn(waits: readonly Wait[], event: string, held: unknown): Effect {
  const named = waits.filter((wait) => wait.event === event);
  const told = named.map((wait) => ({
    wait,
    difference: wait.match === undefined ? null : differenceOf(wait.match, held),
  }));
  return {
    wakes: told.filter((one) => one.difference === null).map((one) => one.wait),
    misses: told.flatMap(({ wait, difference }) =>
      difference === null ? [] : [{ wait, difference }],
    ),
  };
}
