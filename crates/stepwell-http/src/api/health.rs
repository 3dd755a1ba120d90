//! Health and metrics.

use std::fmt::Write as _;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, Response, StatusCode, header};
use serde::Serialize;
use stepwell_access::Right;
use stepwell_core::code::Code;
use stepwell_node::Stats;
use stepwell_store::Health as StoreHealth;
use utoipa::ToSchema;

use super::answer::json;
use super::routes::Api;
use crate::gate::Caller;
use crate::openapi::About;
use crate::problem::Problem;

/// How the server is; who has no right to know more is told `status` alone.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Health {
    /// `ok`, or `degraded` while starts are refused.
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
    /// Why starts are refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    refuses_starts: Option<String>,
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

/// Describes [`metrics`].
pub(super) fn about_metrics() -> About {
    About::new("metrics", "Tells counters and gauges as Prometheus text").answer_as(
        200,
        "text/plain",
        "The text format of Prometheus, version 0.0.4.",
    )
}

/// Tells whether the server serves. Starts that are refused make it `degraded`, not unhealthy:
/// taking it out of service would stop the runs that can still end.
pub(super) async fn health(
    State(api): State<Api>,
    caller: Option<Caller>,
) -> Result<Response<Body>, Problem> {
    let store = api.node.read(|store| Ok(store.health())).await?;
    // Proves that the node's thread answers.
    api.node.stats().await?;
    let refuses = store.refuses_growth.as_ref().map(ToString::to_string);
    let status = if refuses.is_some() { "degraded" } else { "ok" };
    if !caller.is_some_and(|caller| caller.may(Right::ServerRead)) {
        return json(StatusCode::OK, &Pulse { status });
    }
    let health = Health {
        status,
        version: env!("CARGO_PKG_VERSION"),
        head: store.head.0,
        folded: store.folded.0,
        fold_lag_ms: store.fold_lag.as_secs_f64() * 1_000.0,
        tail_bytes: store.tail_bytes,
        disk_bytes: store.disk_bytes,
        disk_free_bytes: store.disk_free,
        node_restarts: api.node.restarts(),
        refuses_starts: refuses,
    };
    json(StatusCode::OK, &health)
}

/// Tells counters and gauges as Prometheus text.
pub(super) async fn metrics(
    State(api): State<Api>,
    _caller: Caller,
) -> Result<Response<Body>, Problem> {
    let store = api.node.read(|store| Ok(store.health())).await?;
    let stats = api.node.stats().await?;
    let text = render(&stats, &store, api.node.restarts())
        .map_err(|error| Problem::new(Code::Internal, error.to_string()))?;
    let mut response = Response::new(Body::from(text));
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8"),
    );
    Ok(response)
}

fn render(stats: &Stats, store: &StoreHealth, restarts: u64) -> Result<String, std::fmt::Error> {
    let counters = [
        ("runs_started", stats.runs_started, "Runs started"),
        ("runs_ended", stats.runs_ended, "Runs ended"),
        ("steps_ended", stats.steps_ended, "Steps ended"),
        ("retries", stats.retries, "Attempts that failed and were to be tried again"),
        ("activations", stats.activations, "Activations given to runners"),
        ("losses", stats.losses, "Activations lost with their runner"),
        ("messages", stats.messages, "Messages from runners"),
        ("messages_refused", stats.messages_refused, "Messages that were refused"),
        ("commits", stats.commits, "Batches made durable"),
        ("timers_fired", stats.timers_fired, "Timers fired"),
        ("node_restarts", restarts, "Times that the node was dropped and opened again"),
    ];
    let gauges = [
        ("runs_hot", stats.hot, "Runs in memory"),
        ("timers_near", stats.near_timers, "Near timers in memory"),
        ("sessions", stats.sessions, "Runners connected"),
        ("store_head", store.head.0, "The last durable batch"),
        ("store_folded", store.folded.0, "The last batch that lists show"),
        ("store_tail_bytes", store.tail_bytes, "Bytes durable but not in tables"),
        ("store_disk_bytes", store.disk_bytes, "Bytes on disk"),
    ];
    let mut text = String::new();
    for (name, value, help) in counters {
        writeln!(text, "# HELP stepwell_{name}_total {help}")?;
        writeln!(text, "# TYPE stepwell_{name}_total counter")?;
        writeln!(text, "stepwell_{name}_total {value}")?;
    }
    for (name, value, help) in gauges {
        gauge(&mut text, (name, help), value)?;
    }
    let lag = store.fold_lag.as_secs_f64();
    gauge(&mut text, ("store_fold_lag_seconds", "Age of the oldest batch not in lists"), lag)?;
    if let Some(free) = store.disk_free {
        gauge(&mut text, ("store_disk_free_bytes", "Bytes free on the disk"), free)?;
    }
    let refuses = u8::from(store.refuses_growth.is_some());
    gauge(&mut text, ("store_refuses_starts", "New runs are refused"), refuses)?;
    writeln!(text, "# HELP stepwell_info The version\n# TYPE stepwell_info gauge")?;
    writeln!(text, "stepwell_info{{version=\"{}\"}} 1", env!("CARGO_PKG_VERSION"))?;
    Ok(text)
}

fn gauge(
    text: &mut String,
    (name, help): (&str, &str),
    value: impl std::fmt::Display,
) -> std::fmt::Result {
    writeln!(text, "# HELP stepwell_{name} {help}")?;
    writeln!(text, "# TYPE stepwell_{name} gauge\nstepwell_{name} {value}")
}
