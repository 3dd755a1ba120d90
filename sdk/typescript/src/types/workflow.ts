import type { Ctx, StepContext } from "./context.js";
import type { Duration } from "./duration.js";
import type { Trigger } from "./event.js";
import type { Jsonify } from "./json.js";
import type { WorkflowRef } from "./reference.js";
import type { RetryOptions } from "./retry.js";
import type { InputOf, OutputOf, StandardSchema } from "./schema.js";
import type { Step } from "./step.js";
import type { NamedWaits, WithWaits } from "./wait.js";

/** An error as it was recorded: its name is one of §6.7, or that of its class. */
export interface RecordedError {
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
  readonly cause?: RecordedError;
}

/** How a run ends that does not complete. */
export type BadEnd = "failed" | "cancelled" | "timed_out";

/** A step that completed. */
export interface CompletedStep {
  readonly id: string;
  readonly kind: string;
  readonly output: unknown;
  readonly completedAt: Date;
}

/** How a run ends badly, as `onFailure` is told (§7.4). */
export interface RunFailure {
  readonly error: RecordedError;
  /** In the order in which they completed. */
  readonly completedSteps: readonly CompletedStep[];
  /** The ids of steps that may have been done, and are not taken back (§7.2). */
  readonly uncertainSteps: readonly string[];
  readonly run: {
    readonly id: string;
    readonly app: string;
    readonly workflow: string;
    readonly status: BadEnd;
  };
}

/** What starts of a workflow give: what its schema takes, or anything. */
export type StartInput<I extends StandardSchema | undefined> = I extends StandardSchema
  ? InputOf<I>
  : unknown;

/** What the handler gets: what its schema makes of the input, or anything. */
export type HandlerInput<I extends StandardSchema | undefined> = I extends StandardSchema
  ? OutputOf<I>
  : unknown;

/** What a run gives: what its schema makes of what the handler returned, as JSON. */
export type RunOutput<O extends StandardSchema | undefined, R> = Jsonify<
  O extends StandardSchema ? OutputOf<O> : R
>;

/** Options of a workflow. */
export interface WorkflowOptions<
  Name extends string = string,
  I extends StandardSchema | undefined = StandardSchema | undefined,
  O extends StandardSchema | undefined = StandardSchema | undefined,
  W extends NamedWaits = NamedWaits,
  Deps = unknown,
> {
  /** Unique in the app; 1 to 256 bytes. */
  readonly name: Name;
  /** The schema of the input (§9.1): checked by the client, the server and the runner. */
  readonly input?: I;
  /** The schema of the output. */
  readonly output?: O;
  /** The events that start a run of it (§8.1). */
  readonly triggers?: readonly Trigger[];
  /** How often the handler runs when it fails (§6.5). Default: once. */
  readonly retry?: RetryOptions | false;
  /** Most time for a run, from its accepted start (§7.1). Default: none. */
  readonly timeout?: Duration;
  /** Recorded by runs that begin (§9.9). */
  readonly version?: string;
  /** A changed order of steps blocks a run (§4.10). Default false: it is recorded and shown. */
  readonly strict?: boolean;
  /** A cancelled run is cleaned up as a failed one is (§7.3). Default false. */
  readonly compensateOnCancel?: boolean;
  /** Called in a step of its own after a run that ended badly was taken back (§7.4). */
  readonly onFailure?: (failure: RunFailure, step: StepContext<undefined, Deps>) => unknown;
  /** Waits that the handler uses by their names (§2.4). */
  readonly waits?: W;
}

/** What a handler is called with. */
export interface HandlerArgs<
  In = unknown,
  Deps = unknown,
  W extends NamedWaits = Record<never, never>,
  Start = unknown,
> {
  readonly input: In;
  readonly step: StepHandle<Deps, W>;
  readonly ctx: Ctx<Deps, Start>;
}

/** The steps of a run, with the waits that its workflow declares. */
export type StepHandle<Deps = unknown, W extends NamedWaits = Record<never, never>> = WithWaits<
  Step<Deps>,
  W
>;

/** A workflow: a name, options and a handler. Made by `workflow`. */
export interface Workflow<
  out Name extends string = string,
  out In = unknown,
  out Out = unknown,
  out Deps = unknown,
> extends WorkflowRef<Name, In, Out, Deps> {
  /** What it was made with; for the runner. */
  readonly definition: WorkflowDefinition;
}

/** A workflow without its types: what the runner calls. */
export interface WorkflowDefinition extends WorkflowOptions {
  readonly handler: (args: HandlerArgs<never, never, never, never>) => unknown;
}

/**
 * Makes workflows.
 *
 * @typeParam Deps - what the app gives to handlers
 * @typeParam Shared - waits that all of them have
 */
export interface WorkflowMaker<Deps = unknown, Shared extends NamedWaits = Record<never, never>> {
  /** Makes a workflow. Throws `ArgumentError` for options that are not accepted. */
  <
    const Name extends string,
    R,
    I extends StandardSchema | undefined = undefined,
    O extends StandardSchema | undefined = undefined,
    const W extends NamedWaits<HandlerInput<I>> = Record<never, never>,
  >(
    options: WorkflowOptions<Name, I, O, W & NamedWaits<HandlerInput<I>>, Deps>,
    handler: (
      args: HandlerArgs<HandlerInput<I>, Deps, Shared & W, StartInput<I>>,
    ) => HandlerResult<O, R>,
  ): Workflow<Name, StartInput<I>, RunOutput<O, R>, Deps>;
  /** Returns a maker whose handlers know what their app gives them as `ctx.deps`. */
  withDeps<D>(): WorkflowMaker<D, Shared>;
  /** Returns a maker whose handlers share waits (§2.4). */
  withWaits<const S extends NamedWaits>(waits: S): WorkflowMaker<Deps, Shared & S>;
}

/** What a handler may return: what its output schema takes, or anything. */
export type HandlerResult<O extends StandardSchema | undefined, R> = O extends StandardSchema
  ? InputOf<O> | PromiseLike<InputOf<O>>
  : R | PromiseLike<R>;
