//! The tables, as people see them with `sqlite3 -readonly`.

/// What the tables are. Instants are microseconds since 1970 in UTC.
pub(super) const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS meta (
    name TEXT PRIMARY KEY NOT NULL,
    value ANY NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS workflows (
    namespace TEXT NOT NULL,
    app TEXT NOT NULL,
    name TEXT NOT NULL,
    options TEXT NOT NULL,
    first_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    PRIMARY KEY (namespace, app, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS runs (
    id TEXT PRIMARY KEY NOT NULL,
    namespace TEXT NOT NULL,
    app TEXT NOT NULL,
    workflow TEXT NOT NULL,
    status TEXT NOT NULL,
    key TEXT,
    created_at INTEGER NOT NULL,
    started_at INTEGER,
    ended_at INTEGER,
    version TEXT,
    ready_at INTEGER,
    timer_at INTEGER,
    active INTEGER NOT NULL,
    steps INTEGER NOT NULL,
    steps_ended INTEGER NOT NULL,
    steps_failed INTEGER NOT NULL,
    blocked TEXT,
    journal_bytes INTEGER NOT NULL,
    parent TEXT,
    error TEXT
) STRICT, WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS runs_ready ON runs (namespace, app, workflow, ready_at, id)
    WHERE ready_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS runs_timer ON runs (timer_at, id) WHERE timer_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS runs_active ON runs (id) WHERE active = 1;
CREATE INDEX IF NOT EXISTS runs_blocked ON runs (namespace, app, workflow, id)
    WHERE blocked IS NOT NULL;
CREATE INDEX IF NOT EXISTS runs_key ON runs (namespace, key, app, workflow, id)
    WHERE key IS NOT NULL;

CREATE TABLE IF NOT EXISTS history (
    run TEXT NOT NULL,
    chunk INTEGER NOT NULL,
    records TEXT NOT NULL,
    crc INTEGER NOT NULL,
    PRIMARY KEY (run, chunk)
);

CREATE TABLE IF NOT EXISTS events (
    namespace TEXT NOT NULL,
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    accepted_at INTEGER NOT NULL,
    data TEXT,
    offer TEXT,
    app TEXT,
    workflow TEXT,
    run TEXT,
    key TEXT,
    routed INTEGER NOT NULL,
    kept INTEGER NOT NULL,
    crc INTEGER NOT NULL,
    UNIQUE (namespace, id)
) STRICT;

CREATE INDEX IF NOT EXISTS events_name ON events (namespace, name, accepted_at, id)
    WHERE kept = 1;
CREATE INDEX IF NOT EXISTS events_unrouted ON events (accepted_at, namespace, id)
    WHERE routed = 0;
CREATE INDEX IF NOT EXISTS events_age ON events (kept, accepted_at, namespace, id);

CREATE TABLE IF NOT EXISTS event_runs (
    namespace TEXT NOT NULL,
    event TEXT NOT NULL,
    run TEXT NOT NULL,
    step TEXT NOT NULL,
    PRIMARY KEY (namespace, event, run, step)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS searches (
    run TEXT NOT NULL,
    name TEXT NOT NULL,
    namespace TEXT NOT NULL,
    kind INTEGER NOT NULL,
    number REAL,
    text TEXT,
    value TEXT NOT NULL,
    app TEXT,
    workflow TEXT,
    status TEXT,
    created_at INTEGER,
    PRIMARY KEY (run, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS waits (
    namespace TEXT NOT NULL,
    event TEXT NOT NULL,
    leaf INTEGER NOT NULL,
    run TEXT NOT NULL,
    step TEXT NOT NULL,
    app TEXT NOT NULL,
    wanted TEXT,
    since INTEGER NOT NULL,
    PRIMARY KEY (namespace, event, leaf, run, step)
) STRICT, WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS waits_run ON waits (run);

CREATE TABLE IF NOT EXISTS inbox (
    recipient TEXT NOT NULL,
    sender TEXT NOT NULL,
    kind TEXT NOT NULL,
    body TEXT NOT NULL,
    crc INTEGER NOT NULL,
    PRIMARY KEY (recipient, sender, kind)
) STRICT, WITHOUT ROWID;
";

/// Columns that came after the first version, each by its table and name, and how it is added to tables
/// that do not have it.
pub(super) const LATER: [(&str, &str, &str); 3] = [
    ("runs", "parent", "ALTER TABLE runs ADD COLUMN parent TEXT"),
    (
        "runs",
        "error",
        "ALTER TABLE runs ADD COLUMN error TEXT;
        UPDATE runs SET error = (
            SELECT json_object(
                'name', substr(r.value ->> '$.error.name', 1, 200),
                'message', substr(r.value ->> '$.error.message', 1, 200))
            FROM history AS h,
                json_each(CASE WHEN json_valid('[' || rtrim(h.records, ',') || ']')
                    THEN '[' || rtrim(h.records, ',') || ']' ELSE '[]' END) AS j,
                json_each(j.value) AS r
            WHERE h.run = runs.id
                AND h.chunk = (SELECT max(chunk) FROM history WHERE run = runs.id)
                AND r.key = 'ended' AND r.value -> '$.error' IS NOT NULL)
        WHERE ended_at IS NOT NULL AND status <> 'completed'",
    ),
    (
        "searches",
        "app",
        "ALTER TABLE searches ADD COLUMN app TEXT;
        ALTER TABLE searches ADD COLUMN workflow TEXT;
        ALTER TABLE searches ADD COLUMN status TEXT;
        ALTER TABLE searches ADD COLUMN created_at INTEGER;
        UPDATE searches SET (app, workflow, status, created_at) =
            (SELECT app, workflow, status, created_at FROM runs WHERE id = searches.run)",
    ),
];

/// Indexes on columns of [`LATER`], and those that took the place of others.
///
/// Lists read nothing but these until they know which runs to show, so they hold all that lists are
/// filtered by. The id comes where runs are wanted in its order, and what is only looked at behind it.
pub(super) const LATER_INDEXES: &str = "
CREATE INDEX IF NOT EXISTS runs_parent ON runs (parent, status, id) WHERE parent IS NOT NULL;
CREATE INDEX IF NOT EXISTS runs_status ON runs (namespace, status, id, created_at);
CREATE INDEX IF NOT EXISTS runs_app ON runs (namespace, app, workflow, status, id, created_at);
CREATE INDEX IF NOT EXISTS runs_over ON runs (ended_at, id, namespace, app, workflow, status)
    WHERE ended_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS runs_kept ON runs (namespace, app, workflow, status, ended_at, id)
    WHERE ended_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS searches_term ON searches
    (namespace, name, kind, number, text, run, app, workflow, status, created_at);
DROP INDEX IF EXISTS runs_by_status;
DROP INDEX IF EXISTS runs_by_workflow;
DROP INDEX IF EXISTS runs_ended;
DROP INDEX IF EXISTS searches_value;
";

/// One row for each step of each run, read from `history`.
///
/// A chunk is records with a comma behind each, so it is a JSON array but for its brackets. A step
/// that has begun and not ended is `running` while a runner holds its run, else `pending`: it begins
/// again. The engine itself never reads this view.
pub(super) const STEPS: &str = "
CREATE VIEW IF NOT EXISTS steps AS
WITH facts AS (
    SELECT
        h.run AS run,
        h.chunk * 4294967296 + j.key AS place,
        r.key AS name,
        r.value AS fact
    FROM history AS h,
        json_each('[' || rtrim(h.records, ',') || ']') AS j,
        json_each(j.value) AS r
    WHERE r.key IN ('stepStarted', 'attemptFailed', 'sleepStarted', 'stepEnded')
), folded AS (
    SELECT
        run,
        fact ->> '$.step' AS step,
        min(place) AS place,
        max(fact ->> '$.open.kind') AS kind,
        max(CASE name WHEN 'stepEnded' THEN fact ->> '$.status' END) AS ended,
        substr(max(printf('%020d', place) || name), 21) AS last,
        coalesce(max(fact ->> '$.attempt.n'), 0) AS attempts,
        min(coalesce(fact ->> '$.attempt.startedAt', fact ->> '$.open.at')) AS started_at,
        max(CASE name WHEN 'stepEnded' THEN fact ->> '$.at' END) AS ended_at,
        max(CASE name WHEN 'stepEnded' THEN fact -> '$.output' END) AS output,
        max(CASE name WHEN 'stepEnded' THEN fact -> '$.error' END) AS error
    FROM facts
    GROUP BY run, fact ->> '$.step'
)
SELECT
    f.run AS run,
    row_number() OVER (PARTITION BY f.run ORDER BY f.place) AS number,
    f.step AS step,
    f.kind AS kind,
    CASE
        WHEN f.ended IS NOT NULL THEN f.ended
        WHEN r.ended_at IS NOT NULL THEN 'cancelled'
        WHEN f.last = 'attemptFailed' THEN 'retrying'
        WHEN f.last = 'sleepStarted' THEN 'sleeping'
        WHEN r.active THEN 'running'
        ELSE 'pending'
    END AS status,
    f.attempts AS attempts,
    f.started_at AS started_at,
    f.ended_at AS ended_at,
    strftime('%Y-%m-%dT%H:%M:%fZ', f.started_at / 1e6, 'unixepoch') AS started,
    strftime('%Y-%m-%dT%H:%M:%fZ', f.ended_at / 1e6, 'unixepoch') AS ended,
    f.output AS output,
    f.error AS error
FROM folded AS f
JOIN runs AS r ON r.id = f.run;
";

/// Takes away everything that [`SCHEMA`] and [`STEPS`] made.
pub(super) const DISCARD: &str = "
DROP VIEW IF EXISTS steps;
DROP TABLE IF EXISTS inbox;
DROP TABLE IF EXISTS searches;
DROP TABLE IF EXISTS waits;
DROP TABLE IF EXISTS event_runs;
DROP TABLE IF EXISTS events;
DROP TABLE IF EXISTS history;
DROP TABLE IF EXISTS runs;
DROP TABLE IF EXISTS workflows;
DROP TABLE IF EXISTS meta;
";
