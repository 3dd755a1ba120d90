/** Starting runs and asking for them, over the server's HTTP API. */
export * from "./client.js";
export type * from "./filter.js";
export * from "./run-handle.js";
export type * from "./views.js";
