/** Waiting for a while, which can be cut short. */

import { after, cancel } from "../clock.js";
import type { Hold } from "./post.js";

/** A pause that has begun. */
export interface Pause {
  /** Resolves to `false` as it is over. */
  readonly over: Promise<false>;
  /** Ends it now. */
  end(): void;
}

/** Begins a pause. */
export function pause(ms: number, hold: Hold): Pause {
  let resolve: (value: false) => void = () => undefined;
  const over = new Promise<false>((resolved) => {
    resolve = resolved;
  });
  const timer = after(ms, () => resolve(false), hold === "lets go");
  return {
    over,
    end() {
      cancel(timer);
      resolve(false);
    },
  };
}
