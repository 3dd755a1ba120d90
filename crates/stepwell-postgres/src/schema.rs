//! The tables, as people see them with `psql`. Instants are microseconds since 1970 in UTC.

use crate::ledger::schema::LEDGER;

/// How the tables came to be what they are, one step after the other. A step is never changed.
pub(crate) const STEPS: [&str; 2] = [FIRST, LEDGER];

/// With the steps above, the least format of which a program may write into these tables: an older
/// program may go on beside a newer one as long as its format is at least this.
pub(crate) const LEAST_WRITER: i64 = 2;

const FIRST: &str = r#"
CREATE TABLE meta (
    name text COLLATE "C" PRIMARY KEY,
    value bigint NOT NULL
) WITH (fillfactor = 50);

INSERT INTO meta (name, value)
    VALUES ('head', 0), ('high_water', -9223372036854775808), ('workflows', 0);

-- The store's time. Leases are counted in it, and nothing else.
CREATE FUNCTION store_time() RETURNS bigint LANGUAGE sql VOLATILE
    AS 'SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint';

-- Each opening of the store is a member. Its row is the fence: who writes changes it in the same
-- statement.
CREATE TABLE members (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    node text COLLATE "C" NOT NULL,
    nonce uuid NOT NULL,
    since bigint NOT NULL,
    lease_until bigint NOT NULL,
    ended boolean NOT NULL DEFAULT false,
    head bigint NOT NULL,
    base bigint NOT NULL,
    high_water bigint NOT NULL
) WITH (fillfactor = 10);

CREATE TABLE runners (
    member bigint NOT NULL,
    namespace text COLLATE "C" NOT NULL,
    app text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    instance text COLLATE "C" NOT NULL,
    since bigint NOT NULL,
    body text NOT NULL,
    PRIMARY KEY (member, namespace, app, name, instance)
);

CREATE TABLE workflows (
    namespace text COLLATE "C" NOT NULL,
    app text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    options text NOT NULL,
    first_at bigint NOT NULL,
    changed_at bigint NOT NULL,
    version bigint NOT NULL,
    PRIMARY KEY (namespace, app, name)
);

-- What is looked for. How many steps there are, and of how many bytes, the last chunk of a run tells.
CREATE TABLE runs (
    id uuid PRIMARY KEY,
    parent uuid,
    created_at bigint NOT NULL,
    started_at bigint,
    ended_at bigint,
    ready_at bigint,
    timer_at bigint,
    owner bigint,
    away_until bigint,
    away_idle boolean NOT NULL,
    active boolean NOT NULL,
    status text COLLATE "C" NOT NULL,
    namespace text COLLATE "C" NOT NULL,
    app text COLLATE "C" NOT NULL,
    workflow text COLLATE "C" NOT NULL,
    key text COLLATE "C",
    version text COLLATE "C",
    runner text COLLATE "C",
    shuns text COLLATE "C",
    blocked text COLLATE "C",
    error text COLLATE "C",
    search text COLLATE "C"
) WITH (fillfactor = 80);

CREATE INDEX runs_status ON runs (namespace, status, id);
CREATE INDEX runs_app ON runs (namespace, app, workflow, id);
CREATE INDEX runs_open ON runs (namespace, app, workflow, status) WHERE ended_at IS NULL;
CREATE INDEX runs_over ON runs (ended_at, id) WHERE ended_at IS NOT NULL;
CREATE INDEX runs_kept ON runs (namespace, app, workflow, status, ended_at, id)
    WHERE ended_at IS NOT NULL;
CREATE INDEX runs_ready ON runs (namespace, app, workflow, ready_at, id) WHERE ready_at IS NOT NULL;
CREATE INDEX runs_timer ON runs (timer_at, id) WHERE timer_at IS NOT NULL;
CREATE INDEX runs_away ON runs (away_until, id) WHERE away_until IS NOT NULL;
CREATE INDEX runs_active ON runs (id) WHERE active;
CREATE INDEX runs_blocked ON runs (namespace, app, workflow, id) WHERE blocked IS NOT NULL;
CREATE INDEX runs_key ON runs (namespace, key, id) WHERE key IS NOT NULL;
CREATE INDEX runs_parent ON runs (parent, id) WHERE parent IS NOT NULL;
CREATE INDEX runs_owner ON runs (owner, id) WHERE owner IS NOT NULL;

-- A key starts one run.
CREATE TABLE keys (
    namespace text COLLATE "C" NOT NULL,
    app text COLLATE "C" NOT NULL,
    workflow text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    run uuid NOT NULL,
    PRIMARY KEY (namespace, app, workflow, key)
);

-- Journals, each chunk under its place: two that both follow the same records cannot both be there.
CREATE TABLE history (
    run uuid NOT NULL,
    at_byte bigint NOT NULL,
    steps bigint NOT NULL,
    steps_ended bigint NOT NULL,
    steps_failed bigint NOT NULL,
    crc bigint NOT NULL,
    bytes bytea NOT NULL,
    PRIMARY KEY (run, at_byte)
);

CREATE TABLE searches (
    run uuid NOT NULL,
    namespace text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    kind smallint NOT NULL,
    number double precision,
    text text COLLATE "C",
    PRIMARY KEY (run, name)
);

CREATE INDEX searches_term ON searches (namespace, name, kind, number, text, run);

CREATE TABLE waits (
    namespace text COLLATE "C" NOT NULL,
    event text COLLATE "C" NOT NULL,
    leaf bigint NOT NULL,
    run uuid NOT NULL,
    step text COLLATE "C" NOT NULL,
    app text COLLATE "C" NOT NULL,
    wanted text,
    since bigint NOT NULL,
    PRIMARY KEY (namespace, event, leaf, run, step)
);

CREATE INDEX waits_run ON waits (run);

CREATE TABLE events (
    namespace text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    accepted_at bigint NOT NULL,
    data text,
    offer text,
    app text COLLATE "C",
    workflow text COLLATE "C",
    run uuid,
    key text COLLATE "C",
    routed boolean NOT NULL,
    kept boolean NOT NULL,
    router bigint,
    crc bigint,
    PRIMARY KEY (namespace, id)
) WITH (fillfactor = 90);

CREATE INDEX events_name ON events (namespace, name, accepted_at, id) WHERE kept;
CREATE INDEX events_age ON events (kept, accepted_at, namespace, id);
CREATE INDEX events_unrouted ON events (accepted_at, namespace, id) WHERE NOT routed;

CREATE TABLE did (
    namespace text COLLATE "C" NOT NULL,
    event text COLLATE "C" NOT NULL,
    run uuid NOT NULL,
    step text COLLATE "C" NOT NULL,
    PRIMARY KEY (namespace, event, run, step)
);

CREATE TABLE inbox (
    recipient uuid NOT NULL,
    sender uuid NOT NULL,
    kind smallint NOT NULL,
    body text NOT NULL,
    crc bigint NOT NULL,
    PRIMARY KEY (recipient, sender, kind)
);

CREATE TABLE answers (
    ask uuid PRIMARY KEY,
    at bigint NOT NULL,
    body text NOT NULL
);

CREATE INDEX answers_age ON answers (at, ask);
"#;
