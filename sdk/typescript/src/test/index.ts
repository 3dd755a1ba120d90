/**
 * What tests of workflows use.
 *
 * @packageDocumentation
 */
export * from "./server.js";
