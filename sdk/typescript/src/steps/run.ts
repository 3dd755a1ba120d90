/** A function whose result is saved (§2, §4). */

import { durationMicros } from "../duration.js";
import { ArgumentError } from "../errors.js";
import { encode } from "../json.js";
import { found, type Undo } from "../machine/clean.js";
import { resultOf, type StepOptions } from "../machine/state.js";
import { checkMembers } from "../name.js";
import type { JsonText } from "../protocol/to-node.js";
import { retryPolicy } from "../retry.js";
import type { RunOptions } from "../types/run-options.js";
import { Calls, type StepFunction, type VerifyFunction } from "./call.js";
import { checkId } from "./name.js";
import { endOf, failing, type Own, type Scope, type Wanted } from "./scope.js";
import { stepError } from "./thrown.js";

/** What `step.run` was called with. */
export interface RunCall {
  readonly id: string;
  /** There is an input, which is recorded and handed to the function. */
  readonly hasInput: boolean;
  readonly input: unknown;
  readonly fn: StepFunction;
  readonly options: RunOptions | undefined;
}

const MEMBERS: readonly string[] = [
  "timeout",
  "totalTimeout",
  "retry",
  "compensate",
  "compensateUnknown",
  "atMostOnce",
  "metadata",
];

/** Runs the function, or gives what it gave before. */
export async function run(scope: Scope, own: Own, call: RunCall): Promise<unknown> {
  try {
    const end = await endOf(scope, wantedOf(scope, call));
    const error = stepError(scope, call.id, end);
    if (error !== undefined) throw error;
    return resultOf(end);
  } catch (error) {
    throw failing(own, error);
  }
}

function wantedOf(scope: Scope, call: RunCall): Wanted {
  const { core, context } = scope;
  const { id, hasInput, fn, options } = call;
  checkId(core, id);
  if (typeof fn !== "function") {
    const text = `step \`${id}\` was given no function; accepted: step.run(id, fn, options)`;
    throw new ArgumentError(text, { stepId: id, runId: core.info.run });
  }
  const place = { stepId: id, runId: core.info.run };
  const input = hasInput ? encode(`the input of step \`${id}\``, call.input, place) : undefined;
  const readInput = (): unknown => (input === undefined ? undefined : JSON.parse(input));
  if (options === undefined) {
    const callee = new Calls(core, context, fn, readInput);
    return { id, kind: "run", input, callee };
  }
  checkOptions(scope, id, options);
  const { compensate, compensateUnknown, metadata, atMostOnce } = options;
  const verify = typeof atMostOnce === "object" ? atMostOnce.verify : undefined;
  if (compensate !== undefined) {
    found(core, id, { completed: compensate as Undo, unknown: unknownUndo(compensateUnknown) });
  }
  const compensable = compensateUnknown === undefined ? "completed" : "unknown";
  return {
    id,
    kind: "run",
    input,
    metadata: encode(`the metadata of step \`${id}\``, metadata, place),
    ...(compensate !== undefined && { compensable }),
    options: optionsOf(id, options),
    // What the options' types say of the result is not known here.
    callee: new Calls(core, context, fn, readInput, verify as VerifyFunction | undefined),
  };
}

function unknownUndo(undo: RunOptions["compensateUnknown"]): Undo | undefined {
  return undo && ((_, step) => undo({ outcome: "unknown" }, step));
}

function checkOptions(scope: Scope, id: string, options: RunOptions): void {
  const refuse = (what: string): never => {
    throw new ArgumentError(`step \`${id}\` ${what}`, { stepId: id, runId: scope.core.info.run });
  };
  checkMembers(`step \`${id}\``, options, MEMBERS);
  const { retry, atMostOnce, compensate, compensateUnknown } = options;
  if (retry !== undefined && atMostOnce !== undefined) {
    refuse(
      "has both `atMostOnce` and `retry`; a function that starts at most once is not tried again: " +
        "give no `retry`",
    );
  }
  if (compensateUnknown !== undefined && compensate === undefined) {
    refuse("has `compensateUnknown` without `compensate`");
  }
}

function optionsOf(id: string, options: RunOptions): StepOptions {
  const { retry, timeout, totalTimeout, atMostOnce } = options;
  const once = atMostOnce === true ? {} : atMostOnce;
  return {
    ...(retry !== undefined && { retry: retryPolicy(`step \`${id}\``, retry) }),
    ...(timeout !== undefined && { timeoutMs: durationMicros(timeout) / 1_000 }),
    ...(totalTimeout !== undefined && { totalTimeoutMs: durationMicros(totalTimeout) / 1_000 }),
    ...(once !== undefined && {
      once: { onUnknown: once.onUnknown ?? "block", verified: once.verify !== undefined },
    }),
  };
}

/** Encodes something that stands beside a step. */
export function encodeOf(
  scope: Scope,
  id: string,
  what: string,
  value: unknown,
): JsonText | undefined {
  return encode(`${what} of step \`${id}\``, value, { stepId: id, runId: scope.core.info.run });
}
