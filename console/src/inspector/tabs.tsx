/** The tabs of the inspector. One without content is absent. */

import type { ReactNode } from "react";
import type { Failure, Run, Step } from "../model/run.ts";
import { History } from "../run/history.tsx";
import { JsonView } from "../ui/json-view.tsx";
import { Activations } from "./activations.tsx";
import { Attempts } from "./attempts.tsx";
import { FailureView } from "./failure.tsx";
import { Logs } from "./logs.tsx";

export interface Tab {
  readonly id: string;
  readonly name: string;
  readonly count?: number;
  readonly show: () => ReactNode;
  /** What it shows as a text to take along. */
  readonly text: () => string;
}

/** Writes a value as JSON. */
export function written(value: unknown): string {
  return JSON.stringify(value, null, 2);
}

/** Makes the tab of a value; none where there is none. */
export function jsonTab(id: string, name: string, value: unknown): readonly Tab[] {
  if (value === null || value === undefined) return [];
  return [{ id, name, show: () => <JsonView value={value} />, text: () => written(value) }];
}

/** Returns the tabs of a step: a failed one begins with its error. */
export function stepTabs(step: Step): readonly Tab[] {
  const { error } = step;
  const failed: readonly Tab[] = error === null ? [] : [errorTab(error)];
  const attempts: readonly Tab[] =
    step.attempts.length === 0
      ? []
      : [
          {
            id: "attempts",
            name: "Attempts",
            count: step.attempts.length,
            show: () => <Attempts step={step} />,
            text: () => written(step.attempts),
          },
        ];
  return [
    ...failed,
    ...jsonTab("output", "Output", step.output),
    ...jsonTab("input", "Input", step.input),
    ...attempts,
    ...logs(step.logs),
    ...jsonTab("metadata", "Metadata", step.metadata),
    ...jsonTab("raw", "Raw", step),
  ];
}

/** Returns the tabs of a run. Raw is the run without its steps, which have their own. */
export function runTabs(run: Run): readonly Tab[] {
  const { error } = run;
  const failed: readonly Tab[] = error === null ? [] : [errorTab(error)];
  const history: readonly Tab[] =
    run.history.length === 0
      ? []
      : [
          {
            id: "history",
            name: "History",
            count: run.history.length,
            show: () => <History run={run} />,
            text: () => written(run.history),
          },
        ];
  const { steps: _, ...raw } = run;
  return [
    ...failed,
    ...jsonTab("output", "Output", run.output),
    ...jsonTab("input", "Input", run.input),
    ...logs(run.logs),
    ...jsonTab("metadata", "Metadata", run.metadata),
    ...history,
    {
      id: "runners",
      name: "Runners",
      count: run.activations.length,
      show: () => <Activations run={run} />,
      text: () => written(run.activations),
    },
    ...jsonTab("raw", "Raw", raw),
  ];
}

/** Makes the tab of an error. */
export function errorTab(error: Failure): Tab {
  return {
    id: "error",
    name: "Error",
    show: () => <FailureView failure={error} />,
    text: () => error.stack ?? `${error.name}: ${error.message}`,
  };
}

function logs(lines: Run["logs"]): readonly Tab[] {
  if (lines.length === 0) return [];
  const text = () => lines.map((line) => `${line.at} ${line.level} ${line.message}`).join("\n");
  return [
    { id: "logs", name: "Logs", count: lines.length, show: () => <Logs lines={lines} />, text },
  ];
}
