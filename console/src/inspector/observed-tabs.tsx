/** The tabs of an observed run and of its steps. One without content is absent. */

import type { ObservedRun, ObservedStep } from "../model/observed.ts";
import type { Failure } from "../model/run.ts";
import { Calls } from "./calls.tsx";
import { errorTab, jsonTab, type Tab, written } from "./tabs.tsx";

/** Returns the tabs of a step: a failed one begins with its error. */
export function observedTabs(step: ObservedStep, error: Failure | null): readonly Tab[] {
  const failed: readonly Tab[] = error === null ? [] : [errorTab(error)];
  const told = step.attempts.findLast((attempt) => attempt.metadata !== null);
  const calls: readonly Tab[] =
    step.attempts.length === 0
      ? []
      : [
          {
            id: "calls",
            name: "Calls",
            count: step.attemptsTotal,
            show: () => <Calls step={step} />,
            text: () => written(step.attempts),
          },
        ];
  return [
    ...failed,
    ...calls,
    ...jsonTab("metadata", "Metadata", told?.metadata),
    ...jsonTab("raw", "Raw", step),
  ];
}

/** Returns the tabs of a run. Raw is the run without its steps, which have their own. */
export function observedRunTabs(run: ObservedRun): readonly Tab[] {
  const { steps: _, ...raw } = run;
  const told = Object.keys(run.metadata ?? {}).length === 0 ? null : run.metadata;
  return [...jsonTab("metadata", "Metadata", told), ...jsonTab("raw", "Raw", raw)];
}
