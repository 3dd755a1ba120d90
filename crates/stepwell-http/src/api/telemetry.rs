//! Telemetry: events of observed runs (§10).

use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Response, StatusCode};
use serde::Serialize;
use stepwell_core::code::Code;
use stepwell_telemetry::incoming::Taken;
use utoipa::ToSchema;

use super::answer::json;
use super::body;
use super::routes::Api;
use crate::gate::Caller;
use crate::observe::{BODY_BYTES_MAX, Observed};
use crate::openapi::{About, observed, shapes};
use crate::problem::Problem;

/// Longest time for a body to come in: room is held for it meanwhile.
const BODY_TIME: Duration = Duration::from_secs(20);

/// What came of a batch.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = TelemetryTaken)]
struct Answer<'a> {
    /// Events that are durable now; repeated ones count.
    accepted: usize,
    /// Events that are not understood, the first 20. To send them again is of no use.
    refused: Vec<NotTaken<'a>>,
    /// How many there are of these.
    refused_total: usize,
}

/// An event that was not taken.
#[derive(Serialize, ToSchema)]
#[schema(as = RefusedEvent)]
struct NotTaken<'a> {
    /// Its place in the batch, from 0.
    index: usize,
    #[schema(value_type = shapes::CodeWord)]
    code: &'static str,
    /// What is wrong with it, and what is accepted.
    detail: &'a str,
}

impl<'a> Answer<'a> {
    fn of(taken: &'a Taken) -> Self {
        let refused = taken.first_refused.iter().map(|one| NotTaken {
            index: one.index,
            code: Code::BadRequest.as_str(),
            detail: &one.detail,
        });
        let (accepted, refused_total) = (taken.accepted, taken.refused);
        Self { accepted, refused: refused.collect(), refused_total }
    }
}

/// Describes [`take`].
pub(super) fn about() -> About {
    About::new("sendTelemetry", "Takes events of observed runs; they are durable when it answers")
        .more(
            "The body may be compressed (`Content-Encoding: gzip`). It has at most 4 MiB once it is \
             unpacked, and at most 5,000 events. An event that is not understood is left out and told \
             of; the others are taken. With 503, 507 or 429 the whole batch was not taken: send it \
             again after the time that `Retry-After` tells.",
        )
        .header("Content-Encoding", "`gzip` for a body that is compressed.")
        .body::<observed::Batch>()
        .answer::<Answer<'_>>(200, "What was taken of it.")
        .refuses(&[Code::UnknownRoute])
}

/// Takes events of observed runs; answers once they are durable. What does not fit into the lane is turned away
/// before it is read.
pub(super) async fn take(
    State(api): State<Api>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response<Body>, Problem> {
    let observed = observed_of(&api)?;
    let packing = body::expect_packed_json(&headers)?;
    let room = observed.room(body::declared(&headers, BODY_BYTES_MAX)?)?;
    let reading = body::read_up_to(&headers, body, BODY_BYTES_MAX);
    let body = tokio::time::timeout(BODY_TIME, reading).await;
    let body = body.unwrap_or_else(|_| {
        Err(Problem::unavailable(format!("the body has not come in {BODY_TIME:?}")))
    });
    let taken = observed.take(caller.namespace(), (body?, packing), room).await?;
    json(StatusCode::OK, &Answer::of(&taken))
}

/// Returns observed runs.
///
/// # Errors
/// [`Code::UnknownRoute`] on a server that has none.
pub(super) fn observed_of(api: &Api) -> Result<&Observed, Problem> {
    api.observed.as_ref().ok_or_else(|| {
        let why = "this server takes no telemetry; accepted: one with `telemetry = \"on\"` that keeps what it \
                   has in a folder or in memory, not in a database";
        Problem::new(Code::UnknownRoute, why)
    })
}
