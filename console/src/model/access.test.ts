import { expect, test } from "vitest";
import {
  type AuditFilter,
  type AuditRow,
  actsOfRows,
  answerOf,
  auditPath,
  type KeyRow,
  keyHas,
  ROLE_WORDS,
  readAudit,
  readKeys,
  readMade,
  readNamespaces,
} from "./access.ts";
import { ROLES } from "./rights.ts";
import { auditRow, keyRow } from "./testing.ts";

test("keys can be made for every role that the server knows", () => {
  expect(ROLE_WORDS.map(([role]) => role).sort()).toEqual([...ROLES].sort());
});

test("keys that are live come first, then the newest", () => {
  const keys = [
    keyRow({ id: "a", createdAt: "2026-11-20T10:00:00.000000Z" }),
    keyRow({ id: "b", createdAt: "2026-11-22T10:00:00.000000Z", state: "revoked" }),
    keyRow({ id: "c", createdAt: "2026-11-21T10:00:00.000000Z" }),
    keyRow({ id: "d", createdAt: "2026-11-23T10:00:00.000000Z", state: "expired" }),
  ];
  expect(readKeys({ keys }).map(({ id }) => id)).toEqual(["c", "a", "d", "b"]);
});

test("answers that hold no list, and no key, are refused", () => {
  for (const answer of [null, {}, { keys: {} }]) {
    expect(() => readKeys(answer)).toThrow(/no keys/);
    expect(() => readNamespaces(answer)).toThrow(/no namespaces/);
    expect(() => readAudit(answer)).toThrow(/no rows/);
    expect(() => readMade(answer)).toThrow(/no key/);
  }
});

test("the next page of the log is told where there is one", () => {
  expect(readAudit({ rows: [], next: 7 }).next).toBe(7);
  expect(readAudit({ rows: [], next: null }).next).toBe(null);
});

test.each<[string, Partial<KeyRow>, boolean]>([
  ["shop", { namespace: "shop" }, true],
  ["SHOP", { name: "Shop runner" }, true],
  ["a4dq", { id: "a4dqobyha4" }, true],
  ["worker", { role: "worker" }, true],
  ["revoked", { state: "revoked" }, true],
  ["bank", {}, false],
])("%s finds a key with %o: %s", (text, more, found) => {
  expect(keyHas(keyRow(more), text)).toBe(found);
});

test("the two rows of an act are one; what has no answer stays", () => {
  const rows: readonly AuditRow[] = [
    auditRow({ n: 9, outcome: "asked", of: null }),
    auditRow({ n: 8, outcome: "done", of: 6 }),
    auditRow({ n: 7, outcome: "asked", of: null }),
    auditRow({ n: 6, outcome: "asked", of: null }),
    auditRow({ n: 5, outcome: "SW2005", of: 4 }),
  ];
  expect(actsOfRows(rows).map(({ n }) => n)).toEqual([9, 8, 7, 5]);
});

test.each([
  ["done", { status: "completed", words: "done" }],
  ["asked", { status: "unknown", words: "no answer" }],
  ["SW2005", { status: "failed", words: "SW2005" }],
])("the outcome %s is shown as %o", (outcome, answer) => {
  expect(answerOf(auditRow({ outcome }))).toEqual(answer);
});

test("a filter is asked for with whole days on the clock of who looks", () => {
  const none: AuditFilter = { namespace: "", key: "", act: "", from: "", to: "" };
  expect(auditPath(none, 200, null)).toBe("/audit?limit=200");
  const path = auditPath(
    { namespace: "shop", key: "a4dq", act: "runs", from: "2026-11-30", to: "2026-11-30" },
    50,
    7,
  );
  const asked = new URLSearchParams(path.split("?")[1]);
  expect(Object.fromEntries(asked)).toEqual({
    limit: "50",
    namespace: "shop",
    key: "a4dq",
    act: "runs",
    from: new Date(2026, 10, 30).toISOString(),
    to: new Date(2026, 11, 1).toISOString(),
    before: "7",
  });
  expect(auditPath({ ...none, from: "yesterday" }, 1, null)).toBe("/audit?limit=1");
});
