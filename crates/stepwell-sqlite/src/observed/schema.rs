//! The tables of observed runs, as people see them with `sqlite3 -readonly`.

use rusqlite::Connection;
use stepwell_store::Error;

use crate::tables::{Place, begin_meta, check_meta, failed, shape};

/// Format of the tables that is written and read.
const FORMAT: i64 = 1;

/// What the tables are. Instants are microseconds since 1970 in UTC.
///
/// A run is in `status` until `turns_at`, and in `turns_to` from then on: which of both holds follows from
/// the time alone. `due` is 1 where statistics are to be changed then, and `gaps` what they were told of
/// steps that the run did not reach. A flow's `declaration` grows with each that is made, and runs that
/// were judged by an older one are judged anew from the place `judged_at`, `judged_n` backwards.
pub(super) const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS meta (
    name TEXT PRIMARY KEY NOT NULL,
    value ANY NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS spaces (
    id INTEGER PRIMARY KEY,
    namespace TEXT UNIQUE NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS flows (
    id INTEGER PRIMARY KEY,
    space INTEGER NOT NULL,
    slug TEXT NOT NULL,
    declared TEXT,
    declaration INTEGER NOT NULL,
    judged_at INTEGER,
    judged_n INTEGER,
    UNIQUE (space, slug)
) STRICT;

CREATE INDEX IF NOT EXISTS flows_judging ON flows (id) WHERE judged_at IS NOT NULL;

CREATE TABLE IF NOT EXISTS runs (
    id INTEGER PRIMARY KEY,
    space INTEGER NOT NULL,
    flow INTEGER NOT NULL,
    run TEXT NOT NULL,
    status TEXT NOT NULL,
    turns_at INTEGER NOT NULL,
    turns_to TEXT NOT NULL,
    first_at INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    open_at INTEGER,
    through INTEGER NOT NULL,
    events INTEGER NOT NULL,
    steps INTEGER NOT NULL,
    ended INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    broken_step TEXT,
    broken_name TEXT,
    broken_message TEXT,
    strip TEXT NOT NULL,
    trace BLOB,
    metadata TEXT,
    declaration INTEGER NOT NULL,
    due INTEGER NOT NULL,
    gaps BLOB
) STRICT;

CREATE UNIQUE INDEX IF NOT EXISTS runs_name ON runs (flow, run);
CREATE INDEX IF NOT EXISTS runs_first ON runs (flow, first_at);
CREATE INDEX IF NOT EXISTS runs_space ON runs (space, first_at);
CREATE INDEX IF NOT EXISTS runs_last ON runs (flow, last_at);
CREATE INDEX IF NOT EXISTS runs_failed ON runs (flow, first_at) WHERE failed > 0;
CREATE INDEX IF NOT EXISTS runs_going ON runs (flow, turns_at) WHERE status = 'running';
CREATE INDEX IF NOT EXISTS runs_open ON runs (flow, first_at)
    WHERE turns_to = 'stuck';
CREATE INDEX IF NOT EXISTS runs_due ON runs (turns_at) WHERE due = 1;
CREATE INDEX IF NOT EXISTS runs_trace ON runs (trace) WHERE trace IS NOT NULL;

CREATE TABLE IF NOT EXISTS records (
    run INTEGER PRIMARY KEY,
    encoded BLOB NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS run_counts (
    flow INTEGER NOT NULL,
    at INTEGER NOT NULL,
    runs INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    missing INTEGER NOT NULL,
    PRIMARY KEY (flow, at)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS step_counts (
    flow INTEGER NOT NULL,
    at INTEGER NOT NULL,
    step TEXT NOT NULL,
    ok INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    skipped INTEGER NOT NULL,
    missing INTEGER NOT NULL,
    not_reached INTEGER NOT NULL,
    first_failed INTEGER NOT NULL,
    took BLOB NOT NULL,
    PRIMARY KEY (flow, at, step)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS errors (
    flow INTEGER NOT NULL,
    at INTEGER NOT NULL,
    fingerprint INTEGER NOT NULL,
    step TEXT NOT NULL,
    name TEXT NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (flow, at, fingerprint)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS thrown (
    flow INTEGER NOT NULL,
    fingerprint INTEGER NOT NULL,
    at INTEGER NOT NULL,
    run TEXT NOT NULL,
    count INTEGER NOT NULL,
    message TEXT NOT NULL,
    PRIMARY KEY (flow, fingerprint, at, run)
) STRICT, WITHOUT ROWID;
";

/// Makes the tables where they are not there, and checks that they are those of a log.
///
/// # Errors
/// [`Error::Corrupt`] when they are another store's or damaged, [`Error::Format`] when a later version
/// wrote them, [`Error::Unavailable`] when SQLite refuses.
pub(super) fn prepare(writer: &Connection, place: &Place, store: u128) -> Result<(), Error> {
    let make = || {
        shape(writer, place)?;
        writer.execute_batch("BEGIN IMMEDIATE")?;
        writer.execute_batch(SCHEMA)?;
        begin_meta(writer, FORMAT, store)?;
        writer.execute_batch("COMMIT")
    };
    make().map_err(|e| failed(&e))?;
    check_meta(writer, FORMAT, store)
}
