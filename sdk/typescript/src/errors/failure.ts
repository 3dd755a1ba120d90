/** Errors on the wire: what is recorded of what was thrown, and the way back (§3.3, §6.7). */

import { cut } from "../text.js";
import type { RecordedError } from "../types/workflow.js";
import { isMarked, mark } from "./mark.js";
import { pageOf } from "./pages.js";
import { member, messageOf, nameOf, textOf } from "./thrown.js";

/** An error as it is recorded. */
export interface Failure extends RecordedError {
  readonly cause?: Failure;
  /** The child run that it is about. */
  readonly run?: string;
}

/** Longest chain that is recorded. */
const DEPTH_MAX = 8;
// An error with its whole chain stays below the room that a frame has beside a payload.
const MESSAGE_BYTES_MAX = 4 * 1024;
const STACK_BYTES_MAX = 8 * 1024;
const INNER_BYTES_MAX = 2 * 1024;

/** Errors that another attempt would meet again: none follows (§6.2, §6.5). */
const TERMINAL = [
  "NonRetryableError",
  "CancelledError",
  "RaceLostError",
  "DuplicateStepIdError",
  "NestedStepError",
  "NondeterminismError",
  "SerializationError",
  "InputError",
  "LimitError",
  "ArgumentError",
] as const;

/** Names that have a meaning on the wire (§6.7), and what errors of such a name also are. */
const KNOWN: ReadonlyMap<string, readonly string[]> = new Map([
  ...[
    "StepError",
    "RetryAfterError",
    "OutcomeUnknownError",
    "WaitTimeoutError",
    "ChildFailedError",
    "ChildCancelledError",
    "ChildTimeoutError",
    ...TERMINAL,
  ].map((name): [string, string[]] => [name, [name, "StepwellError"]]),
  ["StepTimeoutError", ["StepTimeoutError", "StepError", "StepwellError"]],
  // §13.7: what a dialect throws in its place.
  ["StepSuspendError", ["StepSuspendError", "StepTimeoutError", "StepError", "StepwellError"]],
]);

/** What a record does not hold of an error: what its members are then. */
const UNKNOWN: Readonly<Record<string, object>> = {
  StepError: { attempts: 0 },
  StepTimeoutError: { attempts: 0 },
  StepSuspendError: { attempts: 0 },
  OutcomeUnknownError: { attempts: 0 },
  NestedStepError: { outerStepId: "" },
  NondeterminismError: { expected: "", found: "" },
  SerializationError: { path: "", reason: "" },
  InputError: { issues: [] },
  RetryAfterError: { after: 0 },
};

/** Tells whether trying again after this error is of no use. */
export function isTerminal(error: unknown): boolean {
  return TERMINAL.some((name) => isMarked(error, name));
}

/** Takes down what was thrown, whatever it is, with what is behind it. */
export function toFailure(thrown: unknown): Failure {
  return failureOf(thrown, 0, new Set());
}

function failureOf(thrown: unknown, depth: number, seen: Set<unknown>): Failure {
  const bytesMax = depth === 0 ? MESSAGE_BYTES_MAX : INNER_BYTES_MAX;
  if (typeof thrown !== "object" || thrown === null) {
    return { name: "Error", message: cut(textOf(thrown), bytesMax) };
  }
  seen.add(thrown);
  const stack = member(thrown, "stack");
  const cause = member(thrown, "cause");
  const child = isMarked(thrown, "StepwellError") ? member(thrown, "childRunId") : undefined;
  return {
    name: cut(nameOf(thrown), 256),
    message: cut(messageOf(thrown) ?? textOf(thrown), bytesMax),
    ...(typeof stack === "string" && {
      stack: cut(stack, depth === 0 ? STACK_BYTES_MAX : INNER_BYTES_MAX),
    }),
    ...(cause !== undefined &&
      depth < DEPTH_MAX &&
      !seen.has(cause) && { cause: failureOf(cause, depth + 1, seen) }),
    ...(typeof child === "string" && { run: child }),
  };
}

/**
 * Makes an error of a failure that was recorded, as the cause of what the code is thrown. One with a
 * name of §6.7 is recognised by the `is` of its class, but has what the record holds only: name,
 * message, stack and cause; other members are 0 or empty.
 */
export function reviveError(failure: Failure): Error {
  const error = new Error(failure.message, failure.cause && { cause: reviveError(failure.cause) });
  const name = { value: failure.name, enumerable: false, configurable: true };
  Object.defineProperty(error, "name", name);
  // What this process would show as the place is where the error was read, which says nothing.
  error.stack = failure.stack ?? `${failure.name}: ${failure.message}`;
  const names = KNOWN.get(failure.name);
  if (names === undefined) return error;
  mark(error, names);
  const child = failure.run === undefined ? {} : { childRunId: failure.run };
  return Object.assign(error, { docs: pageOf(failure.name) }, UNKNOWN[failure.name], child);
}
