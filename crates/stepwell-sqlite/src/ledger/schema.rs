//! The tables of the ledger.

/// The format of the ledger.
pub(super) const FORMAT: i64 = 1;

pub(super) const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS meta (
    name TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS namespaces (
    name TEXT PRIMARY KEY,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    closed_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS keys (
    n INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    namespace TEXT NOT NULL,
    role TEXT NOT NULL,
    hash BLOB NOT NULL,
    generation INTEGER NOT NULL,
    previous_hash BLOB,
    previous_until INTEGER,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    expires_at INTEGER,
    revoked_at INTEGER,
    last_used_at INTEGER
) STRICT;

CREATE TABLE IF NOT EXISTS audit (
    n INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    namespace TEXT NOT NULL,
    key TEXT,
    key_name TEXT NOT NULL,
    address TEXT NOT NULL,
    act TEXT NOT NULL,
    object TEXT NOT NULL,
    reason TEXT,
    outcome TEXT NOT NULL,
    of_n INTEGER,
    hash BLOB NOT NULL
) STRICT;

CREATE INDEX IF NOT EXISTS audit_of_namespace ON audit (namespace, n);

CREATE TABLE IF NOT EXISTS bulks (
    n INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    namespace TEXT NOT NULL,
    key TEXT,
    ended_at INTEGER,
    body TEXT NOT NULL
) STRICT;

CREATE UNIQUE INDEX IF NOT EXISTS bulks_by_key ON bulks (namespace, key) WHERE key IS NOT NULL;
CREATE INDEX IF NOT EXISTS bulks_open ON bulks (n) WHERE ended_at IS NULL;

-- Runs of acts that have not ended: 16 bytes for each, in their order.
CREATE TABLE IF NOT EXISTS bulk_runs (
    bulk TEXT NOT NULL,
    portion INTEGER NOT NULL,
    runs BLOB NOT NULL,
    PRIMARY KEY (bulk, portion)
) STRICT, WITHOUT ROWID;

-- Rows are added and nothing else.
CREATE TRIGGER IF NOT EXISTS audit_is_not_changed BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'rows of the audit log are not changed'); END;
CREATE TRIGGER IF NOT EXISTS audit_is_not_cut BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'rows of the audit log are not taken out'); END;
";
