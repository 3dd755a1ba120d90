//! Every setting as a flag, as a variable of the environment, and as a key of the file. What each takes stands in
//! the table.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::Deserialize;

use super::otlp::SecretText;
use super::rules::RuleSetting;
use super::values::{Bytes, Listen, Span, count};

/// How logs are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Text on a terminal, else JSON. The default.
    #[default]
    Auto,
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
}

impl LogFormat {
    /// Returns the word in flags and the file.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Text => "text",
            Self::Json => "json",
        }
    }
}

/// Who is let in, in flags and the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum AccessMode {
    /// Who has a key.
    Keys,
    /// Whoever is on this machine, without a key.
    Loopback,
}

/// Whether telemetry is taken, in flags and the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum TelemetryMode {
    /// Runs of other code are observed. The default.
    #[default]
    On,
    /// No telemetry is taken, and nothing that was observed is shown.
    Off,
}

impl TelemetryMode {
    /// Returns the word in flags and the file.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::On => "on",
            Self::Off => "off",
        }
    }
}

/// Settings as given on the command line and in the environment, or in the file; absent where not.
///
/// A key of the file is the name of the field; a flag has dashes in place of underscores. Ranges and defaults are
/// those of [`SETTINGS`](super::SETTINGS), from which help says them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[command(
    next_help_heading = "Settings (flags win over STEPWELL_* variables, these over --config)"
)]
pub struct Settings {
    /// Address to listen on; one that other machines can reach takes TLS
    #[arg(long, env = "STEPWELL_LISTEN", value_name = "ADDR:PORT")]
    pub listen: Option<Listen>,
    /// Folder that holds everything; made if it is not there
    #[arg(long, env = "STEPWELL_DATA", value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// PostgreSQL that holds everything in place of a folder: several nodes may share it
    #[arg(long, env = "STEPWELL_STORE", value_name = "URL")]
    pub store: Option<SecretText>,
    /// Schema of the database that is Stepwell's
    #[arg(long, env = "STEPWELL_STORE_SCHEMA", value_name = "NAME")]
    pub store_schema: Option<String>,
    /// Authorities that certificates of the database are trusted of beside those of the system, PEM
    #[arg(long, env = "STEPWELL_STORE_CA_FILE", value_name = "FILE")]
    pub store_ca_file: Option<PathBuf>,
    /// Name of this node among those that share a store, which no other one has; without it host and port
    #[arg(long, env = "STEPWELL_NODE", value_name = "NAME")]
    pub node: Option<String>,
    /// Silence after which what a node of a shared store holds goes to the others
    #[arg(long, env = "STEPWELL_LEASE", value_name = "DURATION")]
    pub lease: Option<Span>,
    /// Who is let in; of `dev` whoever is on this machine, where nothing else is said
    #[arg(long, env = "STEPWELL_ACCESS")]
    pub access: Option<AccessMode>,
    /// File for the first admin key, in place of standard output; a key that is there is taken
    #[arg(long, env = "STEPWELL_ADMIN_KEY_FILE", value_name = "FILE")]
    pub admin_key_file: Option<PathBuf>,
    /// Certificate with its chain, PEM
    #[arg(long, env = "STEPWELL_TLS_CERT", value_name = "FILE")]
    pub tls_cert: Option<PathBuf>,
    /// Key of the certificate, PEM
    #[arg(long, env = "STEPWELL_TLS_KEY", value_name = "FILE")]
    pub tls_key: Option<PathBuf>,
    /// A proxy does TLS, passes on `Host`, and says in `X-Forwarded-For` who asks
    #[arg(long, env = "STEPWELL_TLS_TERMINATED_BY_PROXY", value_name = "BOOL")]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub tls_terminated_by_proxy: Option<bool>,
    /// Most requests with one key in a second
    #[arg(long, env = "STEPWELL_KEY_REQUESTS_PER_SECOND", value_name = "N", value_parser = count)]
    pub key_requests_per_second: Option<u32>,
    /// Most wrong keys from an address in a minute
    #[arg(long, env = "STEPWELL_WRONG_KEYS_PER_MINUTE", value_name = "N", value_parser = count)]
    pub wrong_keys_per_minute: Option<u32>,
    /// Most connections of an address that have not shown a key
    #[arg(long, env = "STEPWELL_UNKNOWN_CONNECTIONS_MAX", value_name = "N", value_parser = count)]
    pub unknown_connections_max: Option<u32>,
    /// How logs are written
    #[arg(long, env = "STEPWELL_LOG_FORMAT")]
    pub log_format: Option<LogFormat>,
    /// What is logged: error, warn, info, debug, or targets as in `stepwell_server=debug`
    #[arg(long, env = "STEPWELL_LOG", value_name = "FILTER")]
    pub log: Option<String>,
    /// Receiver of traces (OTLP over HTTP); without one there are none
    #[arg(long, env = "STEPWELL_OTLP_ENDPOINT", value_name = "URL")]
    pub otlp_endpoint: Option<String>,
    /// Headers for the receiver of traces: `name=value`, several with commas between them
    #[arg(long, env = "STEPWELL_OTLP_HEADERS", value_name = "HEADERS")]
    pub otlp_headers: Option<SecretText>,
    /// Name of the service that traces are of
    #[arg(long, env = "STEPWELL_OTLP_SERVICE_NAME", value_name = "NAME")]
    pub otlp_service_name: Option<String>,
    /// How long ended runs and their keys are kept
    #[arg(long, env = "STEPWELL_RETENTION", value_name = "DURATION")]
    pub retention: Option<Span>,
    /// How long which runs are kept otherwise; in the file only.
    #[arg(skip)]
    pub retention_rule: Vec<RuleSetting>,
    /// How long events are kept (their ids at least 7d)
    #[arg(long, env = "STEPWELL_EVENT_RETENTION", value_name = "DURATION")]
    pub event_retention: Option<Span>,
    /// Whether telemetry of code that is not durable is taken
    #[arg(long, env = "STEPWELL_TELEMETRY")]
    pub telemetry: Option<TelemetryMode>,
    /// How long observed runs are kept after their last event
    #[arg(long, env = "STEPWELL_TELEMETRY_RETENTION", value_name = "DURATION")]
    pub telemetry_retention: Option<Span>,
    /// Free space below which no new runs are taken
    #[arg(long, env = "STEPWELL_RESERVE_BYTES", value_name = "SIZE")]
    pub reserve_bytes: Option<Bytes>,
    /// Folder for backups; without one there are none
    #[arg(long, env = "STEPWELL_BACKUP_DIR", value_name = "DIR")]
    pub backup_dir: Option<PathBuf>,
    /// How many backups are kept
    #[arg(long, env = "STEPWELL_BACKUPS_KEPT", value_name = "N", value_parser = count)]
    pub backups_kept: Option<u32>,
    /// Most bytes that are durable in the log but not in tables yet
    #[arg(long, env = "STEPWELL_TAIL_BYTES_MAX", value_name = "SIZE")]
    pub tail_bytes_max: Option<Bytes>,
    /// Largest input, result or metadata
    #[arg(long, env = "STEPWELL_PAYLOAD_BYTES_MAX", value_name = "SIZE")]
    pub payload_bytes_max: Option<Bytes>,
    /// Most steps in a run
    #[arg(long, env = "STEPWELL_STEPS_MAX", value_name = "N", value_parser = count)]
    pub steps_max: Option<u32>,
    /// Most steps of a run in flight at once
    #[arg(long, env = "STEPWELL_BRANCHES_MAX", value_name = "N", value_parser = count)]
    pub branches_max: Option<u32>,
    /// Most levels of children below a run
    #[arg(long, env = "STEPWELL_NESTING_MAX", value_name = "N", value_parser = count)]
    pub nesting_max: Option<u32>,
    /// Largest data of an event
    #[arg(long, env = "STEPWELL_EVENT_BYTES_MAX", value_name = "SIZE")]
    pub event_bytes_max: Option<Bytes>,
    /// Largest journal of a run, beyond which the run is blocked
    #[arg(long, env = "STEPWELL_JOURNAL_BYTES_MAX", value_name = "SIZE")]
    pub journal_bytes_max: Option<Bytes>,
    /// Silence after which a runner's runs go to another
    #[arg(long, env = "STEPWELL_RUNNER_TTL", value_name = "DURATION")]
    pub runner_ttl: Option<Span>,
    /// How often runners are heard, at most a third of the time of `runner_ttl`
    #[arg(long, env = "STEPWELL_PING", value_name = "DURATION")]
    pub ping: Option<Span>,
    /// How long a waiting run stays with its runner
    #[arg(long, env = "STEPWELL_LINGER", value_name = "DURATION")]
    pub linger: Option<Span>,
    /// Time for functions in flight to return once a run ends
    #[arg(long, env = "STEPWELL_GRACE", value_name = "DURATION")]
    pub grace: Option<Span>,
    /// Time for the clean-up of a run that ends badly
    #[arg(long, env = "STEPWELL_CLEANUP", value_name = "DURATION")]
    pub cleanup: Option<Span>,
}

impl Settings {
    /// Takes from `below` what is absent here.
    #[must_use]
    pub fn or(self, below: Self) -> Self {
        Self {
            listen: self.listen.or(below.listen),
            data: self.data.or(below.data),
            store: self.store.or(below.store),
            store_schema: self.store_schema.or(below.store_schema),
            store_ca_file: self.store_ca_file.or(below.store_ca_file),
            node: self.node.or(below.node),
            lease: self.lease.or(below.lease),
            access: self.access.or(below.access),
            admin_key_file: self.admin_key_file.or(below.admin_key_file),
            tls_cert: self.tls_cert.or(below.tls_cert),
            tls_key: self.tls_key.or(below.tls_key),
            tls_terminated_by_proxy: self.tls_terminated_by_proxy.or(below.tls_terminated_by_proxy),
            key_requests_per_second: self.key_requests_per_second.or(below.key_requests_per_second),
            wrong_keys_per_minute: self.wrong_keys_per_minute.or(below.wrong_keys_per_minute),
            unknown_connections_max: self.unknown_connections_max.or(below.unknown_connections_max),
            log_format: self.log_format.or(below.log_format),
            log: self.log.or(below.log),
            otlp_endpoint: self.otlp_endpoint.or(below.otlp_endpoint),
            otlp_headers: self.otlp_headers.or(below.otlp_headers),
            otlp_service_name: self.otlp_service_name.or(below.otlp_service_name),
            retention: self.retention.or(below.retention),
            retention_rule: [self.retention_rule, below.retention_rule].concat(),
            event_retention: self.event_retention.or(below.event_retention),
            telemetry: self.telemetry.or(below.telemetry),
            telemetry_retention: self.telemetry_retention.or(below.telemetry_retention),
            reserve_bytes: self.reserve_bytes.or(below.reserve_bytes),
            backup_dir: self.backup_dir.or(below.backup_dir),
            backups_kept: self.backups_kept.or(below.backups_kept),
            tail_bytes_max: self.tail_bytes_max.or(below.tail_bytes_max),
            payload_bytes_max: self.payload_bytes_max.or(below.payload_bytes_max),
            steps_max: self.steps_max.or(below.steps_max),
            branches_max: self.branches_max.or(below.branches_max),
            nesting_max: self.nesting_max.or(below.nesting_max),
            event_bytes_max: self.event_bytes_max.or(below.event_bytes_max),
            journal_bytes_max: self.journal_bytes_max.or(below.journal_bytes_max),
            runner_ttl: self.runner_ttl.or(below.runner_ttl),
            ping: self.ping.or(below.ping),
            linger: self.linger.or(below.linger),
            grace: self.grace.or(below.grace),
            cleanup: self.cleanup.or(below.cleanup),
        }
    }
}
