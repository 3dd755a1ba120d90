/** What the thread of the connection and the thread of the code say to each other. */

/** What the thread is started with. */
export interface ThreadData {
  /** The URLs of the WebSocket, one for each node of the server. */
  readonly urls: readonly string[];
  /** The key that is shown. */
  readonly key?: string;
  /** Counts up while the other thread is not blocked. */
  readonly pulse: SharedArrayBuffer;
}

/**
 * To the thread of the connection. A text is a frame for the connection that the last `hello` was
 * for.
 */
export type ToThread =
  | string
  /** The first frame of a connection. */
  | { readonly kind: "hello"; readonly connection: number; readonly frame: string }
  /** The node has taken the runner: pings begin. `now` is the clock of the thread of the code. */
  | {
      readonly kind: "welcome";
      readonly connection: number;
      readonly pingMs: number;
      readonly ttlMs: number;
      readonly now: number;
    }
  /** The connection cannot go on; another one is to be made. */
  | { readonly kind: "drop"; readonly connection: number }
  /** No more connections; the thread ends once all that was told is sent. */
  | { readonly kind: "stop" };

/** From the thread of the connection. A text is a frame of the present connection. */
export type FromThread =
  | string
  | { readonly kind: "opened"; readonly connection: number }
  /** A ping was sent, at an instant of the clock of the thread of the code, or a little earlier. */
  | { readonly kind: "ping"; readonly k: number; readonly at: number; readonly bytes: number }
  /** `reason` is what the server said as it closed the connection. */
  | { readonly kind: "closed"; readonly why: string; readonly reason?: string }
  /** The server answered, and not with a WebSocket. */
  | { readonly kind: "refused"; readonly status: number; readonly body: string }
  /** The other thread was blocked for so long. */
  | { readonly kind: "blocked"; readonly ms: number }
  | { readonly kind: "stopped" };
