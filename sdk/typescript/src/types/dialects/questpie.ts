/** The words of QUESTPIE (§13). */

import type { Ctx, StepContext } from "../context.js";
import type { EventRef } from "../event.js";
import type { Jsonify } from "../json.js";
import type { InputField, KnownName, WorkflowOutput, WorkflowRef } from "../reference.js";
import type { RunOptions } from "../run-options.js";
import type { StandardSchema } from "../schema.js";
import type { EmitOptions, InvokeSettings } from "../step.js";
import type { NamedWaits, WithWaits } from "../wait.js";
import type {
  HandlerInput,
  HandlerResult,
  RecordedError,
  RunOutput,
  StartInput,
  Workflow,
  WorkflowOptions,
} from "../workflow.js";
import type { DialectStep, Untold, UntoldWaits } from "./common.js";

/** The steps of a workflow: its own, and those of §2 that it has no word for. */
export interface QuestpieStep<Deps = unknown> extends DialectStep<Deps>, UntoldWaits {
  /**
   * Calls a function and saves its result as JSON (§2). It has one attempt unless `retry` says more; the pauses
   * between attempts are of one length unless `retry` says how they change (§13.5).
   *
   * @throws `StepSuspendError` where its time is over (§13.7), `StepError` where it failed (§6.3).
   */
  run<T>(
    name: string,
    fn: (step: StepContext<undefined, Deps>) => T | PromiseLike<T>,
  ): Promise<Jsonify<T>>;
  /**
   * Does the same with options. `timeout` bounds the step with all of its attempts, or each attempt where
   * `totalTimeout` is given too (§13.7); `compensate` is called only where the workflow has `onFailure` (§13.8).
   */
  run<T>(
    name: string,
    options: RunOptions<NoInfer<T>, Jsonify<NoInfer<T>>, Deps>,
    fn: (step: StepContext<undefined, Deps>) => T | PromiseLike<T>,
  ): Promise<Jsonify<T>>;

  /**
   * Runs another workflow as a child and gives what it returned (§9.2). The workflow is its value, or a reference
   * made with `ref`.
   *
   * @throws `ChildFailedError`, `ChildCancelledError`, `ChildTimeoutError` (§9.3).
   */
  invoke<W extends WorkflowRef>(
    name: string,
    options: { readonly workflow: W } & InputField<NoInfer<W>> &
      InvokeSettings<WorkflowOutput<NoInfer<W>>, Deps>,
  ): Promise<WorkflowOutput<W>>;
  /** Does the same by name, where the type is told: `step.invoke<typeof pack>("pack", {…})`. */
  invoke<W extends WorkflowRef = never>(
    name: string,
    options: { readonly workflow: KnownName<W> } & InputField<W> &
      InvokeSettings<WorkflowOutput<W>, Deps>,
  ): Promise<WorkflowOutput<W>>;
  /** Does the same by name, where no type is told. */
  invoke(
    name: string,
    options: { readonly workflow: string; readonly input?: unknown } & InvokeSettings<Untold, Deps>,
  ): Promise<Untold>;

  /** Sends an event, exactly once (§4.6). */
  sendEvent<E extends EventRef>(name: string, options: EmitOptions<E>): Promise<void>;
}

/** What a handler is called with. */
export interface QuestpieArgs<
  In = unknown,
  Deps = unknown,
  W extends NamedWaits = Record<never, never>,
  Start = unknown,
> {
  readonly input: In;
  readonly step: WithWaits<QuestpieStep<Deps>, W>;
  readonly ctx: Ctx<Deps, Start>;
}

/** Makes workflows. */
export interface QuestpieMaker<Deps = unknown> {
  /** Makes a workflow. Throws `ArgumentError` for options that are not accepted. */
  <
    const Name extends string,
    R,
    I extends StandardSchema | undefined = undefined,
    O extends StandardSchema | undefined = undefined,
    const W extends NamedWaits<HandlerInput<I>> = Record<never, never>,
  >(
    options: Omit<WorkflowOptions<Name, I, O, W & NamedWaits<HandlerInput<I>>, Deps>, "input"> & {
      /** The schema of the input (§9.1): checked by the client, the server and the runner. */
      readonly schema?: I;
      /** The workflow itself. */
      readonly handler: (
        args: QuestpieArgs<HandlerInput<I>, Deps, W, StartInput<I>>,
      ) => HandlerResult<O, R>;
    },
  ): Workflow<Name, StartInput<I>, RunOutput<O, R>, Deps>;
  /** Returns a maker whose handlers know what their app gives them as `ctx.deps`. */
  withDeps<D>(): QuestpieMaker<D>;
}

/** Where a step stands, in the words of QUESTPIE (§13.2). */
export type QuestpieStepStatus =
  | "pending"
  | "running"
  | "completed"
  | "failed"
  | "sleeping"
  | "waiting";

/** A step as the records of QUESTPIE show it. Instants are ISO 8601 texts. */
export interface QuestpieStepRecord {
  readonly name: string;
  readonly status: QuestpieStepStatus;
  /** What it gave; null where there is nothing. */
  readonly result: unknown;
  /** Why it did not complete; null where it did, or goes on. */
  readonly error: RecordedError | null;
  /** Until when it is suspended, or when it is tried again; else when the code asked for it. */
  readonly scheduledAt: string;
  /** Null where it has not begun. */
  readonly startedAt: string | null;
  /** Null while it is in flight. */
  readonly completedAt: string | null;
  /** How many attempts of it there are. */
  readonly attempts: number;
}
