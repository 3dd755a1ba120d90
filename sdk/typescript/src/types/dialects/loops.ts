/** The words of Loops (§13). */

import type { Ctx, StepContext } from "../context.js";
import type { EventData, EventRef, EventType } from "../event.js";
import type { Json, Jsonify } from "../json.js";
import type { RunOptions } from "../run-options.js";
import type { OutputOf, StandardSchema } from "../schema.js";
import type { Step } from "../step.js";
import type { MatchArgs, NamedWaitOptions, NamedWaits, Since, WithWaits } from "../wait.js";
import type {
  HandlerInput,
  HandlerResult,
  RecordedError,
  RunOutput,
  StartInput,
  Workflow,
  WorkflowOptions,
} from "../workflow.js";
import type { DialectStep, Untold } from "./common.js";

/** The scan that a loop waits for with `step.waitForScan`. */
export interface ScanOptions<in In = never> {
  /** The event that is the scan. Default `"scan"`. */
  readonly event?: EventRef;
  /**
   * What the event has to contain (§8.2), or a pure function that makes it from the run's input and id. Default:
   * every event of the name will do, so send it to the run: `client.send("scan", data, { run })`.
   */
  readonly match?: Json | ((args: MatchArgs<In>) => Json);
  /** Reads the data. Default: the schema of the event's type. */
  readonly schema?: StandardSchema;
  /** From when on scans count (§8.4). Default `"runStart"`. */
  readonly since?: Since;
}

/** The type of a scan: that of its schema or event, where one is told. */
export type ScanOf<S> = S extends { readonly schema: infer X extends StandardSchema }
  ? OutputOf<X>
  : S extends { readonly event: infer E extends EventType }
    ? EventData<E>
    : Untold;

/**
 * The steps of a loop: its own, and those of §2 that it has no word for.
 *
 * @typeParam Scan - what `waitForScan` gives
 */
export interface LoopStepHandle<Deps = unknown, Scan = Untold>
  extends DialectStep<Deps>,
    Pick<Step<Deps>, "waitForEvent" | "invoke" | "emit"> {
  /**
   * Calls a function and saves its result as JSON, as `step.run` of §2 does. It has one attempt unless `retry` says
   * more (§13.5).
   *
   * @throws `StepError` after the last attempt, `StepTimeoutError` where that timed out (§6.3, §6.4).
   */
  do<T>(
    name: string,
    fn: (step: StepContext<undefined, Deps>) => T | PromiseLike<T>,
    options?: RunOptions<NoInfer<T>, Jsonify<NoInfer<T>>, Deps>,
  ): Promise<Jsonify<T>>;
  /**
   * Waits for the loop's scan and gives its data (§2.4).
   *
   * @throws `WaitTimeoutError` where its time is over (§13.3).
   */
  waitForScan(options?: NamedWaitOptions): Promise<Scan>;
}

/** What a loop is called with. */
export interface LoopArgs<
  In = unknown,
  Deps = unknown,
  Scan = Untold,
  W extends NamedWaits = Record<never, never>,
  Start = unknown,
> {
  readonly input: In;
  readonly step: WithWaits<LoopStepHandle<Deps, Scan>, W>;
  readonly ctx: Ctx<Deps, Start>;
}

/** Makes loops. */
export interface LoopMaker<Deps = unknown> {
  /** Makes a loop. Throws `ArgumentError` for options that are not accepted. */
  <
    const Name extends string,
    R,
    I extends StandardSchema | undefined = undefined,
    O extends StandardSchema | undefined = undefined,
    const S extends ScanOptions<HandlerInput<I>> = Record<never, never>,
    const W extends NamedWaits<HandlerInput<I>> = Record<never, never>,
  >(
    options: WorkflowOptions<Name, I, O, W & NamedWaits<HandlerInput<I>>, Deps> & {
      /** The scan that `step.waitForScan` waits for. Default: an event `scan` for the run. */
      readonly scan?: S & ScanOptions<HandlerInput<I>>;
      /** The loop itself. */
      readonly run: (
        args: LoopArgs<HandlerInput<I>, Deps, ScanOf<S>, W, StartInput<I>>,
      ) => HandlerResult<O, R>;
    },
  ): Workflow<Name, StartInput<I>, RunOutput<O, R>, Deps>;
  /** Returns a maker whose loops know what their app gives them as `ctx.deps`. */
  withDeps<D>(): LoopMaker<D>;
}

/** Where a step stands, in the words of Loops (§13.2). */
export type LoopStepStatus = "pending" | "running" | "succeeded" | "failed";

/** A step as the timeline of Loops shows it. Instants are ISO 8601 texts. */
export interface LoopStep {
  /** What `step.do` was given; of a scan `waitForScan`. */
  readonly name: string;
  readonly status: LoopStepStatus;
  /** Null where it has not begun. */
  readonly startedAt: string | null;
  /** Null while it is in flight. */
  readonly completedAt: string | null;
  /** What it returned, or the scan; null where there is nothing. */
  readonly return: unknown;
  /** Only where it failed, and there is one. */
  readonly error?: RecordedError;
}
