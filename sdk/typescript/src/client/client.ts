/** The client and what it can be asked. */

import { randomUUID } from "node:crypto";
import { durationMillis } from "../duration.js";
import { ArgumentError } from "../errors/base.js";
import { eventParts } from "../event.js";
import { encode, roundTrip } from "../json.js";
import { keyOf } from "../key.js";
import { checkMembers, checkName } from "../name.js";
import { check } from "../schema.js";
import { attributeProblem } from "../search.js";
import { serverUrls } from "../server-url.js";
import type { App, WorkflowNames, WorkflowOf } from "../types/app.js";
import type { SearchValue } from "../types/context.js";
import type { Duration } from "../types/duration.js";
import type { EventInput, EventRef } from "../types/event.js";
import type { Json } from "../types/json.js";
import type { WorkflowInput, WorkflowOutput, WorkflowRef } from "../types/reference.js";
import type { StandardSchema } from "../types/schema.js";
import { filterQuery, type RunFilter } from "./filter.js";
import { Http } from "./http.js";
import { type Received, type RequestOptions, RunHandle, WAIT_MS } from "./run-handle.js";
import type {
  EventPage,
  EventView,
  RunnerView,
  RunPage,
  RunSummary,
  Sent,
  WorkflowView,
} from "./views.js";

/** Options of {@link client}. */
export interface ClientOptions<A extends App = App> {
  /**
   * The server: `http://…` or `https://…`. Default: `STEPWELL_URL`, else `http://127.0.0.1:7878`. Several nodes are
   * a list, or have commas between: what may be sent again goes to the next one. Node trusts a private authority
   * whose certificate is in the file of `NODE_EXTRA_CA_CERTS`.
   */
  readonly url?: string | readonly string[];
  /** The key. Default: `STEPWELL_KEY`, else none. One that is refused is a `RefusedError` (SW1010, SW1011). */
  readonly key?: string | undefined;
  /** The app, or its name: starts are of its workflows only. With the app itself inputs are checked here too. */
  readonly app?: A | A["name"];
  /**
   * How long a request is tried again that may be: one that changes nothing if it is done twice, or
   * that the server cannot have seen. Default 10 s; 0 for not at all.
   */
  readonly retryFor?: Duration;
  /** Sends requests. Default: the global `fetch`. */
  readonly fetch?: typeof fetch;
}

/** Options of a start (§9.1). */
export interface StartOptions extends RequestOptions {
  /** The app. Default: the client's, else the only one that has the workflow. */
  readonly app?: string;
  /** The idempotency key: a repeat gives the first run (§4.8). */
  readonly key?: string;
  /** Begins after this time. In place of `at`. */
  readonly delay?: Duration;
  /** Begins at this instant, or at once where it has passed. In place of `delay`. */
  readonly at?: Date;
  /** Most time for the run, from its start (§7.1). Default: that of the workflow. */
  readonly timeout?: Duration;
  /** Search attributes, by which lists find the run (§9.4). */
  readonly search?: Readonly<Record<string, SearchValue>>;
  /** What the start says about itself; the run reads it as `ctx.metadata`. */
  readonly metadata?: Readonly<Record<string, Json>>;
  /** Pins the run to the runners of this name. */
  readonly runner?: string;
}

const START = ["app", "key", "delay", "at", "timeout", "search", "metadata", "runner", "signal"];

/** Options of an event (§8.1). */
export interface SendOptions extends RequestOptions {
  /** An event whose id was seen before does nothing more. Default: a new one. */
  readonly id?: string;
  /** What waits are held against in place of the data (§8.2). */
  readonly match?: Json;
  /** Only for this app; with `key`, whose run it is for. */
  readonly app?: string;
  /** Only for the waits of this run; it starts nothing. */
  readonly run?: string;
  /** The same for the run that this idempotency key started. */
  readonly key?: string;
  /** With `key`: the workflow of that run. */
  readonly workflow?: string;
}

const SEND = ["id", "match", "app", "run", "key", "workflow", "signal"];

/** Options of a list. */
export interface PageOptions extends RequestOptions {
  /** 1 to 500. Default 50. */
  readonly limit?: number;
  /** The `next` of the page before. */
  readonly cursor?: string;
}

/** A workflow as a start names it: by the name of one of the app, or by value or reference. */
export type Startable<A extends App> = WorkflowNames<A> | WorkflowRef;

/** The workflow that is meant. */
export type Started<A extends App, W> = W extends WorkflowRef
  ? W
  : W extends string
    ? string extends WorkflowNames<A>
      ? WorkflowRef
      : WorkflowOf<A, W>
    : never;

/** The arguments of a start behind the workflow: the input is needed where the workflow takes one. */
export type StartArgs<W extends WorkflowRef> =
  undefined extends WorkflowInput<W>
    ? [input?: WorkflowInput<W>, options?: StartOptions]
    : [input: WorkflowInput<W>, options?: StartOptions];

/** The arguments of an event behind its name: data is needed where its type wants some. */
export type SendArgs<E extends EventRef> =
  undefined extends EventInput<E>
    ? [data?: EventInput<E>, options?: SendOptions]
    : [data: EventInput<E>, options?: SendOptions];

/** Starts runs on a server and asks for them; made by {@link client}. */
export class Client<A extends App = App> {
  readonly #http: Http;
  readonly #app: A | string | undefined;

  /** @internal */
  constructor(options: ClientOptions<A>) {
    checkMembers("client", options, ["url", "key", "app", "retryFor", "fetch"]);
    this.#app = options.app;
    this.#http = new Http({
      urls: serverUrls(options.url),
      key: keyOf("client", options.key),
      retryForMs: durationMillis(options.retryFor ?? "10s"),
      fetch: options.fetch ?? ((...args) => fetch(...args)),
    });
  }

  /**
   * Starts a run of a workflow (§9.1). Resolves once the start is durable.
   *
   * @throws `InputError` where the input does not fit a schema that is known here; `RefusedError` such
   * as SW2002 for a workflow that no runner ever registered, SW2006 for an input that does not fit;
   * `ConnectionError`.
   */
  async start<const W extends Startable<A>>(
    workflow: W,
    ...[input, options]: StartArgs<Started<A, W>>
  ): Promise<RunHandle<WorkflowOutput<Started<A, W>>, WorkflowInput<Started<A, W>>>> {
    return await this.#start(workflow, input, options, "");
  }

  /** Starts a run, waits for its end and gives its output: one request where the run is quick. */
  async startAndWait<const W extends Startable<A>>(
    workflow: W,
    ...[input, options]: StartArgs<Started<A, W>>
  ): Promise<Received<WorkflowOutput<Started<A, W>>>> {
    const query = `?wait=${WAIT_MS}ms`;
    const run = await this.#start<WorkflowOutput<Started<A, W>>, unknown>(
      workflow,
      input,
      options,
      query,
    );
    return await run.wait(options?.signal === undefined ? {} : { signal: options.signal });
  }

  async #start<Out, In>(
    workflow: Startable<A>,
    input: unknown,
    options: StartOptions = {},
    query: string,
  ): Promise<RunHandle<Out, In>> {
    const name = typeof workflow === "string" ? workflow : workflow.name;
    checkName("a workflow's name", name);
    const where = `the start of \`${name}\``;
    checkMembers(where, options, START);
    const { signal, at, delay, timeout, ...rest } = options;
    if (at !== undefined && delay !== undefined) {
      throw new ArgumentError(`${where} has both \`at\` and \`delay\`; accepted: one of them`);
    }
    checkNames(where, rest, ["app", "key", "runner"]);
    for (const [attribute, value] of Object.entries(rest.search ?? {})) {
      const why = attributeProblem(attribute, value);
      if (why !== undefined) throw new ArgumentError(`${where}: ${why}`);
    }
    await this.#checkInput(workflow, name, input);
    const app = rest.app ?? (typeof this.#app === "object" ? this.#app.name : this.#app);
    const body = encode(
      where,
      {
        ...rest,
        workflow: name,
        input,
        ...(app !== undefined && { app }),
        ...(timeout !== undefined && { timeout: durationMillis(timeout) }),
        ...(delay !== undefined && { delay: durationMillis(delay) }),
        ...(at !== undefined && { at: instant(where, at) }),
      },
      { around: 1 },
    );
    // With a key, a repeat gives the first run.
    const repeatable = options.key !== undefined;
    const answer = await this.#post(`/api/v1/runs${query}`, body, repeatable, signal);
    const { id, created, status } = answer as { id: string; created: boolean; status?: string };
    return new RunHandle(this.#http, id, created, status === undefined ? undefined : answer);
  }

  /** Checks an input as its runner will see it, where its schema is known. */
  async #checkInput(workflow: Startable<A>, name: string, input: unknown): Promise<void> {
    const what = `the input of workflow \`${name}\``;
    const saved = roundTrip(what, input);
    const known =
      typeof workflow === "object"
        ? workflow
        : typeof this.#app === "object"
          ? this.#app.workflows.find((one) => one.name === name)
          : undefined;
    const schema = (known as { definition?: { input?: StandardSchema } } | undefined)?.definition
      ?.input;
    if (schema !== undefined) await check(what, schema, saved);
  }

  /**
   * Sends an event (§8.1). Resolves once it is durable.
   *
   * @throws `InputError` where the data does not fit the event's schema; `RefusedError` such as SW2011
   * for a key of several runs; `ConnectionError`.
   */
  async send<const E extends EventRef>(event: E, ...[data, given]: SendArgs<E>): Promise<Sent> {
    const options: SendOptions = given ?? {};
    const { name, schema } = eventParts("client.send", event);
    const where = `event \`${name}\``;
    checkMembers(where, options, SEND);
    checkNames(where, options, ["id", "app", "run", "key", "workflow"]);
    const saved = roundTrip(`the data of ${where}`, data);
    if (schema !== undefined) await check(`the data of ${where}`, schema, saved);
    const { signal, ...rest } = options;
    // An id of its own lets it be sent again without doing more.
    const body = encode(
      where,
      {
        id: `evt_${randomUUID().replaceAll("-", "")}`,
        ...rest,
        event: name,
        data,
      },
      { around: 1 },
    );
    return (await this.#post("/api/v1/events", body, true, signal)) as Sent;
  }

  /** Returns a handle on a run that is known by its id: `client.run<typeof checkout>(id)`. */
  run<W extends WorkflowRef = WorkflowRef>(
    id: string,
  ): RunHandle<WorkflowOutput<W>, WorkflowInput<W>> {
    checkName("a run's id", id);
    return new RunHandle(this.#http, id, false);
  }

  /** Lists runs, newest first: a page of them. */
  async list(filter: RunFilter & PageOptions = {}): Promise<RunPage> {
    const query = filterQuery(filter, ["limit", "cursor", "signal"]);
    return await this.#page<RunPage>("/api/v1/runs", query, filter);
  }

  /** Lists all runs that fit, newest first, page by page. */
  async *listAll(
    filter: RunFilter & RequestOptions = {},
  ): AsyncGenerator<RunSummary, void, undefined> {
    for (let cursor: string | null | undefined; cursor !== null; ) {
      const page: RunPage = await this.list({ limit: 500, ...filter, ...(cursor && { cursor }) });
      yield* page.runs;
      cursor = page.next;
    }
  }

  /** Lists events of a name that are kept, oldest first: a page of them. */
  async events(
    event: EventRef,
    options: PageOptions & { readonly from?: Date } = {},
  ): Promise<EventPage> {
    checkMembers("client.events", options, ["from", "limit", "cursor", "signal"]);
    const query = new URLSearchParams({ event: eventParts("client.events", event).name });
    if (options.from !== undefined) query.set("from", instant("client.events: from", options.from));
    return await this.#page<EventPage>("/api/v1/events", query, options);
  }

  /** Returns an event with what it did, and which waits nearly matched (§8.10). */
  async event(id: string, options: RequestOptions = {}): Promise<EventView> {
    return await this.#get<EventView>(`/api/v1/events/${encodeURIComponent(id)}`, options.signal);
  }

  /** Lists every workflow that was ever registered. */
  async workflows(
    options: RequestOptions & { readonly app?: string } = {},
  ): Promise<readonly WorkflowView[]> {
    const path = withApp("/api/v1/workflows", options.app);
    return (await this.#get<{ workflows: WorkflowView[] }>(path, options.signal)).workflows;
  }

  /** Lists runners that are connected or awaited. */
  async runners(
    options: RequestOptions & { readonly app?: string } = {},
  ): Promise<readonly RunnerView[]> {
    const path = withApp("/api/v1/runners", options.app);
    return (await this.#get<{ runners: RunnerView[] }>(path, options.signal)).runners;
  }

  async #page<T>(path: string, query: URLSearchParams, options: PageOptions): Promise<T> {
    if (options.limit !== undefined) query.set("limit", String(options.limit));
    if (options.cursor !== undefined) query.set("cursor", options.cursor);
    return await this.#get<T>(`${path}?${query}`, options.signal);
  }

  async #get<T>(path: string, signal: AbortSignal | undefined): Promise<T> {
    const answer = await this.#http.send({ method: "GET", path, repeatable: true, signal });
    // The shape of answers is the server's; `docs/api.md` describes it.
    return answer.body as T;
  }

  async #post(
    path: string,
    body: string | undefined,
    repeatable: boolean,
    signal: AbortSignal | undefined,
  ): Promise<unknown> {
    const text = body ?? "{}";
    return (await this.#http.send({ method: "POST", path, body: text, repeatable, signal })).body;
  }
}

/**
 * Makes a client of a server. Nothing is sent yet.
 *
 * ```ts
 * import type { shop } from "./shop.js";
 *
 * const stepwell = client<typeof shop>({ app: "shop" });
 * const run = await stepwell.start("checkout", { order: "o-7", cents: 500 }, { key: "o-7" });
 * const { tx } = await run.wait();
 * ```
 *
 * @throws `ArgumentError` for a URL that is none.
 */
export function client<A extends App = App>(options: ClientOptions<A> = {}): Client<A> {
  return new Client<A>(options);
}

/** Checks the names among options. */
function checkNames(where: string, options: object, members: readonly string[]): void {
  for (const member of members) {
    const value: unknown = Reflect.get(options, member);
    if (value !== undefined) checkName(`${where}: \`${member}\``, value);
  }
}

function instant(where: string, at: Date): string {
  if (at instanceof Date && !Number.isNaN(at.getTime())) return at.toISOString();
  throw new ArgumentError(`${where}: ${String(at)} is no instant; accepted: a valid Date`);
}

function withApp(path: string, app: string | undefined): string {
  return app === undefined ? path : `${path}?${new URLSearchParams({ app })}`;
}
