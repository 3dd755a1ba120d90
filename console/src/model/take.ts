/** What a person takes along from the console: JSON, and commands that show the same. */

import type { ObservedRun, ObservedStep } from "./observed.ts";
import type { Run, Step } from "./run.ts";

/** Formats a run or a step as JSON. */
export function rawOf(subject: Run | Step | ObservedRun | ObservedStep): string {
  return JSON.stringify(subject, null, 2);
}

/** Returns the request that asks for a run. */
export function curlOf(run: Run, origin: string): string {
  return `curl -s ${quoted(`${origin}/api/v1/runs/${encodeURIComponent(run.id)}`)}`;
}

/** Returns the request that asks for an observed run. */
export function observedCurlOf({ flow, run }: ObservedRun, origin: string): string {
  const path = `${encodeURIComponent(flow)}/runs/${encodeURIComponent(run)}`;
  return `curl -s ${quoted(`${origin}/api/v1/flows/${path}`)}`;
}

/** Returns the command that shows a run. */
export function cliOf(run: Run, origin: string): string {
  return `stepwell runs show ${quoted(run.id)} --url ${quoted(origin)}`;
}

/** Quotes a word for a shell where it needs to be. */
export function quoted(word: string): string {
  return /^[\w./:@%+=-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
