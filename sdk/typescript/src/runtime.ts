/** The code of an app's workflows, as a session calls it. */

import { HandlerContext, type Surroundings } from "./context.js";
import type { CleanUp, Undo } from "./machine/clean.js";
import type { Code } from "./machine/code.js";
import type { Core } from "./machine/core.js";
import { callInside } from "./machine/inside.js";
import { onReturned } from "./machine/rest.js";
import type { Outcome } from "./machine/state.js";
import { check } from "./schema.js";
import type { Handler, Handlers } from "./session/handler.js";
import { Calls, failed, returned, type StepFunction } from "./steps/call.js";
import { ContinueAs, caught } from "./steps/continue.js";
import { makeHandle } from "./steps/handle.js";
import { idIn } from "./steps/name.js";
import { endOf, type Scope } from "./steps/scope.js";
import type { App } from "./types/app.js";
import type { Workflow, WorkflowDefinition } from "./types/workflow.js";

/** Returns the code of an app's workflows. */
export function handlersOf(app: App, runner: string): Handlers {
  const around: Surroundings = { app: app.name, runner, deps: app.deps };
  const handler = (one: Workflow): [string, Handler] => [
    one.name,
    new WorkflowHandler(app, one.definition, around),
  ];
  return new Map(app.workflows.map(handler));
}

class WorkflowHandler implements Handler {
  readonly version: string | undefined;
  readonly strict: boolean;
  readonly hasOnFailure: boolean;
  readonly #app: App;
  readonly #definition: WorkflowDefinition;
  readonly #around: Surroundings;

  constructor(app: App, definition: WorkflowDefinition, around: Surroundings) {
    this.version = definition.version;
    this.strict = definition.strict === true;
    this.hasOnFailure = definition.onFailure !== undefined;
    this.#app = app;
    this.#definition = definition;
    this.#around = around;
  }

  start(core: Core, code: Code): void {
    this.#run(core, code, (scope, context) => this.#handle(scope, context));
  }

  cleanUp(core: Core, code: Code, work: CleanUp): void {
    this.#run(core, code, (scope) => this.#cleanUp(scope, work));
  }

  #run(
    core: Core,
    code: Code,
    run: (scope: Scope, context: HandlerContext) => Promise<Outcome>,
  ): void {
    const context = new HandlerContext(core, code, this.#around);
    const waits = { ...this.#app.waits, ...this.#definition.waits };
    const given = { input: undefined };
    const scope: Scope = { core, code, lane: undefined, context, waits, given };
    // Whoever drives the run may do so from inside the function of a step.
    const end = callInside(undefined, () => run(scope, context));
    end.then(
      (outcome) => onReturned(core, code, outcome),
      (error: unknown) => onReturned(core, code, ended(core, error)),
    );
  }

  async #handle(scope: Scope, context: HandlerContext): Promise<Outcome> {
    const { name, input, output } = this.#definition;
    const { info } = scope.core;
    const what = `workflow \`${name}\``;
    scope.given.input =
      input === undefined ? info.input : await check(`the input of ${what}`, input, info.input);
    // The workflow's types say what its handler is called with.
    const args = { input: scope.given.input, step: makeHandle(scope), ctx: context } as never;
    const result: unknown = await this.#definition.handler(args);
    if (scope.code.hasContinued) throw caught(scope.core);
    const value =
      output === undefined ? result : await check(`the output of ${what}`, output, result);
    return returned(scope.core, `the output of ${what}`, undefined, value);
  }

  /** Takes back what is to be, one after the other, and then tells the workflow (§7.3, §7.4). */
  async #cleanUp(scope: Scope, work: CleanUp): Promise<Outcome> {
    const { core, context } = scope;
    for (const { step, unknown } of work.compensate) {
      const undoes = work.found.get(step);
      const undo = unknown === true ? undoes?.unknown : undoes?.completed;
      if (undo === undefined) continue;
      const done = work.completed.find((one) => one.id === step);
      const fn = undoing(undo, unknown === true ? undefined : done?.output);
      const callee = new Calls(core, context, fn, () => undefined);
      // §7.3: one that fails for good is recorded, and does not stop the others.
      await endOf(scope, { id: idIn("compensate", step), kind: "compensate", callee });
    }
    const { onFailure } = this.#definition;
    if (onFailure !== undefined && work.onFailure) {
      // The workflow's types say what its function is called with.
      const fn: StepFunction = (step) => onFailure(this.#failureOf(core, work), step as never);
      const callee = new Calls(core, context, fn, () => undefined);
      await endOf(scope, { id: idIn("onFailure", "onFailure"), kind: "onFailure", callee });
    }
    return { kind: "returned", output: undefined };
  }

  #failureOf(
    core: Core,
    work: CleanUp,
  ): Parameters<NonNullable<WorkflowDefinition["onFailure"]>>[0] {
    return {
      error: work.error,
      completedSteps: work.completed.map(({ id, kind, output, atUs }) => ({
        id,
        kind,
        output: output === undefined ? undefined : JSON.parse(output),
        completedAt: new Date(Math.floor(atUs / 1_000)),
      })),
      uncertainSteps: work.uncertain,
      run: {
        id: core.info.run,
        app: this.#around.app,
        workflow: core.info.workflow,
        status: work.status,
      },
    };
  }
}

/** Returns what takes a step back, as the function of a step. */
function undoing(undo: Undo, output: string | undefined): StepFunction {
  // What takes a step back has no input of its own.
  return (step) => undo(output === undefined ? undefined : JSON.parse(output), step as never);
}

function ended(core: Core, error: unknown): Outcome {
  if (error instanceof ContinueAs) return { kind: "continued", input: error.input };
  return failed(core, error);
}
