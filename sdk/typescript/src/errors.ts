/** The errors of the package. */
export * from "./errors/base.js";
export * from "./errors/client.js";
export * from "./errors/failure.js";
export * from "./errors/step.js";
