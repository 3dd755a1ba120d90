/** How the server is, as far as a page tells of it. */

/** Of which backup a server was restored. */
export interface Restored {
  readonly backup: string;
  readonly takenAt: string;
}

export interface Health {
  /** No run goes on until somebody lets them go. */
  readonly isHeld: boolean;
  /** Null where it is not known to who looks, or where the server was not restored. */
  readonly restored: Restored | null;
}

/** Reads an answer of `GET /healthz`. */
export function readHealth(answer: unknown): Health {
  const { status, restored } = (answer ?? {}) as Record<string, unknown>;
  if (typeof status !== "string") throw new TypeError("the server's answer does not say how it is");
  const { backup, takenAt } = (restored ?? {}) as Record<string, unknown>;
  const isTold = typeof backup === "string" && typeof takenAt === "string";
  return { isHeld: status === "held", restored: isTold ? { backup, takenAt } : null };
}
