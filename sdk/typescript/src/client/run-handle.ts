/** A run that was started, or is known by its id. */

import { now } from "../clock.js";
import { durationMillis, durationText } from "../duration.js";
import {
  RunCancelledError,
  RunFailedError,
  RunNotEndedError,
  RunTimedOutError,
} from "../errors/client.js";
import { type Failure, reviveError } from "../errors/failure.js";
import { encode } from "../json.js";
import { checkMembers } from "../name.js";
import type { Duration } from "../types/duration.js";
import type { Http } from "./http.js";
import type { RunStatus, RunView, WhyView } from "./views.js";

/** How long one request waits for a run's end. */
export const WAIT_MS = 30_000;

/** What every request can be given. */
export interface RequestOptions {
  /** Ends the request; what the server does goes on. */
  readonly signal?: AbortSignal;
}

/** Options of {@link RunHandle.wait}. */
export interface WaitEndOptions extends RequestOptions {
  /** Most time to wait. Default: however long it takes. */
  readonly timeout?: Duration;
}

/** Who does something to a run, and why: both stand in the run's history (§9.5). */
export interface ActOptions extends RequestOptions {
  readonly by?: string;
  readonly reason?: string;
}

/** How a step ended whose outcome nobody knows (§4.5). */
export type Resolution =
  | { readonly outcome: "completed"; readonly output?: unknown }
  | {
      readonly outcome: "failed";
      readonly error: { readonly name?: string; readonly message: string };
    }
  | { readonly outcome: "notDone" };

/** Options of {@link RunHandle.rerun}. */
export interface RerunOptions<In = unknown> extends ActOptions {
  /** Default: the input of the run. */
  readonly input?: In;
}

/** Options of {@link RunHandle.fork}. */
export interface ForkOptions<In = unknown> extends RerunOptions<In> {
  /** The step to go on from. Default: the last one that failed. */
  readonly step?: string;
  /** Other results of earlier steps, by their ids. */
  readonly outputs?: Readonly<Record<string, unknown>>;
}

/** What a client reads of an output: no value comes as null. */
export type Received<Out> = unknown extends Out
  ? Out
  : undefined extends Out
    ? NoVoid<Out> | null
    : Out;

// biome-ignore lint/suspicious/noConfusingVoidType: a handler may return nothing
type NoVoid<Out> = Exclude<Out, undefined | void>;

/** How a run ended, as the server tells it. */
export interface Ended {
  readonly id: string;
  readonly status: RunStatus;
  readonly output?: unknown;
  readonly error?: Failure | null;
}

const ENDED: readonly string[] = ["completed", "failed", "cancelled", "timed_out"];

/**
 * A run on a server.
 *
 * @typeParam Out - what the run gives
 * @typeParam In - what a start of its workflow takes
 */
export class RunHandle<Out = unknown, In = unknown> {
  /** The run's id. */
  readonly id: string;
  /** True where the start made the run; false where its key was used before, or it is known by its id. */
  readonly created: boolean;
  readonly #http: Http;
  /** The end, where the start's answer told it. */
  readonly #ended: Ended | undefined;

  /** @internal */
  constructor(http: Http, id: string, created: boolean, ended?: unknown) {
    this.#http = http;
    this.id = id;
    this.created = created;
    this.#ended = ended as Ended | undefined;
  }

  /**
   * Waits for the run's end and gives its output. Of a chain of runs (§2.3) it is the last one's.
   *
   * @throws `RunFailedError`, `RunCancelledError` or `RunTimedOutError` as the run ended, with the error
   * behind it as `cause`; `RunNotEndedError` after `timeout`: the run goes on; `ConnectionError` and
   * `RefusedError`.
   */
  async wait(options: WaitEndOptions = {}): Promise<Received<Out>> {
    checkMembers("run.wait", options, ["timeout", "signal"]);
    const { timeout, signal } = options;
    const limit = timeout === undefined ? Number.POSITIVE_INFINITY : durationMillis(timeout);
    const begin = now();
    let ended = this.#ended;
    while (ended === undefined) {
      const left = Math.max(0, limit - (now() - begin));
      ended = await this.#look(Math.ceil(Math.min(left, WAIT_MS)), signal);
      if (ended === undefined && now() - begin >= limit) {
        const text = `run ${this.id} has not ended within ${durationText(limit)}; it goes on`;
        throw new RunNotEndedError(text, { runId: this.id });
      }
    }
    // The types of a client are told to it, and checked by the runner.
    return outputOf(ended) as Received<Out>;
  }

  async #look(waitMs: number, signal: AbortSignal | undefined): Promise<Ended | undefined> {
    const answer = await this.#get<Ended>(`/result?wait=${waitMs}ms`, signal);
    return ENDED.includes(answer.status) ? answer : undefined;
  }

  /** Returns where the run stands. */
  async status(options: RequestOptions = {}): Promise<RunStatus> {
    return (await this.#get<Ended>("/result", options.signal)).status;
  }

  /** Returns the run with its steps, attempts and logs. */
  async show(options: RequestOptions = {}): Promise<RunView> {
    return await this.#get<RunView>("", options.signal);
  }

  /** Says why the run is not moving (§9.7). */
  async why(options: RequestOptions = {}): Promise<WhyView> {
    return await this.#get<WhyView>("/why", options.signal);
  }

  /** Cancels the run (§7.2); gives its status then. A run that had ended stays as it is. */
  async cancel(options: ActOptions = {}): Promise<RunStatus> {
    return await this.#act("cancel", options);
  }

  /** Ends the run at once; nothing that is in flight is awaited or taken back (§7.6). */
  async terminate(options: ActOptions = {}): Promise<RunStatus> {
    return await this.#act("terminate", options);
  }

  /** Holds the run back: no function of it begins until it is resumed (§9.6). */
  async pause(options: ActOptions = {}): Promise<RunStatus> {
    return await this.#act("pause", options);
  }

  /** Lets a paused run go on (§9.6). */
  async resume(options: ActOptions = {}): Promise<RunStatus> {
    return await this.#act("resume", options);
  }

  /** Ends the backoffs of its steps now, and tries it again where it is blocked (§9.5). */
  async retry(options: ActOptions = {}): Promise<RunStatus> {
    return await this.#act("retry", options);
  }

  /** Says how a step ended whose unknown outcome blocks the run (§4.5). */
  async resolve(
    step: string,
    resolution: Resolution,
    options: ActOptions = {},
  ): Promise<RunStatus> {
    const where = `run.resolve of step \`${step}\``;
    checkMembers(where, resolution, ["outcome", "output", "error"]);
    checkMembers(where, options, ["by", "reason", "signal"]);
    const { signal, ...act } = options;
    if ("output" in resolution) encode(`${where}: the output`, resolution.output);
    const said =
      resolution.outcome === "failed"
        ? { ...resolution, error: { name: "Error", ...resolution.error } }
        : resolution;
    return (await this.#post<Ended>("/resolve", { step, ...said, ...act }, false, signal)).status;
  }

  /** Starts a run of the same workflow with the same input, or another one (§9.5). */
  async rerun(options: RerunOptions<In> = {}): Promise<RunHandle<Out, In>> {
    return await this.#remake("rerun", ["input", "by", "reason", "signal"], options);
  }

  /**
   * Starts a run that goes on from a step of this one, with the results that its code had been given by
   * then (§9.8). This run is ended where it has not. It is how a run that has ended is tried again (§6.6).
   */
  async fork(options: ForkOptions<In> = {}): Promise<RunHandle<Out, In>> {
    const members = ["step", "input", "outputs", "by", "reason", "signal"];
    return await this.#remake("fork", members, options);
  }

  async #remake(
    act: string,
    members: readonly string[],
    options: ForkOptions<In>,
  ): Promise<RunHandle<Out, In>> {
    checkMembers(`run.${act}`, options, members);
    const { signal, ...body } = options;
    encode(`run.${act}: the input`, body.input);
    encode(`run.${act}: the outputs`, body.outputs, { around: 1 });
    const made = await this.#post<{ id: string }>(`/${act}`, body, false, signal);
    return new RunHandle(this.#http, made.id, true);
  }

  async #act(act: string, options: ActOptions): Promise<RunStatus> {
    checkMembers(`run.${act}`, options, ["by", "reason", "signal"]);
    const { signal, ...body } = options;
    // Done twice, each of these is as if done once.
    return (await this.#post<Ended>(`/${act}`, body, true, signal)).status;
  }

  async #get<T>(path: string, signal: AbortSignal | undefined): Promise<T> {
    const request = { method: "GET", path: this.#path(path), repeatable: true, signal } as const;
    // The shape of answers is the server's; `docs/api.md` describes it.
    return (await this.#http.send(request)).body as T;
  }

  async #post<T>(
    path: string,
    body: object,
    repeatable: boolean,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    const text = JSON.stringify(body);
    const request = {
      method: "POST",
      path: this.#path(path),
      body: text,
      repeatable,
      signal,
    } as const;
    return (await this.#http.send(request)).body as T;
  }

  #path(below: string): string {
    return `/api/v1/runs/${encodeURIComponent(this.id)}${below}`;
  }
}

/** Returns what a run gave, or throws how it ended. */
export function outputOf({ id, status, output, error }: Ended): unknown {
  if (status === "completed") return output ?? null;
  const why = error ? `: ${error.name}: ${error.message}` : "";
  const place = { runId: id, ...(error && { cause: reviveError(error) }) };
  if (status === "cancelled") throw new RunCancelledError(`run ${id} was cancelled${why}`, place);
  if (status === "timed_out") throw new RunTimedOutError(`run ${id} ran out of time${why}`, place);
  throw new RunFailedError(`run ${id} failed${why}`, place);
}
