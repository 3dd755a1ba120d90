/** Waits for events (§8), by their name or by one that the workflow gave them (§2.4). */

import { durationMicros, durationText } from "../duration.js";
import { ArgumentError } from "../errors.js";
import { shown } from "../machine/refusals.js";
import { resultOf, type WaitAsk } from "../machine/state.js";
import { checkMembers } from "../name.js";
import { checkOnTimeout } from "../named-wait.js";
import type { Kind } from "../protocol/to-runner.js";
import { check } from "../schema.js";
import type { Json } from "../types/json.js";
import type { StandardSchema } from "../types/schema.js";
import type { NamedWait, NamedWaitOptions, WaitOptions } from "../types/wait.js";
import { checkId, idIn } from "./name.js";
import { members, nameOf } from "./plain.js";
import { encodeOf } from "./run.js";
import { endOf, failing, type Own, type Scope } from "./scope.js";
import { waitError } from "./thrown.js";

const MEMBERS = ["event", "match", "timeout", "onTimeout", "since", "schema"];

/** Most bytes of what a wait gives when its time is over. */
const VALUE_BYTES_MAX = 16 * 1024;

/** Waits for an event and gives its data. */
export async function waitForEvent(
  scope: Scope,
  own: Own,
  id: string,
  options: WaitOptions,
): Promise<unknown> {
  try {
    checkId(scope.core, id);
    return await wait(scope, id, "waitForEvent", options);
  } catch (error) {
    throw failing(own, error);
  }
}

/** Waits as the workflow declares under a name; without an id it is named after itself. */
export async function namedWait(
  scope: Scope,
  own: Own,
  name: string,
  options: NamedWaitOptions | undefined,
): Promise<unknown> {
  try {
    const declared = scope.waits[name];
    if (declared === undefined) throw new ArgumentError(`no wait \`${name}\` is declared`);
    const id = options?.id ?? nextId(scope, name);
    checkId(scope.core, id);
    const { match, ...rest } = declared;
    const { timeout } = options ?? {};
    const wanted: WaitOptions = {
      ...rest,
      ...(match !== undefined && { match: matchOf(scope, match) }),
      ...(timeout !== undefined && { timeout }),
    };
    return await wait(scope, idIn("wait", id), "namedWait", wanted);
  } catch (error) {
    throw failing(own, error);
  }
}

/** §2.4: `waitForScan`, `waitForScan:2`, in the order in which the code reaches it. */
function nextId(scope: Scope, name: string): string {
  const { namedWaits } = scope.core;
  const count = (namedWaits.get(name) ?? 0) + 1;
  namedWaits.set(name, count);
  return count === 1 ? name : `${name}:${count}`;
}

function matchOf(scope: Scope, match: Exclude<NamedWait["match"], undefined>): Json {
  if (typeof match !== "function") return match;
  // The input is what the handler got: the workflow's type says of what type it is.
  return match({ input: scope.given.input as never, run: scope.core.info.run });
}

async function wait(
  scope: Scope,
  id: string,
  kind: Extract<Kind, "waitForEvent" | "namedWait">,
  options: WaitOptions,
): Promise<unknown> {
  const asked = askOf(scope, id, options);
  const input = recorded(asked);
  const request = { kind: "wait", wait: asked } as const;
  const end = await endOf(scope, { id, kind, input, request });
  const error = waitError(scope, id, end);
  if (error !== undefined) throw error;
  const value = resultOf(end);
  const isLate = end.status === "timed_out";
  if (isLate) return value === undefined ? null : value;
  const schema = options.schema ?? schemaOf(options.event);
  if (schema === undefined) return value;
  return await check(`step \`${id}\`: the data of event \`${asked.event}\``, schema, value);
}

function schemaOf(event: WaitOptions["event"]): StandardSchema | undefined {
  return typeof event === "string" ? undefined : event.schema;
}

function askOf(scope: Scope, id: string, options: WaitOptions): WaitAsk {
  checkMembers(`step \`${shown(id)}\``, options, MEMBERS);
  const { match, timeout, onTimeout = "null", since = "runStart" } = options;
  return {
    event: nameOf(scope, id, "event", options.event),
    match: encodeOf(scope, id, "the match", match),
    timeoutMs: timeout === undefined ? undefined : durationMicros(timeout) / 1_000,
    onTimeout: lateOf(scope, id, onTimeout),
    since:
      since === "runStart" || since === "parked"
        ? since
        : { backMs: durationMicros(since) / 1_000 },
  };
}

function lateOf(
  scope: Scope,
  id: string,
  onTimeout: NonNullable<WaitOptions["onTimeout"]>,
): WaitAsk["onTimeout"] {
  if (onTimeout === "null" || onTimeout === "fail") return onTimeout;
  const place = { stepId: id, runId: scope.core.info.run };
  checkOnTimeout(`step \`${id}\``, onTimeout);
  const value = encodeOf(scope, id, "the value for a time-out", onTimeout.value) ?? "null";
  if (Buffer.byteLength(value) > VALUE_BYTES_MAX) {
    const text = `step \`${id}\` has an onTimeout value of more than ${VALUE_BYTES_MAX} bytes`;
    throw new ArgumentError(text, place);
  }
  return { value };
}

/** Writes what is recorded of a wait (§3.4). */
function recorded(asked: WaitAsk): string {
  const { event, match, timeoutMs, since, onTimeout } = asked;
  let late: string | undefined;
  if (onTimeout === "fail") late = '"fail"';
  else if (onTimeout !== "null") late = `{"value":${onTimeout.value}}`;
  let from: string | undefined;
  if (since === "parked") from = '"parked"';
  else if (since !== "runStart") from = JSON.stringify(durationText(since.backMs));
  return members({
    event: JSON.stringify(event),
    match,
    timeout: timeoutMs === undefined ? undefined : JSON.stringify(durationText(timeoutMs)),
    since: from,
    onTimeout: late,
  });
}
