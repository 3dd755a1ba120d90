/** Calls the functions of steps. */

import { isTerminal, LimitError, RetryAfterError, toFailure } from "../errors.js";
import { encode } from "../json.js";
import { onFunctionEnd } from "../machine/attempt.js";
import { isOver } from "../machine/bytes.js";
import type { Core } from "../machine/core.js";
import { callInside } from "../machine/inside.js";
import { shown } from "../machine/refusals.js";
import type { Attempt, Callee, Outcome, Step } from "../machine/state.js";
import type { RunContext, StepContext } from "../types/context.js";
import type { Log } from "../types/log.js";
import { stepLog } from "./log.js";
import { idempotencyKey } from "./name.js";

/** A function of a step, as it is called. */
export type StepFunction = (step: StepContext<unknown>) => unknown;

/** What finds out how a lost start ended, as it is called (§4.5). */
export type VerifyFunction = (step: StepContext<unknown>) => unknown;

/** An attempt, as the function of its step sees it (§2.2). */
class CallContext implements StepContext<unknown> {
  readonly input: unknown;
  readonly attempt: number;
  readonly ctx: RunContext;
  readonly #core: Core;
  readonly #step: Step;
  readonly #attempt: Attempt;

  constructor(core: Core, step: Step, attempt: Attempt, ctx: RunContext, input: unknown) {
    this.#core = core;
    this.#step = step;
    this.#attempt = attempt;
    this.attempt = attempt.n;
    this.ctx = ctx;
    this.input = input;
  }

  get signal(): AbortSignal {
    return this.#attempt.signal;
  }

  get idempotencyKey(): string {
    // §9.8: a result that a fork kept was made under the key of the run that made it.
    return idempotencyKey(this.#step.keptFrom ?? this.#core.info.run, this.#step.id);
  }

  get log(): Log {
    return stepLog(this.#core, this.#step);
  }
}

/** The functions of a step, called by the machine. */
export class Calls implements Callee {
  readonly #core: Core;
  readonly #context: RunContext;
  readonly #fn: StepFunction;
  readonly #verify: VerifyFunction | undefined;
  /** Reads the input that is handed to the functions. */
  readonly #input: () => unknown;

  constructor(
    core: Core,
    context: RunContext,
    fn: StepFunction,
    input: () => unknown,
    verify?: VerifyFunction,
  ) {
    this.#core = core;
    this.#context = context;
    this.#fn = fn;
    this.#input = input;
    this.#verify = verify;
  }

  call(step: Step, attempt: Attempt): void {
    const core = this.#core;
    const { watch } = core.host;
    const instead = watch?.begins(core, step, attempt);
    if (instead === "never") return;
    const end = (outcome: Outcome): void => {
      watch?.ended(core, step, attempt);
      onFunctionEnd(core, step, attempt, outcome);
    };
    const fail = (error: unknown): void => end(failed(core, error));
    const done = (value: unknown): void => end(this.#outcome(step, attempt, value));
    let result: unknown;
    try {
      const context = new CallContext(core, step, attempt, this.#context, this.#input());
      const own = attempt.verifies ? (this.#verify ?? this.#fn) : this.#fn;
      const fn = instead ?? own;
      result = callInside({ core, step }, () => fn(context));
    } catch (error) {
      fail(error);
      return;
    }
    if (!isThenable(result)) {
      done(result);
      return;
    }
    try {
      result.then(done, fail);
    } catch (error) {
      fail(error);
    }
  }

  #outcome(step: Step, attempt: Attempt, value: unknown): Outcome {
    const what = `the result of step \`${shown(step.id)}\``;
    if (!attempt.verifies) return returned(this.#core, what, step.id, value);
    const outcome: unknown =
      typeof value === "object" && value !== null ? Reflect.get(value, "outcome") : undefined;
    if (outcome === "notDone" || outcome === "unknown") {
      return { kind: "verdict", verdict: outcome };
    }
    if (outcome === "done") {
      return returned(this.#core, what, step.id, Reflect.get(Object(value), "value"));
    }
    const text =
      `verify of step \`${shown(step.id)}\` gave no verdict; accepted: ` +
      '{outcome: "done", value}, {outcome: "notDone"} or {outcome: "unknown"}';
    return failed(this.#core, new TypeError(text));
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    (typeof value === "object" || typeof value === "function") &&
    value !== null &&
    typeof Reflect.get(value, "then") === "function"
  );
}

/** Returns the outcome of a function, or of a handler, that gave a value (§2.6, §12). */
export function returned(
  core: Core,
  what: string,
  id: string | undefined,
  value: unknown,
): Outcome {
  const place = { ...(id !== undefined && { stepId: shown(id) }), runId: core.info.run };
  try {
    const output = encode(what, value, place);
    const max = core.terms.payloadBytesMax;
    if (!isOver(output, max)) return { kind: "returned", output };
    const bytes = Buffer.byteLength(output ?? "");
    return failed(core, new LimitError(`${what} has ${bytes} bytes; the limit is ${max}`, place));
  } catch (error) {
    return failed(core, error);
  }
}

/** Returns the outcome of a function, or of a handler, that threw (§6.2). */
export function failed(core: Core, error: unknown): Outcome {
  const failure = toFailure(error);
  const isLast = isTerminal(error);
  if (!RetryAfterError.is(error)) return { kind: "failed", failure, terminal: isLast };
  // Whoever gave an instant took it from this process's clock, or from a header that is near to it.
  const retryInMs = error.pauseMs(core.date());
  return { kind: "failed", failure, terminal: isLast, retryInMs };
}
