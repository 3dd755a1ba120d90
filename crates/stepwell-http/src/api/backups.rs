//! Backups: making and listing them.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Response, StatusCode};
use serde::{Deserialize, Serialize};
use stepwell_core::code::Code;
use stepwell_core::time::Timestamp;
use stepwell_core::view::iso;
use stepwell_driver::{BackupAsked, BackupFailure, BackupRunning, BackupState};
use stepwell_store::backup::Taken;
use utoipa::ToSchema;

use super::answer::json;
use super::body;
use super::routes::Api;
use crate::gate::Caller;
use crate::openapi::{About, shapes};
use crate::problem::Problem;

/// Nothing is asked for but a backup: where it goes is a setting, and never comes from a request.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "no body, or a JSON object without fields")]
#[schema(as = CreateBackup)]
struct CreateBody {}

/// A backup that is being made.
#[derive(Serialize, ToSchema)]
#[schema(as = BegunBackup)]
struct Begun {
    #[serde(serialize_with = "iso")]
    #[schema(value_type = shapes::Instant)]
    at: Timestamp,
    /// This request began it; otherwise it was being made.
    begun: bool,
}

/// Describes [`create`].
pub(super) fn about_create() -> About {
    About::new("createBackup", "Begins a backup")
        .optional_body::<CreateBody>()
        .answer::<Begun>(202, "One is being made.")
        .refuses(&[Code::ConfigInvalid])
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

/// Describes [`list`].
pub(super) fn about_list() -> About {
    About::new("listBackups", "Lists backups, and how far one is")
        .answer::<List>(200, "The backups.")
        .refuses(&[Code::FolderUnusable])
}

/// The backups that are there.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = BackupList)]
struct List {
    /// How many are kept; null where no folder is set.
    #[schema(required)]
    kept: Option<usize>,
    /// The one that is being made.
    #[schema(required)]
    running: Option<ShownRunning>,
    /// The last one that was not made, since the server started.
    #[schema(required)]
    last_failure: Option<ShownFailure>,
    /// Oldest first.
    backups: Vec<Shown>,
}

/// How far a backup is.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = RunningBackup)]
struct ShownRunning {
    #[serde(serialize_with = "iso")]
    #[schema(value_type = shapes::Instant)]
    at: Timestamp,
    copied_bytes: u64,
    total_bytes: u64,
}

/// Why a backup was not made.
#[derive(Serialize, ToSchema)]
#[schema(as = FailedBackup)]
struct ShownFailure {
    #[serde(serialize_with = "iso")]
    #[schema(value_type = shapes::Instant)]
    at: Timestamp,
    #[schema(value_type = shapes::CodeWord)]
    code: &'static str,
    detail: String,
}

/// A backup.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Backup)]
struct Shown {
    name: String,
    #[serde(serialize_with = "iso")]
    #[schema(value_type = shapes::Instant)]
    at: Timestamp,
    bytes: u64,
    /// The store that it is of: another one's where the folder is shared, or after a restore.
    store: String,
    head: u64,
    /// How long it took; known of those that were made since the server started.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
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
