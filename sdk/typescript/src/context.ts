/** What handlers and functions know of their run (§2.3). */

import type { Code } from "./machine/code.js";
import type { Core, Info } from "./machine/core.js";
import { setSearch } from "./machine/search.js";
import { continued } from "./steps/continue.js";
import { handlerLog } from "./steps/log.js";
import { random, uuid } from "./steps/random.js";
import type { Ctx, RunContext, SetSearch } from "./types/context.js";
import type { Json } from "./types/json.js";
import type { Log } from "./types/log.js";

/** What a runner knows that has a run. */
export interface Surroundings {
  readonly app: string;
  readonly runner: string;
  readonly deps: unknown;
}

/** What is known of a run, in its handler and in the functions of its steps. */
export class RunFacts implements RunContext {
  readonly namespace: string;
  readonly app: string;
  readonly workflow: string;
  readonly runId: string;
  readonly runner: string;
  readonly version?: string;
  readonly startedVersion?: string;
  readonly startedAt: Date;
  readonly key?: string;
  readonly parent?: { readonly run: string; readonly step: string };
  readonly event?: { readonly id: string; readonly name: string };
  readonly metadata: Readonly<Record<string, Json>>;
  readonly deps: unknown;

  constructor(info: Info, { app, runner, deps }: Surroundings) {
    this.namespace = info.namespace;
    this.app = app;
    this.workflow = info.workflow;
    this.runId = info.run;
    this.runner = runner;
    if (info.version !== undefined) this.version = info.version;
    if (info.startedVersion !== undefined) this.startedVersion = info.startedVersion;
    this.startedAt = new Date(Math.floor(info.createdAtUs / 1_000));
    if (info.key !== undefined) this.key = info.key;
    if (info.parent !== undefined) this.parent = info.parent;
    if (info.event !== undefined) this.event = info.event;
    this.metadata = isMembers(info.metadata) ? info.metadata : {};
    this.deps = deps;
  }
}

function isMembers(value: unknown): value is Readonly<Record<string, Json>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The context of a run in its handler. */
export class HandlerContext extends RunFacts implements Ctx {
  readonly log: Log;
  readonly #core: Core;
  readonly #code: Code;

  constructor(core: Core, code: Code, around: Surroundings) {
    super(core.info, around);
    this.#core = core;
    this.#code = code;
    this.log = handlerLog(core);
  }

  now(): number {
    return Math.floor(this.#core.nowUs / 1_000);
  }

  random(): number {
    return random(this.#core);
  }

  uuid(): string {
    return uuid(this.#core);
  }

  setSearch(attributes: SetSearch): void {
    setSearch(this.#core, attributes);
  }

  continueAs(input?: unknown): never {
    throw continued(this.#core, this.#code, input);
  }
}
