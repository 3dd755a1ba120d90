/** The handle of steps of a workflow of Durablex. */

import { checkMembers } from "../../name.js";
import type { RunOptions } from "../../types/run-options.js";
import type { Branches, EmitOptions, Step } from "../../types/step.js";
import type { WaitOptions } from "../../types/wait.js";
import { asked, branchesOf, oneAttempt } from "../call.js";
import { inFrontOf } from "../front.js";

const CHILD_MEMBERS = ["name", "app", "runner", "data", "timeout", "compensate"];
const EMIT_MEMBERS = ["name", "app", "data", "match", "run"];

/** What stands in front of a native handle; the maker's types say what it gives. */
interface Own {
  run(id: string, ...rest: readonly unknown[]): Promise<unknown>;
  waitForEvent(id: string, options: WaitOptions): Promise<unknown>;
  runWorkflow(id: string, options: object): Promise<unknown>;
  emit(id: string, options: object): Promise<void>;
  race(id: string, branches: Branches<unknown>): Promise<unknown>;
}

/**
 * Makes the handle of a workflow, or of a branch of it. `step.runWorkflow` is its word for `invoke`, which it has
 * not.
 */
export function handleOf(native: Step): Own {
  const own: Own = {
    run: (id, ...rest) => asked(() => run(native, id, rest)),
    waitForEvent: (id, options) => asked(() => native.waitForEvent(id, waitOf(options))),
    runWorkflow: (id, options) => asked(() => native.invoke(id, childOf(id, options))),
    emit: (id, options) => asked(async () => void (await native.emit(id, eventOf(id, options)))),
    race: (id, branches) => asked(() => native.race(id, branchesOf(branches, handleOf))),
  };
  return inFrontOf(native, own, ["invoke"]);
}

/** A function that is given what is recorded as its step's input, and then what is known of the attempt. */
type InputFunction = (input: unknown, info: unknown) => unknown;

function run(native: Step, id: string, rest: readonly unknown[]): Promise<unknown> {
  const [first, second, third] = rest;
  // Whether they are what they are to be is checked by the native call.
  if (typeof second !== "function") {
    return native.run(id, first as () => unknown, oneAttempt(second as RunOptions | undefined));
  }
  const fn = second as InputFunction;
  return native.run(id, first, (info) => fn(info.input, info), oneAttempt(third as RunOptions));
}

/** §13.4: events count from when the wait is parked, unless the code says more. */
function waitOf(options: WaitOptions): WaitOptions {
  if (typeof options !== "object" || options === null) return options;
  return { ...options, since: options.since ?? "parked" };
}

/** Writes what `runWorkflow` takes as `invoke` takes it. */
function childOf(id: string, options: object): never {
  checkMembers(`step \`${id}\``, options, CHILD_MEMBERS);
  const { name, data, ...rest } = options as Readonly<Record<string, unknown>>;
  // What they are is checked by the native call.
  return { ...rest, workflow: name, ...(data !== undefined && { input: data }) } as never;
}

/** Writes what `emit` takes as the native one takes it. */
function eventOf(id: string, options: object): EmitOptions {
  checkMembers(`step \`${id}\``, options, EMIT_MEMBERS);
  const { name, ...rest } = options as Readonly<Record<string, unknown>>;
  // What they are is checked by the native call.
  return { ...rest, event: name } as EmitOptions;
}
