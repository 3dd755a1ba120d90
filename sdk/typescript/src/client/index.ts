/** Starting runs and asking for them, over the server's HTTP API. */

export {
  Client,
  type ClientOptions,
  client,
  type PageOptions,
  type SendArgs,
  type SendOptions,
  type StartArgs,
  type Startable,
  type Started,
  type StartOptions,
} from "./client.js";
export type { RunFilter, SearchRange } from "./filter.js";
export {
  type ActOptions,
  type ForkOptions,
  type Received,
  type RequestOptions,
  type RerunOptions,
  type Resolution,
  RunHandle,
  type WaitEndOptions,
} from "./run-handle.js";
export type * from "./views.js";
