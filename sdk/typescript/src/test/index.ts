/**
 * What tests of workflows use.
 *
 * @packageDocumentation
 */
export { matches } from "./matching.js";
export * from "./server.js";
