/** Keys, namespaces and the audit log as the API tells them. */

import { instant } from "./instants.ts";
import type { Role } from "./rights.ts";
import type { StepStatus } from "./run.ts";

export interface KeyRow {
  readonly id: string;
  readonly name: string;
  readonly namespace: string;
  readonly role: string;
  readonly state: "live" | "expired" | "revoked";
  readonly createdAt: string;
  readonly createdBy: string;
  readonly expiresAt: string | null;
  readonly revokedAt: string | null;
  readonly lastUsedAt: string | null;
  /** Until when the key before the last rotation is taken too. */
  readonly previousUntil: string | null;
}

/** A key in the one answer that holds it. */
export interface MadeKey extends KeyRow {
  readonly key: string;
}

export interface NamespaceRow {
  readonly name: string;
  readonly createdAt: string;
  readonly createdBy: string;
  /** Since when it is closed: what it had is being ended, or stays for its retention. */
  readonly closedAt: string | null;
  /** How many keys of it are live. */
  readonly keys: number;
}

/** What is left of a namespace that was deleted. */
export interface DeletedNamespace {
  readonly name: string;
  readonly gone: boolean;
  readonly active: number;
  readonly ended: number;
}

/** One row of the audit log: that an act was asked for, or what came of it. */
export interface AuditRow {
  readonly n: number;
  readonly at: string;
  readonly namespace: string;
  readonly key: string | null;
  readonly keyName: string;
  readonly from: string;
  readonly act: string;
  readonly object: string;
  readonly reason: string | null;
  readonly outcome: string;
  /** The row that asked, in the row of what came of it. */
  readonly of: number | null;
  readonly hash: string;
}

export interface AuditPage {
  readonly rows: readonly AuditRow[];
  /** The `before` of the next page; null on the last. */
  readonly next: number | null;
}

/** Which acts are wanted; what is empty narrows nothing. */
export interface AuditFilter {
  readonly namespace: string;
  readonly key: string;
  readonly act: string;
  /** The first and the last day, as `2026-11-22` on the clock of who looks. */
  readonly from: string;
  readonly to: string;
}

/** What the roles may that keys are made for, in a few words. */
export const ROLE_WORDS: readonly (readonly [role: Role, may: string])[] = [
  ["viewer", "sees runs, events and runners"],
  ["client", "sees, starts runs, sends events, cancels"],
  ["operator", "does what a client does, and every act on runs"],
  ["worker", "connects as a runner, and reads nothing"],
  ["telemetry", "reports what other systems did; nothing is there to report to yet"],
  ["admin", "does all of it, and manages keys of the namespace"],
];

/** Reads an answer of `GET /keys`: those that are live first, then as they were made, the newest first. */
export function readKeys(answer: unknown): readonly KeyRow[] {
  const rows = listOf<KeyRow>(answer, "keys");
  const isOver = (key: KeyRow) => (key.state === "live" ? 0 : 1);
  return [...rows].sort(
    (a, b) => isOver(a) - isOver(b) || instant(b.createdAt) - instant(a.createdAt),
  );
}

/** Reads an answer of `GET /namespaces`. */
export function readNamespaces(answer: unknown): readonly NamespaceRow[] {
  return listOf<NamespaceRow>(answer, "namespaces");
}

/** Reads an answer of `GET /audit`. */
export function readAudit(answer: unknown): AuditPage {
  const { next } = (answer ?? {}) as { readonly next?: unknown };
  return { rows: listOf<AuditRow>(answer, "rows"), next: typeof next === "number" ? next : null };
}

/** Reads the answer that holds a key. */
export function readMade(answer: unknown): MadeKey {
  const { key } = (answer ?? {}) as { readonly key?: unknown };
  if (typeof key !== "string") throw new TypeError("the server's answer holds no key");
  // What is beside it is the server's word.
  return answer as MadeKey;
}

function listOf<T>(answer: unknown, name: string): readonly T[] {
  const list = ((answer ?? {}) as Record<string, unknown>)[name];
  if (!Array.isArray(list)) throw new TypeError(`the server's answer holds no ${name}`);
  // What is inside a row is the server's word.
  return list as readonly T[];
}

/** Says whether a key is one that is looked for by a text: its name, id, role, namespace, or who made it. */
export function keyHas(key: KeyRow, text: string): boolean {
  const wanted = text.toLowerCase();
  return [key.name, key.id, key.role, key.namespace, key.createdBy, key.state].some((one) =>
    one.toLowerCase().includes(wanted),
  );
}

/**
 * Makes acts of rows that are read from the newest on: of the two rows of an act the one that says what came of it.
 * One that was asked for and has no other yet stays.
 */
export function actsOfRows(rows: readonly AuditRow[]): readonly AuditRow[] {
  const answered = new Set(rows.flatMap(({ of }) => (of === null ? [] : [of])));
  return rows.filter(({ n }) => !answered.has(n));
}

/** Says what came of an act. */
export function answerOf({ outcome }: AuditRow): {
  readonly status: StepStatus;
  readonly words: string;
} {
  if (outcome === "done") return { status: "completed", words: "done" };
  if (outcome === "asked") return { status: "unknown", words: "no answer" };
  return { status: "failed", words: outcome };
}

/** Writes the question for a page of the audit log, newest first. */
export function auditPath(filter: AuditFilter, limit: number, before: number | null): string {
  const { namespace, key, act, from, to } = filter;
  const asked = new URLSearchParams({ limit: String(limit) });
  const put = (name: string, value: string | null) => {
    if (value !== null && value !== "") asked.set(name, value);
  };
  put("namespace", namespace);
  put("key", key);
  put("act", act);
  put("from", dayBegins(from, 0));
  put("to", dayBegins(to, 1));
  put("before", before === null ? null : String(before));
  return `/audit?${asked}`;
}

/** Returns when a day begins on the clock of who looks, or the day after; null for what is no day. */
function dayBegins(day: string, later: 0 | 1): string | null {
  const [, year, month, date] = /^(\d{4})-(\d\d)-(\d\d)$/.exec(day) ?? [];
  if (date === undefined) return null;
  return new Date(Number(year), Number(month) - 1, Number(date) + later).toISOString();
}
