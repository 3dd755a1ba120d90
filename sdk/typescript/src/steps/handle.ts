/** The handle on which code calls steps. */

import { ArgumentError } from "../errors.js";
import type { Duration } from "../types/duration.js";
import type { RunOptions } from "../types/run-options.js";
import type { EmitOptions } from "../types/step.js";
import type { NamedWaitOptions, WaitOptions } from "../types/wait.js";
import type { StepFunction } from "./call.js";
import { emit, type InvokeCall, invoke, skip, sleep, sleepUntil } from "./plain.js";
import { race } from "./race.js";
import { run } from "./run.js";
import { promised, type Scope } from "./scope.js";
import { namedWait, waitForEvent } from "./wait.js";

/** What the public `Step` is made of; the types of its results are those of the saved JSON. */
export class Handle {
  readonly #scope: Scope;

  constructor(scope: Scope) {
    this.#scope = scope;
  }

  run(id: string, ...rest: unknown[]): Promise<unknown> {
    // `(id, fn, options?)`, or `(id, input, fn, options?)`.
    const [first, second] = rest;
    const hasInput = typeof second === "function";
    const fn = hasInput ? second : first;
    const options = hasInput ? rest[2] : second;
    const call = {
      id,
      hasInput,
      input: hasInput ? first : undefined,
      // Whether it is one is checked where it is used.
      fn: fn as StepFunction,
      options: options as RunOptions | undefined,
    };
    return promised((own) => run(this.#scope, own, call));
  }

  sleep(id: string, duration: Duration): Promise<unknown> {
    return promised((own) => sleep(this.#scope, own, id, duration));
  }

  sleepUntil(id: string, at: Date | string | number): Promise<unknown> {
    return promised((own) => sleepUntil(this.#scope, own, id, at));
  }

  waitForEvent(id: string, options: WaitOptions): Promise<unknown> {
    return promised((own) => waitForEvent(this.#scope, own, id, options));
  }

  invoke(id: string, options: InvokeCall): Promise<unknown> {
    return promised((own) => invoke(this.#scope, own, id, options));
  }

  emit(id: string, options: EmitOptions): Promise<unknown> {
    return promised((own) => emit(this.#scope, own, id, options));
  }

  race(
    id: string,
    branches: Readonly<Record<string, (step: unknown) => unknown>>,
  ): Promise<unknown> {
    return promised((own) => race(this.#scope, own, id, branches, makeHandle));
  }

  skip(id: string, options?: { readonly reason?: string }): Promise<unknown> {
    return promised((own) => skip(this.#scope, own, id, options));
  }
}

/**
 * Makes the handle of code, with the waits that its workflow declares as methods.
 *
 * @throws ArgumentError where a wait has the name of a step's method
 */
export function makeHandle(scope: Scope): Handle {
  const handle = new Handle(scope);
  for (const name of Object.keys(scope.waits)) {
    if (name in handle) {
      throw new ArgumentError(`a wait cannot be called \`${name}\`: every handle has a method so`);
    }
    const value = (options?: NamedWaitOptions): Promise<unknown> =>
      promised((own) => namedWait(scope, own, name, options));
    Object.defineProperty(handle, name, { value, enumerable: true });
  }
  return handle;
}
