import type { LogBridge } from "./log.js";
import type { WorkflowDeps, WorkflowRef } from "./reference.js";
import type { NamedWaits } from "./wait.js";
import type { Workflow } from "./workflow.js";

/** Options of `app.serve`. */
export interface ServeOptions {
  /**
   * The server: `http://…` or `https://…`. Default: `STEPWELL_URL`, else `http://127.0.0.1:7878`. Several nodes are
   * a list, or have commas between: where one is lost, the runner takes its runs along to the next. Node trusts a
   * private authority whose certificate is in the file of `NODE_EXTRA_CA_CERTS`.
   */
  readonly url?: string | readonly string[];
  /** The runner's key, of role `worker`. Default: `STEPWELL_KEY`, else none. */
  readonly key?: string | undefined;
  /** The runner's name. Default: the app's. */
  readonly runner?: string;
  /** How many runs may have code in progress at once, 1 to 100,000. Default 1,000. */
  readonly slots?: number;
  /** What the process was built from: blocked runs are tried again by another build (§4.10). */
  readonly build?: string;
  /** Stops gracefully when it aborts, as {@link Runner.stop}. */
  readonly signal?: AbortSignal;
  /** Whether SIGINT and SIGTERM stop it gracefully. Default true. */
  readonly handleSignals?: boolean;
  /** Where lines are shown, beside where they are stored. Default: the console. */
  readonly log?: LogBridge | false;
}

/** A runner that serves an app. */
export interface Runner extends AsyncDisposable {
  readonly name: string;
  /** Random per process: what is fenced (§1). */
  readonly instance: string;
  /**
   * Resolves when it has stopped; rejects with why where the server does not take it, or not any more: a key
   * that was revoked is a `RefusedError` with code SW1010, once functions in progress have ended (at most 30 s).
   */
  readonly closed: Promise<void>;
  /** Takes no more runs, lets functions in progress end, gives runs back, and closes. */
  stop(options?: { readonly timeout?: import("./duration.js").Duration }): Promise<void>;
}

type Together<U> = (U extends unknown ? (one: U) => void : never) extends (all: infer A) => void
  ? A
  : never;

/** What an app has to give so that all of its workflows have what they use. */
export type DepsOf<Ws extends readonly WorkflowRef[]> =
  Together<{ [K in keyof Ws]: { deps: WorkflowDeps<Ws[K]> } }[number]> extends { deps: infer D }
    ? D
    : unknown;

/** Options of an app. */
export type AppOptions<Ws extends readonly Workflow[]> = {
  readonly workflows: Ws;
  /** Waits that all of its workflows have (§2.4). */
  readonly waits?: NamedWaits;
} & (unknown extends DepsOf<Ws> ? { readonly deps?: unknown } : { readonly deps: DepsOf<Ws> });

/**
 * Workflows that are deployed together under a name (§1); made by `app`.
 *
 * @typeParam Name - its name
 * @typeParam Ws - its workflows
 */
export interface App<
  out Name extends string = string,
  out Ws extends readonly Workflow[] = readonly Workflow[],
> {
  readonly kind: "app";
  readonly name: Name;
  readonly workflows: Ws;
  /** Waits that all of its workflows have. */
  readonly waits: NamedWaits;
  /** What handlers get as `ctx.deps`. */
  readonly deps: unknown;
  /**
   * Connects to a server and runs what it gives; resolves once the server has taken the runner. While the
   * server is away it goes on trying.
   *
   * @throws `RefusedError`, such as SW1010 for a key that is not known and SW1011 for one that is not a
   * worker's; `ConnectionError`.
   */
  serve(options?: ServeOptions): Promise<Runner>;
}

/** A workflow of an app by its name. */
export type WorkflowOf<A extends App, N extends string> = Extract<
  A["workflows"][number],
  { readonly name: N }
>;

/** The names of an app's workflows. */
export type WorkflowNames<A extends App> = A["workflows"][number]["name"];
