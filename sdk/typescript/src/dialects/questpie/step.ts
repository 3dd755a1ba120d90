/** The handle of steps of a workflow of QUESTPIE. */

import { ArgumentError } from "../../errors/base.js";
import type { StepFunction } from "../../steps/call.js";
import type { RetryOptions } from "../../types/retry.js";
import type { RunOptions } from "../../types/run-options.js";
import type { Branches, EmitOptions, Step } from "../../types/step.js";
import type { WaitOptions } from "../../types/wait.js";
import { asked, branchesOf, oneAttempt } from "../call.js";
import { inFrontOf } from "../front.js";
import { suspended } from "./error.js";

/** What a handle does with what takes steps back (§13.8). */
export type TakesBack = "takesBack" | "takesNothingBack";

/** What stands in front of a native handle; the maker's types say what it gives. */
interface Own {
  run(name: string, ...rest: readonly unknown[]): Promise<unknown>;
  waitForEvent(name: string, options: WaitOptions): Promise<unknown>;
  invoke(name: string, options: never): Promise<unknown>;
  sendEvent(name: string, options: EmitOptions): Promise<void>;
  race(id: string, branches: Branches<unknown>): Promise<unknown>;
}

/** Makes the handle of a workflow, or of a branch of it. `step.sendEvent` is its word for `emit`, which it has not. */
export function handleOf(native: Step, takes: TakesBack): Own {
  const own: Own = {
    run: (name, ...rest) => asked(() => run(native, name, takes, rest)),
    waitForEvent: (name, options) => asked(() => native.waitForEvent(name, options)),
    invoke: (name, options) => asked(() => native.invoke(name, takenBack(options, takes))),
    sendEvent: (name, options) => asked(async () => void (await native.emit(name, options))),
    race: (id, branches) => {
      return asked(() =>
        native.race(
          id,
          branchesOf(branches, (one) => handleOf(one, takes)),
        ),
      );
    },
  };
  return inFrontOf(native, own, ["emit"]);
}

async function run(
  native: Step,
  name: string,
  takes: TakesBack,
  rest: readonly unknown[],
): Promise<unknown> {
  const [first, second] = rest;
  const isBare = typeof first === "function";
  if (isBare && second !== undefined) {
    const text = `step \`${name}\` has something behind its function; accepted: step.run(name, options, fn)`;
    throw new ArgumentError(text, { stepId: name });
  }
  // Whether they are what they are to be is checked where they are used.
  const fn = (isBare ? first : second) as StepFunction;
  const options = isBare ? undefined : (first as RunOptions);
  try {
    return await native.run(name, fn, optionsOf(options, takes));
  } catch (error) {
    throw suspended(error);
  }
}

function optionsOf(options: RunOptions | undefined, takes: TakesBack): RunOptions {
  const given = oneAttempt(options);
  if (typeof given !== "object" || given === null) return given;
  const { timeout, totalTimeout, retry, atMostOnce } = given;
  // §13.7: the time of a step is that of all its attempts, unless both are said. What starts at most once has one.
  const isWhole = totalTimeout === undefined && atMostOnce === undefined;
  const written = {
    ...given,
    timeout: isWhole ? undefined : timeout,
    totalTimeout: isWhole ? timeout : totalTimeout,
    retry: typeof retry === "object" && retry !== null ? constant(retry) : retry,
  };
  // A member that is undefined is none for the native call, which checks the others, too.
  return takenBack(written as RunOptions, takes);
}

/** §13.5: pauses are of one length, unless the code says how they change. */
function constant(retry: RetryOptions): RetryOptions {
  return { ...retry, factor: retry.factor ?? 1, jitter: retry.jitter ?? false };
}

/** §13.8: steps are taken back only where the workflow is told of its failure. */
function takenBack<O>(options: O, takes: TakesBack): O {
  if (takes === "takesBack" || typeof options !== "object" || options === null) return options;
  const { compensate, compensateUnknown, ...rest } = options as Readonly<Record<string, unknown>>;
  // What is wrong with a function that is alone is told by the native call.
  return (compensate === undefined ? options : rest) as O;
}
