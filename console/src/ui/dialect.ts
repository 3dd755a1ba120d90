/** In whose words steps are told of: those that were chosen in this browser, or that the address names. */

import { useEffect, useSyncExternalStore } from "react";
import { DIALECTS, type Dialect, dialectOf, stepWord, wholeStepWord } from "../model/dialects.ts";
import type { StepStatus } from "../model/run.ts";
import { goQuery, useQuery } from "../route.ts";
import { recall, remember } from "./stored.ts";

/** The parameter of the console's own addresses; the API is never asked with it. */
const PARAMETER = "dialect";

const listeners = new Set<() => void>();

// Rows ask for it with each glyph, and storage is slow and may be refused.
let chosen: Dialect | null = null;

function dialect(): Dialect {
  chosen ??= named(location.search) ?? recall(PARAMETER, DIALECTS, "stepwell");
  return chosen;
}

function named(query: string): Dialect | null {
  return dialectOf(new URLSearchParams(query).get(PARAMETER));
}

function keep(next: Dialect): void {
  chosen = next;
  remember(PARAMETER, next);
  for (const tell of listeners) tell();
}

/** Chooses whose words are shown, and remembers it. An address that names others names these from then on. */
export function setDialect(next: Dialect): void {
  keep(next);
  const query = new URLSearchParams(location.search);
  if (query.has(PARAMETER)) goQuery({ [PARAMETER]: next }, "replace");
}

/** Returns whose words are shown. */
export function useDialect(): Dialect {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, dialect);
}

/** Takes what the address names, and remembers it. */
export function useDialectOfAddress(): void {
  const wanted = dialectOf(useQuery().get(PARAMETER));
  useEffect(() => {
    if (wanted !== null) keep(wanted);
  }, [wanted]);
}

/** Returns how a status of a step is called, alone and with Stepwell's word behind it. */
export function useStepWords(status: StepStatus): {
  readonly word: string;
  readonly whole: string;
} {
  const dialect = useDialect();
  return { word: stepWord(status, dialect), whole: wholeStepWord(status, dialect) };
}
