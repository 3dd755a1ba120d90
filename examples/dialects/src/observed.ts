/** What the server shows of observed runs, in the words of Failpath. */

import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { serverBinary } from "stepwell/test";
import { until } from "./checks.ts";

/** The address of the server. */
export const serverUrl = (): string => process.env.STEPWELL_URL ?? "http://127.0.0.1:7878";

/** A call of a step. */
export interface ShownAttempt {
  readonly status: string;
  readonly durationMs: number | null;
  readonly startedAt: string | null;
  readonly error: { readonly message: string; readonly stack: string | null } | null;
  readonly metadata: unknown;
}

/** A run as far as it is looked at. */
export interface ShownRun {
  readonly status: string;
  readonly events: number;
  readonly steps: readonly {
    readonly key: string;
    readonly status: string;
    readonly attempts: readonly ShownAttempt[];
  }[];
}

/** Resolves to a run once it is shown as it is wanted. */
export async function shownRun(
  flow: string,
  run: string,
  isSo: (shown: ShownRun) => boolean,
  url: string = serverUrl(),
): Promise<ShownRun> {
  const path = `/api/v1/flows/${encodeURIComponent(flow)}/runs/${encodeURIComponent(run)}`;
  const shown = await until(
    async () => {
      const answer = await fetch(`${url}${path}?dialect=failpath`);
      return answer.ok ? ((await answer.json()) as ShownRun) : null;
    },
    (one) => one !== null && isSo(one),
  );
  if (shown === null) throw new Error("there is no such run");
  return shown;
}

/** Returns the statuses of a run's steps by their keys. */
export function statuses({ steps }: ShownRun): Record<string, string> {
  return Object.fromEntries(steps.map(({ key, status }) => [key, status]));
}

/** Returns the calls of a step. */
export function attemptsOf({ steps }: ShownRun, key: string): readonly ShownAttempt[] {
  return steps.find((step) => step.key === key)?.attempts ?? [];
}

const run = promisify(execFile);

/** Declares the flows of `.failpath/flows.json`: `stepwell flows push`. */
export async function pushFlows(url: string = serverUrl()): Promise<void> {
  const file = fileURLToPath(new URL("../.failpath/flows.json", import.meta.url));
  await run(serverBinary(), ["flows", "push", file, "--url", url]);
}
