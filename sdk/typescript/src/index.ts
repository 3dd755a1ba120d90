/**
 * Durable workflows as plain async functions.
 *
 * @packageDocumentation
 */

import { type AppMaker, appMaker } from "./app.js";
import { serve } from "./worker/serve.js";

export * from "./client/index.js";
export { parseDuration } from "./duration.js";
export * from "./errors/base.js";
export * from "./errors/client.js";
export * from "./errors/step.js";
export { event } from "./event.js";
export {
  type ConsoleLike,
  type ConsoleLogOptions,
  consoleLog,
  type PinoLike,
  pinoLog,
} from "./log.js";
export { waits } from "./named-wait.js";
export { ref } from "./reference.js";
export { unchecked } from "./schema.js";
export type * from "./types/index.js";
export { workflow } from "./workflow.js";

/**
 * Makes an app of workflows:
 *
 * ```ts
 * export const shop = app("shop", { workflows: [checkout, fraud], deps: { mail } });
 * await shop.serve();
 * ```
 *
 * @throws `ArgumentError` for options that are not accepted.
 */
export const app: AppMaker = appMaker(serve);
