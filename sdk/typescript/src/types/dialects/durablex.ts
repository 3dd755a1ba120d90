/** The words of Durablex (§13). */

import type { StepStatus } from "../../client/views.js";
import type { Ctx, StepContext } from "../context.js";
import type { DataField, EventRef } from "../event.js";
import type { Json, Jsonify } from "../json.js";
import type { KnownName, WorkflowInput, WorkflowOutput, WorkflowRef } from "../reference.js";
import type { RunOptions } from "../run-options.js";
import type { StandardSchema } from "../schema.js";
import type { InvokeSettings } from "../step.js";
import type { NamedWaits, WithWaits } from "../wait.js";
import type {
  HandlerInput,
  HandlerResult,
  RunOutput,
  StartInput,
  Workflow,
  WorkflowOptions,
} from "../workflow.js";
import type { DialectStep, Untold, UntoldWaits } from "./common.js";

/** The member `data` of a child's start: needed where the workflow takes an input. */
export type ChildData<W extends WorkflowRef> =
  undefined extends WorkflowInput<W>
    ? { readonly data?: WorkflowInput<W> }
    : { readonly data: WorkflowInput<W> };

/** Options of `step.emit`. */
export type DurablexEmitOptions<E extends EventRef = EventRef> = {
  /** The event. */
  readonly name: E;
  /** Only for this app. Default: all. */
  readonly app?: string;
  /** What waits are held against in place of the data (§8.2). */
  readonly match?: Json;
  /** Only for the waits of this run; it starts nothing. */
  readonly run?: string;
} & DataField<E>;

/** The steps of a workflow: its own, and those of §2 that it has no word for. */
export interface DurablexStep<Deps = unknown> extends DialectStep<Deps>, UntoldWaits {
  /**
   * Calls a function and saves its result as JSON (§2). It has one attempt unless `retry` says more (§13.5).
   *
   * @throws `StepError` after the last attempt, `StepTimeoutError` where that timed out (§6.3, §6.4).
   */
  run<T>(
    id: string,
    fn: (info: StepContext<undefined, Deps>) => T | PromiseLike<T>,
    options?: RunOptions<NoInfer<T>, Jsonify<NoInfer<T>>, Deps>,
  ): Promise<Jsonify<T>>;
  /** Does the same with an input, which is recorded and is the first that the function is given. */
  run<I, T>(
    id: string,
    input: I,
    fn: (input: Jsonify<I>, info: StepContext<Jsonify<I>, Deps>) => T | PromiseLike<T>,
    options?: RunOptions<NoInfer<T>, Jsonify<NoInfer<T>>, Deps>,
  ): Promise<Jsonify<T>>;

  /**
   * Runs another workflow as a child and gives what it returned (§9.2). Its name is its value, or a reference made
   * with `ref`.
   *
   * @throws `ChildFailedError`, `ChildCancelledError`, `ChildTimeoutError` (§9.3).
   */
  runWorkflow<W extends WorkflowRef>(
    id: string,
    options: { readonly name: W } & ChildData<NoInfer<W>> &
      InvokeSettings<WorkflowOutput<NoInfer<W>>, Deps>,
  ): Promise<WorkflowOutput<W>>;
  /** Does the same by name, where the type is told: `step.runWorkflow<typeof fraud>("check", {…})`. */
  runWorkflow<W extends WorkflowRef = never>(
    id: string,
    options: { readonly name: KnownName<W> } & ChildData<W> &
      InvokeSettings<WorkflowOutput<W>, Deps>,
  ): Promise<WorkflowOutput<W>>;
  /** Does the same by name, where no type is told. */
  runWorkflow(
    id: string,
    options: { readonly name: string; readonly data?: unknown } & InvokeSettings<Untold, Deps>,
  ): Promise<Untold>;

  /** Sends an event, exactly once (§4.6). */
  emit<E extends EventRef>(id: string, options: DurablexEmitOptions<E>): Promise<void>;
}

/** What began a run: its data is the run's input. */
export interface DurablexEvent<Data = unknown> {
  /** The event that started the run; else the run's workflow. */
  readonly name: string;
  readonly data: Data;
  /** The id of the event that started the run; absent where none did. */
  readonly id?: string;
}

/** What a handler is called with: the context of §2.3, with the steps and the event. */
export interface DurablexContext<
  In = unknown,
  Deps = unknown,
  W extends NamedWaits = Record<never, never>,
  Start = unknown,
> extends Omit<Ctx<Deps, Start>, "event"> {
  readonly event: DurablexEvent<In>;
  readonly step: WithWaits<DurablexStep<Deps>, W>;
}

/** Makes workflows. */
export interface DurablexMaker<Deps = unknown> {
  /** Makes a workflow. Throws `ArgumentError` for options that are not accepted. */
  <
    const Name extends string,
    R,
    I extends StandardSchema | undefined = undefined,
    O extends StandardSchema | undefined = undefined,
    const W extends NamedWaits<HandlerInput<I>> = Record<never, never>,
  >(
    options: WorkflowOptions<Name, I, O, W & NamedWaits<HandlerInput<I>>, Deps>,
    handler: (ctx: DurablexContext<HandlerInput<I>, Deps, W, StartInput<I>>) => HandlerResult<O, R>,
  ): Workflow<Name, StartInput<I>, RunOutput<O, R>, Deps>;
  /** Returns a maker whose handlers know what their app gives them as `ctx.deps`. */
  withDeps<D>(): DurablexMaker<D>;
}

/** Where a step stands, in the words of Durablex: the native ones (§3.1, §13.2). */
export type DurablexStepStatus = StepStatus;
