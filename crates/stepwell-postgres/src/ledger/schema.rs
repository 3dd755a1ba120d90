//! The tables of the ledger.

/// The step that makes them.
pub(crate) const LEDGER: &str = r#"
CREATE TABLE ledger_meta (
    name text COLLATE "C" PRIMARY KEY,
    value bytea NOT NULL
);

CREATE TABLE namespaces (
    name text COLLATE "C" PRIMARY KEY,
    created_at bigint NOT NULL,
    created_by text NOT NULL,
    closed_at bigint
);

CREATE TABLE access_keys (
    n bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id text COLLATE "C" NOT NULL UNIQUE,
    name text NOT NULL,
    namespace text COLLATE "C" NOT NULL,
    role text NOT NULL,
    hash bytea NOT NULL,
    generation bigint NOT NULL,
    previous_hash bytea,
    previous_until bigint,
    created_at bigint NOT NULL,
    created_by text NOT NULL,
    expires_at bigint,
    revoked_at bigint,
    last_used_at bigint
) WITH (fillfactor = 50);

CREATE TABLE audit (
    n bigint PRIMARY KEY,
    hash bytea NOT NULL,
    at bigint NOT NULL,
    namespace text COLLATE "C" NOT NULL,
    key text COLLATE "C",
    key_name text NOT NULL,
    address text NOT NULL,
    act text COLLATE "C" NOT NULL,
    object text NOT NULL,
    reason text,
    outcome text NOT NULL,
    of_n bigint
);

CREATE INDEX audit_of_namespace ON audit (namespace, n);

CREATE TABLE bulks (
    n bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id text COLLATE "C" NOT NULL UNIQUE,
    namespace text COLLATE "C" NOT NULL,
    key text COLLATE "C",
    ended_at bigint,
    body text NOT NULL
) WITH (fillfactor = 50);

CREATE UNIQUE INDEX bulks_by_key ON bulks (namespace, key) WHERE key IS NOT NULL;
CREATE INDEX bulks_open ON bulks (n) WHERE ended_at IS NULL;

-- Runs of acts that have not ended, in their order.
CREATE TABLE bulk_runs (
    bulk text COLLATE "C" NOT NULL,
    portion bigint NOT NULL,
    runs uuid[] NOT NULL,
    PRIMARY KEY (bulk, portion)
);
"#;
