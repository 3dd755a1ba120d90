/** The event log of a run: every record of its journal, as it was written. */

/** One record. */
export interface LogRecord {
  /** Its place in the journal, from 1. */
  readonly n: number;
  /** Null for those that are of no instant of their own. */
  readonly at: string | null;
  readonly kind: string;
  readonly content: unknown;
  /** How long the journal is behind it, in bytes. */
  readonly journalBytes: number;
}

export interface LogPage {
  readonly records: readonly LogRecord[];
  /** The `cursor` of the next page; null at the end of the journal as it is now. */
  readonly next: string | null;
}

/** Reads an answer of `GET /runs/{run}/history`. */
export function readLog(answer: unknown): LogPage {
  const { records, next } = (answer ?? {}) as Record<string, unknown>;
  if (!Array.isArray(records)) throw new TypeError("the server's answer holds no records");
  // What is inside a record is the server's word.
  return { records: records as LogRecord[], next: typeof next === "string" ? next : null };
}

/** Says whether a record has a text: in its kind, or anywhere in what it holds. */
export function recordHas(record: LogRecord, text: string): boolean {
  const wanted = text.toLowerCase();
  if (record.kind.toLowerCase().includes(wanted)) return true;
  return JSON.stringify(record.content ?? null)
    .toLowerCase()
    .includes(wanted);
}

/** How long a journal or a record is: `212 B`, `1.4 KB`, `3.0 MB`. */
export function bytesText(bytes: number): string {
  if (bytes < 1000) return `${bytes}\u00a0B`;
  if (bytes < 1_000_000) return `${(bytes / 1000).toFixed(1)}\u00a0KB`;
  return `${(bytes / 1_000_000).toFixed(1)}\u00a0MB`;
}
