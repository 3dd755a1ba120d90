/** The pages and places in the project's documents that explain errors. */

const STEPS = "docs/semantics.md#2-steps";
const DURABILITY = "docs/semantics.md#4-durability";
const ORDER = "docs/semantics.md#5-order-and-parallel-branches";
const RETRIES = "docs/semantics.md#6-errors-and-retries";
const ENDING = "docs/semantics.md#7-ending-badly";
const EVENTS = "docs/semantics.md#8-events";
const STARTING = "docs/semantics.md#9-starting-and-operating";
const OBSERVED = "docs/semantics.md#10-observed-runs";
const LIMITS = "docs/semantics.md#12-limits";

const PAGES: Readonly<Record<string, string>> = {
  StepError: RETRIES,
  StepTimeoutError: RETRIES,
  StepSuspendError: RETRIES,
  NonRetryableError: RETRIES,
  RetryAfterError: RETRIES,
  OutcomeUnknownError: DURABILITY,
  WaitTimeoutError: EVENTS,
  ChildFailedError: STARTING,
  ChildCancelledError: STARTING,
  ChildTimeoutError: STARTING,
  CancelledError: ENDING,
  RaceLostError: ORDER,
  DuplicateStepIdError: STEPS,
  NestedStepError: STEPS,
  NondeterminismError: DURABILITY,
  SerializationError: STEPS,
  InputError: STARTING,
  LimitError: LIMITS,
  ArgumentError: STEPS,
  ConnectionError: "docs/errors/README.md",
  RunFailedError: ENDING,
  RunCancelledError: ENDING,
  RunTimedOutError: ENDING,
  RunNotEndedError: STARTING,
  TelemetrySendError: OBSERVED,
};

/** Returns the page of errors of a name. */
export function pageOf(name: string): string {
  return PAGES[name] ?? "docs/semantics.md";
}
