/** What tests say of runs and events, read as the client reads it. */

import type { StartOptions } from "../client/client.js";
import { durationMicros, durationMillis } from "../duration.js";
import { ArgumentError } from "../errors.js";
import { eventParts } from "../event.js";
import { roundTrip } from "../json.js";
import { checkMembers, checkName } from "../name.js";
import { check } from "../schema.js";
import { instantMicros } from "../steps/instant.js";
import type { App } from "../types/app.js";
import type { EventRef } from "../types/event.js";
import type { WorkflowRef } from "../types/reference.js";
import type { StandardSchema } from "../types/schema.js";
import type { Start } from "./node/run.js";

const START = ["key", "delay", "at", "timeout", "search", "metadata"];

/** Returns the name and the schema of an event. */
export function event(ref: EventRef): { readonly name: string; readonly schema?: StandardSchema } {
  return eventParts("test.send", ref);
}

/** A start as the stand-in takes it. */
export interface Wanted {
  readonly name: string;
  readonly start: Omit<Start, "depth" | "deadline">;
  readonly timeoutMs: number | undefined;
}

/** Reads a start; its input is checked as the client and the server check it. */
export async function startOf(
  app: App,
  workflow: string | WorkflowRef,
  input: unknown,
  given: StartOptions | undefined,
  nowUs: number,
): Promise<Wanted> {
  const options = given ?? {};
  const name = typeof workflow === "string" ? workflow : workflow.name;
  checkName("a workflow's name", name);
  const where = `the start of \`${name}\``;
  checkMembers(where, options, START);
  const { key, delay, at, timeout, search, metadata } = options;
  if (at !== undefined && delay !== undefined) {
    throw new ArgumentError(`${where} has both \`at\` and \`delay\`; accepted: one of them`);
  }
  const what = `the input of workflow \`${name}\``;
  const saved = roundTrip(what, input);
  const schema = app.workflows.find((one) => one.name === name)?.definition.input;
  if (schema !== undefined) await check(what, schema, saved);
  const begins = delay === undefined ? at && instantMicros(at) : nowUs + durationMicros(delay);
  const start = {
    input: saved,
    metadata: roundTrip(`${where}: metadata`, metadata),
    ...(key !== undefined && { key }),
    ...(search !== undefined && { search }),
    ...(begins !== undefined && begins > nowUs && { notBefore: begins }),
  };
  return { name, start, timeoutMs: timeout === undefined ? undefined : durationMillis(timeout) };
}
