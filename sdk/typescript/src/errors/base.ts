/** What all errors of the package have in common. */

import { isMarked, mark } from "./mark.js";
import { pageOf } from "./pages.js";

/** Where an error happened, and what is behind it. */
export interface ErrorPlace {
  /** The step that it is about. */
  readonly stepId?: string | undefined;
  /** The run in which it happened. */
  readonly runId?: string | undefined;
  /** The error behind it. */
  readonly cause?: unknown;
  /** The stack to show, such as that of the line that asked for the step. Default: where it was made. */
  readonly stack?: string | undefined;
}

/**
 * What all errors of this package are. Tell them apart with the `is` of their class:
 *
 * ```ts
 * try {
 *   await step.run("charge", charge);
 * } catch (error) {
 *   if (!StepError.is(error)) throw error;
 *   await step.run("tell", () => mail(`${error.stepId}: ${error.message}`));
 * }
 * ```
 */
export class StepwellError extends Error {
  /** The step that it is about. */
  readonly stepId?: string;
  /** The run in which it happened. */
  readonly runId?: string;
  /** The page and place in the project's documents that explain it. */
  readonly docs: string;

  constructor(
    names: readonly [string, ...string[]],
    message: string,
    place: ErrorPlace = {},
    docs: string = pageOf(names[0]),
  ) {
    const limit = deepen();
    super(message, "cause" in place ? { cause: place.cause } : undefined);
    if (limit !== undefined) Error.stackTraceLimit = limit;
    mark(this, [...names, "StepwellError"]);
    Object.defineProperty(this, "name", { value: names[0], enumerable: false, configurable: true });
    if (place.stepId !== undefined) this.stepId = place.stepId;
    if (place.runId !== undefined) this.runId = place.runId;
    this.docs = docs;
    const stack = place.stack ?? this.stack ?? "";
    this.stack = `${names[0]}: ${message}\n${frames(stack)}`;
  }

  /** Tells whether a value is an error of this package, whichever copy of it made it. */
  static is(error: unknown): error is StepwellError {
    return isMarked(error, "StepwellError");
  }
}

/** The folder of the package's code. */
const OWN: string = new URL("..", import.meta.url).pathname;

/** Lines of a stack that are no code of anybody's. */
const NATIVE: RegExp = /\((?:<anonymous>|node:internal\/.*)\)$/;

/** Lines of a stack that may be the package's own, above the one that asked for a step. */
const OWN_LINES_MAX = 16;

/** Has stacks be taken so deep that the user's code is among them; returns how deep they were. */
function deepen(): number | undefined {
  const limit: unknown = Error.stackTraceLimit;
  if (typeof limit !== "number" || limit <= 0 || Object.isFrozen(Error)) return undefined;
  Error.stackTraceLimit = limit + OWN_LINES_MAX;
  return limit;
}

/** Returns the lines of a stack below its message, from the user's code on. */
function frames(stack: string): string {
  const at = stack.search(/^\s+at /m);
  if (at < 0) return stack;
  const lines = stack.slice(at).split("\n");
  const first = lines.findIndex((line) => !line.includes(OWN) && !NATIVE.test(line));
  const limit: unknown = Error.stackTraceLimit;
  const shown = first < 0 ? lines : lines.slice(first);
  return (typeof limit === "number" ? shown.slice(0, Math.max(limit, 1)) : shown).join("\n");
}

/** An argument is not accepted; the message says what is. */
export class ArgumentError extends StepwellError {
  constructor(message: string, place?: ErrorPlace) {
    super(["ArgumentError"], message, place);
  }

  static override is(error: unknown): error is ArgumentError {
    return isMarked(error, "ArgumentError");
  }
}
