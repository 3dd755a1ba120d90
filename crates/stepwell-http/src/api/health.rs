//! Health.

use axum::body::Body;
use axum::extract::State;
use axum::http::{Response, StatusCode};
use serde::Serialize;
use stepwell_access::Right;
use utoipa::ToSchema;

use super::answer::json;
use super::restored;
use super::routes::Api;
use crate::gate::Caller;
use crate::observe::Observed;
use crate::openapi::About;
use crate::problem::Problem;

/// How the server is; who has no right to know more is told `status` alone.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Health {
    /// `ok`, `degraded` while starts are refused, or `held` after a restore until runs are let go.
    status: &'static str,
    #[schema(required = false)]
    version: &'static str,
    /// The last durable batch.
    #[schema(required = false)]
    head: u64,
    /// The last batch that lists show.
    #[schema(required = false)]
    folded: u64,
    #[schema(required = false)]
    fold_lag_ms: f64,
    #[schema(required = false)]
    tail_bytes: u64,
    #[schema(required = false)]
    disk_bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    disk_free_bytes: Option<u64>,
    #[schema(required = false)]
    node_restarts: u64,
    /// Of observed runs; left out where no telemetry is taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    telemetry: Option<OfTelemetry>,
    /// What is known of the backup that the store was restored from.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    restored: Option<restored::Shown>,
    /// Why starts are refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    refuses_starts: Option<String>,
}

/// How the store of observed runs is.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = TelemetryHealth)]
struct OfTelemetry {
    /// `ok`, or `failed` while nothing can be kept; durable runs go on.
    status: &'static str,
    /// Bytes that are durable and not in tables yet.
    tail_bytes: u64,
    disk_bytes: u64,
}

impl OfTelemetry {
    async fn of(observed: &Observed) -> Self {
        let health = observed.health().await;
        let is_well = health.is_some_and(|health| !health.is_poisoned);
        let health = health.unwrap_or_default();
        Self {
            status: if is_well { "ok" } else { "failed" },
            tail_bytes: health.tail_bytes,
            disk_bytes: health.disk_bytes,
        }
    }
}

/// What is told to who has no key.
#[derive(Serialize)]
struct Pulse {
    status: &'static str,
}

/// Describes [`health`].
pub(super) fn about_health() -> About {
    About::new("health", "Tells whether the server serves, and how far behind lists are")
        .answer::<Health>(200, "It serves.")
}

/// Tells whether the server serves. Starts that are refused make it `degraded`, not unhealthy:
/// taking it out of service would stop the runs that can still end. So does `held`: nothing is wrong with
/// a server that was restored and waits for somebody to let its runs go.
pub(super) async fn health(
    State(api): State<Api>,
    caller: Option<Caller>,
) -> Result<Response<Body>, Problem> {
    let store = api.node.read(|store| Ok(store.health())).await?;
    // Proves that the node's thread answers.
    api.node.stats().await?;
    let refuses = store.refuses_growth.as_ref().map(ToString::to_string);
    let restored = api.node.restored().await?.map(restored::Shown::from);
    let held = restored.as_ref().is_some_and(|restored| restored.held);
    let status = match (held, refuses.is_some()) {
        (true, _) => "held",
        (false, true) => "degraded",
        (false, false) => "ok",
    };
    if !caller.is_some_and(|caller| caller.may(Right::ServerRead)) {
        return json(StatusCode::OK, &Pulse { status });
    }
    let telemetry = match &api.observed {
        Some(observed) => Some(OfTelemetry::of(observed).await),
        None => None,
    };
    let health = Health {
        telemetry,
        status,
        version: env!("CARGO_PKG_VERSION"),
        head: store.head.0,
        folded: store.folded.0,
        fold_lag_ms: store.fold_lag.as_secs_f64() * 1_000.0,
        tail_bytes: store.tail_bytes,
        disk_bytes: store.disk_bytes,
        disk_free_bytes: store.disk_free,
        node_restarts: api.node.restarts(),
        restored,
        refuses_starts: refuses,
    };
    json(StatusCode::OK, &health)
}
