//! Starts and lists.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, Uri, header};
use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::value::RawValue;
use stepwell_core::failure::Failure;
use stepwell_core::id::RunId;
use stepwell_core::search::{Attributes, Term};
use stepwell_core::status::RunStatus;
use stepwell_core::summary::Summary;
use stepwell_core::time::Timestamp;
use stepwell_core::view::{iso, iso_option};
use stepwell_core::{duration, name};
use stepwell_node::{Begin, StartRequest};
use stepwell_store::query::Filter;

use super::answer::{json, millis_between};
use super::body;
use super::routes::Api;
use crate::gate::Caller;
use crate::problem::Problem;
use stepwell_driver::{Created, Waited};

/// How long a list waits until it shows what was durable when it was asked.
const LIST_PATIENCE: Duration = Duration::from_millis(200);

const LIMIT_DEFAULT: usize = 50;
const LIMIT_MAX: usize = 500;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a JSON object with the field `workflow`")]
struct StartBody {
    workflow: String,
    app: Option<String>,
    input: Option<Box<RawValue>>,
    key: Option<String>,
    #[serde(default, deserialize_with = "span")]
    timeout: Option<Duration>,
    #[serde(default, deserialize_with = "delay")]
    delay: Option<Duration>,
    at: Option<String>,
    metadata: Option<Box<RawValue>>,
    runner: Option<String>,
    #[serde(default)]
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Waiting {
    wait: Option<String>,
}

#[derive(Serialize)]
struct Started<'a> {
    id: RunId,
    created: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<RunStatus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a Failure<'static>>,
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
        wait: false,
    })
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
    let mut response = json(status, body)?;
    if let Ok(location) = HeaderValue::try_from(format!("/api/v1/runs/{}", body.id)) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    app: Option<String>,
    workflow: Option<String>,
    status: Option<String>,
    key: Option<String>,
    parent: Option<String>,
    from: Option<String>,
    to: Option<String>,
    search: Option<String>,
    limit: Option<String>,
    cursor: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row<'a> {
    id: RunId,
    app: &'a str,
    workflow: &'a str,
    key: Option<&'a str>,
    status: RunStatus,
    version: Option<&'a str>,
    #[serde(serialize_with = "iso")]
    created_at: Timestamp,
    #[serde(serialize_with = "iso_option")]
    started_at: Option<Timestamp>,
    #[serde(serialize_with = "iso_option")]
    ended_at: Option<Timestamp>,
    duration_ms: Option<f64>,
    steps: u32,
    steps_ended: u32,
    steps_failed: u32,
    blocked: Option<&'a str>,
    parent: Option<RunId>,
    #[serde(skip_serializing_if = "Attributes::is_empty")]
    search: &'a Attributes,
}

impl<'a> Row<'a> {
    fn of(run: &'a Summary) -> Self {
        Self {
            id: run.id,
            app: &run.app,
            workflow: &run.workflow,
            key: run.key.as_deref(),
            search: &run.search,
            status: run.status,
            version: run.version.as_deref(),
            created_at: run.created_at,
            started_at: run.started_at,
            ended_at: run.ended_at,
            duration_ms: millis_between(Some(run.created_at), run.ended_at),
            steps: run.steps,
            steps_ended: run.steps_ended,
            steps_failed: run.steps_failed,
            blocked: run.blocked.as_deref(),
            parent: run.parent,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct List<'a> {
    runs: Vec<Row<'a>>,
    next: Option<RunId>,
    #[serde(serialize_with = "iso_option", skip_serializing_if = "Option::is_none")]
    searched_to: Option<Timestamp>,
    stale: bool,
}

/// Lists runs, newest first.
pub(super) async fn list(
    State(api): State<Api>,
    caller: Caller,
    uri: Uri,
) -> Result<Response<Body>, Problem> {
    let filter = filter(&caller, body::query(&uri)?, now())?;
    let page = api.node.read(move |store| store.query(&filter, LIST_PATIENCE)).await?;
    let last = page.runs.last().filter(|_| page.more).map(|run| run.id);
    let list = List {
        runs: page.runs.iter().map(Row::of).collect(),
        next: page.reached.or(last),
        searched_to: page.reached.map(RunId::created),
        stale: page.stale,
    };
    json(StatusCode::OK, &list)
}

/// Engine time follows the wall clock, and "seven days back" needs no more than that.
fn now() -> Timestamp {
    let wall = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
    Timestamp::from_micros(0).after(wall)
}

fn filter(caller: &Caller, query: ListQuery, now: Timestamp) -> Result<Filter, Problem> {
    let limit = match query.limit.as_deref() {
        None => LIMIT_DEFAULT,
        Some(text) => {
            let number = text.parse().ok().filter(|n| (1..=LIMIT_MAX).contains(n));
            number.ok_or_else(|| {
                Problem::bad_request(format!("`limit` is `{text}`; accepted: 1 to {LIMIT_MAX}"))
            })?
        }
    };
    let shared = |text: Option<String>| text.map(Arc::from);
    Ok(Filter {
        namespace: caller.namespace(),
        app: shared(query.app),
        workflow: shared(query.workflow),
        statuses: statuses(query.status.as_deref())?,
        key: shared(query.key),
        parent: query.parent.as_deref().map(body::run_id).transpose()?,
        from: instant("from", query.from.as_deref(), now)?,
        to: instant("to", query.to.as_deref(), now)?,
        search: query
            .search
            .as_deref()
            .map_or(Ok(Vec::new()), Term::parse_all)
            .map_err(|why| Problem::bad_request(format!("`search`: {why}")))?,
        before: query.cursor.as_deref().map(body::run_id).transpose()?,
        limit,
        ..Filter::default()
    })
}

fn statuses(text: Option<&str>) -> Result<Vec<RunStatus>, Problem> {
    let words = text.into_iter().flat_map(|text| text.split(','));
    let read = |word: &str| {
        RunStatus::parse(word.trim()).ok_or_else(|| {
            let known: Vec<_> = RunStatus::ALL.iter().map(|status| status.as_str()).collect();
            Problem::bad_request(format!(
                "`status` is `{word}`; accepted: {}, divided by commas",
                known.join(", ")
            ))
        })
    };
    words.map(read).collect()
}

fn instant(what: &str, text: Option<&str>, now: Timestamp) -> Result<Option<Timestamp>, Problem> {
    let Some(text) = text else { return Ok(None) };
    let back = duration::parse(text).map(|back| now.before(back)).ok();
    match back.or_else(|| Timestamp::parse_iso(text).ok()) {
        Some(at) => Ok(Some(at)),
        None => Err(Problem::bad_request(format!(
            "`{what}` is `{text}`; accepted: an ISO 8601 instant with a time zone, or a duration \
             back from now such as 7d"
        ))),
    }
}
