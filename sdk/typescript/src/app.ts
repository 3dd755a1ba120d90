/** Apps: workflows that are deployed together, and what they share (§1). */

import { ArgumentError } from "./errors/base.js";
import { checkMembers, checkName } from "./name.js";
import { checkWaits } from "./named-wait.js";
import type { App, AppOptions, Runner, ServeOptions } from "./types/app.js";
import type { Workflow } from "./types/workflow.js";
import { joined } from "./workflow.js";

/** What connects an app to a server; the module `worker` has it. */
export type Serve = (app: App, options: ServeOptions) => Promise<Runner>;

/** See {@link appMaker}. */
export type AppMaker = <const Name extends string, const Ws extends readonly Workflow[]>(
  name: Name,
  options: AppOptions<Ws>,
) => App<Name, Ws>;

/**
 * Returns the function `app`, which makes an app of workflows:
 *
 * ```ts
 * export const shop = app("shop", { workflows: [checkout, fraud], deps: { mail } });
 * await shop.serve();
 * ```
 *
 * It throws `ArgumentError` for options that are not accepted.
 */
export function appMaker(serve: Serve): AppMaker {
  return (name, options) => {
    checkName("an app's name", name);
    const where = `app \`${name}\``;
    checkMembers(where, options, ["workflows", "waits", "deps"]);
    const waits = options.waits ?? {};
    checkWaits(where, waits);
    checkWorkflows(where, options.workflows);
    const app: App<typeof name, typeof options.workflows> = Object.freeze({
      kind: "app",
      name,
      workflows: options.workflows,
      waits,
      deps: options.deps,
      serve: (given: ServeOptions = {}): Promise<Runner> => serve(app, given),
    });
    // A wait of the app and one of a workflow may not share a name.
    for (const one of app.workflows) {
      joined(`${where}: workflow \`${one.name}\``, waits, one.definition.waits ?? {});
    }
    return app;
  };
}

function checkWorkflows(where: string, workflows: readonly Workflow[]): void {
  if (!Array.isArray(workflows) || workflows.length === 0) {
    throw new ArgumentError(`${where} has no workflow; accepted: \`workflows: [workflow(…), …]\``);
  }
  const names = new Set<string>();
  for (const one of workflows as readonly (Partial<Workflow> | undefined)[]) {
    if (one?.kind !== "workflow" || one.definition === undefined || one.name === undefined) {
      throw new ArgumentError(
        `${where}: one of \`workflows\` is no workflow; accepted: what \`workflow(…)\` makes`,
      );
    }
    if (names.has(one.name)) throw new ArgumentError(`${where} has two workflows \`${one.name}\``);
    names.add(one.name);
  }
}
