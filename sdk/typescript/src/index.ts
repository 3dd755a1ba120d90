/**
 * Durable workflows as plain async functions.
 *
 * @packageDocumentation
 */

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
