/** What the machine needs from whoever drives it. */

import type { StepContext } from "../types/context.js";
import type { LogLine } from "../types/log.js";
import type { Core } from "./core.js";
import type { Attempt, Step } from "./state.js";

/** What the node said about how it works. */
export interface Terms {
  readonly lingerMs: number;
  readonly graceMs: number;
  readonly payloadBytesMax: number;
  readonly stepsMax: number;
  readonly branchesMax: number;
}

/** Sees functions begin and end, and may stand in for them: for tests. */
export interface Watch {
  /** Returns what is called in place of a step's function; `"never"` where nothing is. */
  begins(core: Core, step: Step, attempt: Attempt): Call | "never" | undefined;
  /** A function has ended; nobody was told. */
  ended(core: Core, step: Step, attempt: Attempt): void;
}

/** A function of a step. */
export type Call = (step: StepContext<unknown>) => unknown;

/** Drives runs: tells the time, carries messages, calls back. */
export interface Host {
  /** Sees functions begin and end. */
  readonly watch: Watch | undefined;
  /** Returns the time of a monotonic clock, in milliseconds. */
  now(): number;
  /** Returns the time in milliseconds since 1970, as code in this process sees it. */
  date(): number;
  /**
   * Tells whether a function of the run may start (§4.7). Where none may, the run's
   * `onGrant` is called once one may.
   */
  mayStart(core: Core, now: number): boolean;
  /** Writes a message to the connection `generation`; without effect where it is gone. */
  write(generation: number, message: string): void;
  /** Calls the run's `onTime` for the step, or for the run, once `at` has come. */
  setTimer(at: number, core: Core, step: Step | undefined): void;
  /** Has the run looked at once its code waits again. */
  mark(core: Core): void;
  /** The process gave the run back. */
  forget(core: Core): void;
  /** Shows a line that code logged. */
  print(core: Core, step: Step | undefined, line: Omit<LogLine, "from">): void;
}
