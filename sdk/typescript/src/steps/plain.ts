/** Steps that are the engine's own: pauses, notes, events, children (§2). */

import { durationMicros, durationMillis, durationText } from "../duration.js";
import { ArgumentError } from "../errors.js";
import { found, type Undo } from "../machine/clean.js";
import { resultOf } from "../machine/state.js";
import { checkMembers, nameProblem } from "../name.js";
import { check } from "../schema.js";
import type { Duration } from "../types/duration.js";
import type { EmitOptions, InvokeSettings } from "../types/step.js";
import { instantMicros, instantText } from "./instant.js";
import { checkId } from "./name.js";
import { encodeOf } from "./run.js";
import { endOf, failing, type Own, type Scope, type Wanted } from "./scope.js";
import { childError, stepError } from "./thrown.js";

const EMIT_MEMBERS = ["event", "data", "match", "app", "run"];
const INVOKE_MEMBERS = ["workflow", "app", "runner", "input", "timeout", "compensate"];

async function plain(
  scope: Scope,
  own: Own,
  id: string,
  make: () => Wanted | Promise<Wanted>,
): Promise<unknown> {
  try {
    checkId(scope.core, id);
    const wanted = make();
    const end = await endOf(scope, wanted instanceof Promise ? await wanted : wanted);
    const error = stepError(scope, id, end);
    if (error !== undefined) throw error;
    return resultOf(end);
  } catch (error) {
    throw failing(own, error);
  }
}

/** Pauses for a duration. */
export function sleep(scope: Scope, own: Own, id: string, duration: Duration): Promise<unknown> {
  return plain(scope, own, id, () => ({
    id,
    kind: "sleep",
    input: JSON.stringify({ duration: durationText(duration) }),
    request: { kind: "sleep", forMs: durationMicros(duration) / 1_000 },
  }));
}

/** Pauses until an instant. */
export function sleepUntil(
  scope: Scope,
  own: Own,
  id: string,
  at: Date | string | number,
): Promise<unknown> {
  return plain(scope, own, id, () => {
    const untilUs = instantMicros(at);
    const input = JSON.stringify({ until: instantText(untilUs) });
    return { id, kind: "sleepUntil", input, request: { kind: "sleepUntil", untilUs } };
  });
}

/** Records that a step does not apply. */
export function skip(
  scope: Scope,
  own: Own,
  id: string,
  options: { readonly reason?: string } | undefined,
): Promise<unknown> {
  return plain(scope, own, id, () => {
    if (options !== undefined) checkMembers(`step \`${id}\``, options, ["reason"]);
    const reason = options?.reason;
    if (reason !== undefined && typeof reason !== "string") {
      const why = `the reason of step \`${id}\` is ${String(reason)}; accepted: a text`;
      throw new ArgumentError(why, { stepId: id, runId: scope.core.info.run });
    }
    return { id, kind: "skip", input: reason && JSON.stringify({ reason }) };
  });
}

/** Publishes an event, exactly once. */
export function emit(scope: Scope, own: Own, id: string, options: EmitOptions): Promise<unknown> {
  return plain(scope, own, id, () => {
    const wanted = wantedEvent(scope, id, options);
    const schema = typeof options.event === "string" ? undefined : options.event.schema;
    if (schema === undefined) return wanted;
    // It is checked as the receiver gets it.
    const data = encodeOf(scope, id, "the data", options.data);
    const saved: unknown = data === undefined ? undefined : JSON.parse(data);
    return check(`the data of step \`${id}\``, schema, saved).then(() => wanted);
  });
}

function wantedEvent(scope: Scope, id: string, options: EmitOptions): Wanted {
  checkMembers(`step \`${id}\``, options, EMIT_MEMBERS);
  const { app, run } = options;
  checkTarget(scope, id, { app, run });
  const event = nameOf(scope, id, "event", options.event);
  const data = encodeOf(scope, id, "the data", options.data);
  const match = encodeOf(scope, id, "the match", options.match);
  const name = JSON.stringify(event);
  const input = members({ event: name, data, match, app: text(app), run: text(run) });
  const request = { kind: "emit", emit: { event, data, match, app, run } } as const;
  return { id, kind: "emit", input, request };
}

/** What `step.invoke` was called with. */
export type InvokeCall = InvokeSettings<unknown, unknown> & {
  readonly workflow: unknown;
  readonly input?: unknown;
};

/** Runs another workflow as a child and waits for it. */
export async function invoke(
  scope: Scope,
  own: Own,
  id: string,
  options: InvokeCall,
): Promise<unknown> {
  try {
    checkId(scope.core, id);
    const end = await endOf(scope, wantedChild(scope, id, options));
    const error = childError(scope, id, end);
    if (error !== undefined) throw error;
    return resultOf(end);
  } catch (error) {
    throw failing(own, error);
  }
}

function wantedChild(scope: Scope, id: string, options: InvokeCall): Wanted {
  checkMembers(`step \`${id}\``, options, INVOKE_MEMBERS);
  const workflow = nameOf(scope, id, "workflow", options.workflow);
  const { app, runner, timeout, compensate } = options;
  checkTarget(scope, id, { app, runner });
  const input = members({
    workflow: JSON.stringify(workflow),
    app: text(app),
    runner: text(runner),
    input: encodeOf(scope, id, "the child's input", options.input),
    timeoutMs: timeout === undefined ? undefined : String(durationMillis(timeout)),
  });
  if (compensate === undefined) return { id, kind: "invoke", input };
  found(scope.core, id, { completed: compensate as Undo, unknown: undefined });
  return { id, kind: "invoke", input, compensable: "completed" };
}

/** Checks whom a step is for, where it says so. */
function checkTarget(scope: Scope, id: string, target: Readonly<Record<string, unknown>>): void {
  for (const [what, name] of Object.entries(target)) {
    const why = name === undefined ? undefined : nameProblem(`the ${what} of step \`${id}\``, name);
    if (why !== undefined) {
      throw new ArgumentError(why, { stepId: id, runId: scope.core.info.run });
    }
  }
}

/** Returns the name of an event or a workflow that code gave by name or by value. */
export function nameOf(
  scope: Scope,
  id: string,
  what: "event" | "workflow",
  given: unknown,
): string {
  const name: unknown =
    typeof given === "object" && given !== null ? Reflect.get(given, "name") : given;
  const why = nameProblem(`the ${what} of step \`${id}\``, name);
  if (why === undefined) return String(name);
  const place = { stepId: id, runId: scope.core.info.run };
  throw new ArgumentError(`${why}, or what \`${what}(…)\` made`, place);
}

function text(value: string | undefined): string | undefined {
  return value === undefined ? undefined : JSON.stringify(value);
}

/** Writes an object of members that are JSON text already; those without one are left out. */
export function members(of: Readonly<Record<string, string | undefined>>): string {
  const written = Object.entries(of).filter(([, value]) => value !== undefined);
  return `{${written.map(([name, value]) => `"${name}":${value}`).join(",")}}`;
}
