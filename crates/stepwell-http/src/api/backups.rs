//! Backups: making and listing them.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Response, StatusCode};
use serde::{Deserialize, Serialize};
use stepwell_core::time::Timestamp;
use stepwell_core::view::iso;
use stepwell_driver::{BackupAsked, BackupFailure, BackupRunning, BackupState};
use stepwell_store::backup::Taken;

use super::answer::json;
use super::body;
use super::routes::Api;
use crate::gate::Caller;
use crate::problem::Problem;

/// Nothing is asked for but a backup: where it goes is a setting, and never comes from a request.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, expecting = "no body, or a JSON object without fields")]
struct CreateBody {}

#[derive(Serialize)]
struct Begun {
    #[serde(serialize_with = "iso")]
    at: Timestamp,
    /// This request began it; otherwise it was being made.
    begun: bool,
}

/// Begins a backup.
pub(super) async fn create(
    State(api): State<Api>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response<Body>, Problem> {
    let CreateBody {} = body::optional(&headers, body, &api.limits).await?;
    let BackupAsked { at, begun } = api.backups.begin()?;
    json(StatusCode::ACCEPTED, &Begun { at, begun })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct List {
    /// How many are kept; absent where no folder is set.
    kept: Option<usize>,
    /// The one that is being made.
    running: Option<ShownRunning>,
    /// The last one that was not made, since the server started.
    last_failure: Option<ShownFailure>,
    /// Oldest first.
    backups: Vec<Shown>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ShownRunning {
    #[serde(serialize_with = "iso")]
    at: Timestamp,
    copied_bytes: u64,
    total_bytes: u64,
}

#[derive(Serialize)]
struct ShownFailure {
    #[serde(serialize_with = "iso")]
    at: Timestamp,
    code: &'static str,
    detail: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    name: String,
    #[serde(serialize_with = "iso")]
    at: Timestamp,
    bytes: u64,
    /// The store that it is of: another one's where the folder is shared, or after a restore.
    store: String,
    head: u64,
    /// How long it took; known of those that were made since the server started.
    #[serde(skip_serializing_if = "Option::is_none")]
    took_ms: Option<u64>,
}

/// Lists the backups that are there.
pub(super) async fn list(
    State(api): State<Api>,
    _caller: Caller,
) -> Result<Response<Body>, Problem> {
    // Before the list: one that is not being made any more is in it.
    let BackupState { running, last, last_failure, .. } = api.backups.state();
    let found = api.backups.list().await?;
    let took = |taken: &Taken| {
        let (_, took) = last.as_ref().filter(|(last, _)| last == taken)?;
        Some(u64::try_from(took.as_millis()).unwrap_or(u64::MAX))
    };
    let backups = found.into_iter().map(|taken| Shown {
        took_ms: took(&taken),
        name: taken.name,
        at: taken.at,
        bytes: taken.bytes,
        store: format!("{:032x}", taken.store),
        head: taken.head.0,
    });
    let list = List {
        kept: api.backups.place().map(|place| place.kept),
        running: running.map(|BackupRunning { at, progress }| ShownRunning {
            at,
            copied_bytes: progress.copied,
            total_bytes: progress.total,
        }),
        last_failure: last_failure.map(|BackupFailure { at, error }| ShownFailure {
            at,
            code: error.code.as_str(),
            detail: error.detail,
        }),
        backups: backups.collect(),
    };
    json(StatusCode::OK, &list)
}
