import type { Duration } from "./duration.js";

/** How often and when something is tried again (§6.1). */
export interface RetryOptions {
  /** Attempts in all, 1 or more. Default 4. */
  readonly maxAttempts?: number;
  /** The pause before the second attempt. Default 1 s. */
  readonly backoff?: Duration;
  /** What each further pause is multiplied by, 0 to 1,000. Default 2; 1 is constant. */
  readonly factor?: number;
  /** The longest pause. Default 1 min, or `backoff` where that is longer. */
  readonly maxBackoff?: Duration;
  /** Whether pauses are spread, between half and all of what is computed. Default true. */
  readonly jitter?: boolean;
}
