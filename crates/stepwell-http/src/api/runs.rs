//! Starts.

use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, Uri, header};
use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::value::RawValue;
use stepwell_core::code::Code;
use stepwell_core::failure::Failure;
use stepwell_core::id::RunId;
use stepwell_core::search::Attributes;
use stepwell_core::status::RunStatus;
use stepwell_core::time::Timestamp;
use stepwell_core::trace::Traceparent;
use stepwell_core::{duration, name};
use stepwell_node::{Begin, StartRequest};
use utoipa::{IntoParams, ToSchema};

use super::answer::json;
use super::body;
use super::routes::Api;
use crate::gate::Caller;
use crate::openapi::{About, shapes};
use crate::problem::Problem;
use crate::request_id::note_run;
use stepwell_driver::{Created, Waited};

/// What is to be started.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "a JSON object with the field `workflow`")]
#[schema(as = StartRun)]
struct StartBody {
    #[schema(value_type = shapes::Name)]
    workflow: String,
    /// Needed where several apps have a workflow of this name.
    #[schema(value_type = Option<shapes::Name>)]
    app: Option<String>,
    /// The input, at most 4 MiB by default.
    #[schema(value_type = shapes::Json, required = false)]
    input: Option<Box<RawValue>>,
    /// An idempotency key: a start with the same one is this start.
    #[schema(value_type = Option<shapes::Name>)]
    key: Option<String>,
    /// After which time the run ends as `timed_out`.
    #[serde(default, deserialize_with = "span")]
    #[schema(value_type = Option<shapes::Span>)]
    timeout: Option<Duration>,
    /// No runner gets the run before this time is over.
    #[serde(default, deserialize_with = "delay")]
    #[schema(value_type = Option<shapes::Span>)]
    delay: Option<Duration>,
    /// No runner gets the run before; in place of `delay`.
    #[schema(value_type = Option<shapes::GivenInstant>)]
    at: Option<String>,
    /// What the run's view shows of this start.
    #[schema(value_type = shapes::Json, required = false)]
    metadata: Option<Box<RawValue>>,
    /// The runner that alone gets the run.
    #[schema(value_type = Option<shapes::Name>)]
    runner: Option<String>,
    /// Values that lists find the run by, at most 20.
    #[serde(default)]
    #[schema(value_type = std::collections::BTreeMap<String, shapes::Attribute>, required = false)]
    search: Attributes,
}

/// Reads a duration (§11): a text, or a number of milliseconds.
fn read_span<'de, D: Deserializer<'de>>(
    field: &str,
    from: D,
) -> Result<Option<Duration>, D::Error> {
    let value = serde_json::Value::deserialize(from)?;
    let text = match &value {
        serde_json::Value::Null => return Ok(None),
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let read = duration::parse(&text).map(Some);
    read.map_err(|error| de::Error::custom(format!("`{field}`: {error}")))
}

fn span<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
    read_span("timeout", from)
}

fn delay<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
    read_span("delay", from)
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct Waiting {
    /// How long to wait for the end of the run, at most 5 minutes.
    #[param(value_type = Option<shapes::DurationText>)]
    wait: Option<String>,
}

/// A run that was started, with `wait` also how it ended.
#[derive(Serialize, ToSchema)]
struct Started<'a> {
    #[schema(value_type = shapes::Id)]
    id: RunId,
    /// This request started it; false where its key had done so before.
    created: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<shapes::Status>, nullable = false)]
    status: Option<RunStatus>,
    /// What its handler returned; left out where it did not complete.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = shapes::Json, required = false)]
    output: Option<&'a RawValue>,
    /// Why it did not complete.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<shapes::Failed>, nullable = false)]
    error: Option<&'a Failure<'static>>,
}

/// Describes [`start`].
pub(super) fn about_start() -> About {
    let location = "The address of the run.";
    About::new("startRun", "Starts a run")
        .more("The answer comes once the start is durable, with `wait` once the run has ended. May be repeated with the same `key`.")
        .query::<Waiting>()
        .header("traceparent", "The place in a trace of the caller (W3C Trace Context) that the run is exported below.")
        .body::<StartBody>()
        .answer::<Started<'_>>(200, "The run that the key had started before.")
        .answer::<Started<'_>>(201, "The run was started.")
        .answer::<Started<'_>>(202, "It had not ended in the time of `wait`, and goes on.")
        .with_header(200, "Location", location)
        .with_header(201, "Location", location)
        .with_header(202, "Location", location)
        .refuses(&[
            Code::UnknownWorkflow,
            Code::AmbiguousWorkflow,
            Code::KeyConflict,
            Code::InputInvalid,
            Code::PayloadTooLarge,
        ])
}

/// Starts a run (§9.1).
pub(super) async fn start(
    State(api): State<Api>,
    caller: Caller,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Result<Response<Body>, Problem> {
    let Waiting { wait } = body::query(&uri)?;
    let patience = body::wait(wait.as_deref())?;
    body::expect_json(&headers)?;
    let bytes = body::read(&headers, body, &api.limits).await?;
    let start = request(&caller, body::parse(&bytes)?)?;
    let start = StartRequest { traceparent: traceparent(&headers), ..start };
    drop(bytes);
    let about = (start.app.as_deref(), &*start.workflow);
    api.node.schemas().check(&start.namespace, about, start.input.as_deref())?;
    let Some(patience) = patience else {
        let (id, created) = api.node.start(start).await?;
        return started(id, created, None);
    };
    match api.node.start_and_wait(start, patience).await? {
        Waited::Ended(ended, created) => {
            let end = Started {
                id: ended.run,
                created: created == Created::Now,
                status: Some(ended.status),
                output: ended.output.as_deref(),
                error: ended.error.as_ref(),
            };
            answer(created_status(created), &end)
        }
        Waited::GoesOn(id, created) => started(id, created, Some(StatusCode::ACCEPTED)),
    }
}

fn request(caller: &Caller, body: StartBody) -> Result<StartRequest, Problem> {
    let refuse = |error: name::Error| Problem::bad_request(error.to_string());
    name::check("the field workflow", &body.workflow).map_err(refuse)?;
    let named = [
        ("the field app", &body.app),
        ("the field key", &body.key),
        ("the field runner", &body.runner),
    ];
    for (what, value) in named {
        value.as_deref().map_or(Ok(()), |value| name::check(what, value)).map_err(refuse)?;
    }
    Ok(StartRequest {
        namespace: caller.namespace(),
        app: body.app,
        workflow: body.workflow,
        input: body.input,
        key: body.key,
        timeout: body.timeout,
        begin: begin(body.delay, body.at.as_deref())?,
        metadata: body.metadata,
        runner: body.runner,
        search: body.search,
        traceparent: None,
        wait: false,
    })
}

/// Reads where the start stands in a trace of its caller. One that is not understood is passed over, as W3C Trace
/// Context wants it.
fn traceparent(headers: &HeaderMap) -> Option<Traceparent> {
    let mut given = headers.get_all("traceparent").iter();
    let (Some(one), None) = (given.next(), given.next()) else { return None };
    Traceparent::parse(one.to_str().ok()?)
}

/// Reads when the run may begin (§9.1).
fn begin(delay: Option<Duration>, at: Option<&str>) -> Result<Begin, Problem> {
    match (delay, at) {
        (None, None) => Ok(Begin::Now),
        (Some(delay), None) => Ok(Begin::After(delay)),
        (None, Some(at)) => Timestamp::parse_iso(at)
            .map(Begin::At)
            .map_err(|error| Problem::bad_request(format!("`at` is not accepted: {error}"))),
        (Some(_), Some(_)) => Err(Problem::bad_request("a start says `delay` or `at`, not both")),
    }
}

fn created_status(created: Created) -> StatusCode {
    match created {
        Created::Now => StatusCode::CREATED,
        Created::Before => StatusCode::OK,
    }
}

fn started(
    id: RunId,
    created: Created,
    status: Option<StatusCode>,
) -> Result<Response<Body>, Problem> {
    let created_now = created == Created::Now;
    let body = Started { id, created: created_now, status: None, output: None, error: None };
    answer(status.unwrap_or_else(|| created_status(created)), &body)
}

fn answer(status: StatusCode, body: &Started<'_>) -> Result<Response<Body>, Problem> {
    note_run(body.id);
    let mut response = json(status, body)?;
    if let Ok(location) = HeaderValue::try_from(format!("/api/v1/runs/{}", body.id)) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}
