//! Observed runs: lists of them, and one with its steps (§10.4, §10.5).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{Response, StatusCode, Uri};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use stepwell_core::code::Code;
use stepwell_core::id::RunId;
use stepwell_core::status::Dialect;
use stepwell_core::time::Timestamp;
use stepwell_core::view::{iso, iso_option};
use stepwell_otlp::Traces;
use stepwell_store::{Error as StoreError, Store};
use stepwell_telemetry::flow::Flow;
use stepwell_telemetry::keep::{self, After, Keep, Kept, ListedRun, RunsAsk};
use stepwell_telemetry::learn::learn;
use stepwell_telemetry::record::{Record, State as StepState};
use stepwell_telemetry::row::Broken;
use stepwell_telemetry::set::Set;
use stepwell_telemetry::status::RunStatus;
use stepwell_telemetry::view::{self, RunView};
use utoipa::{IntoParams, ToSchema};

use super::answer::{json, millis_between};
use super::body;
use super::list::{LIMIT_DEFAULT, LIMIT_MAX, looked_for, now};
use super::routes::Api;
use super::run;
use super::telemetry::observed_of;
use crate::gate::Caller;
use crate::openapi::observed::ObservedRun;
use crate::openapi::{About, shapes};
use crate::problem::Problem;

/// From so many of its last runs a flow is learned.
const LEARNED_FROM: usize = 50;

/// Which runs of a flow are meant.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct RunsQuery {
    /// Only runs of these statuses, divided by commas.
    #[param(example = "failed,stuck")]
    status: Option<String>,
    /// A part of what their client calls them.
    #[param(min_length = 1, max_length = 200)]
    q: Option<String>,
    /// How many.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 500, default = 50)]
    limit: Option<String>,
    /// The `next` of the page before.
    cursor: Option<String>,
    /// In whose words the steps of a strip are; those of Stepwell where it is left out.
    #[param(value_type = Option<shapes::DialectWord>, inline)]
    dialect: Option<String>,
}

/// How observed runs are shown.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct Showing {
    /// In whose words statuses of steps and attempts are; those of Stepwell where it is left out.
    #[param(value_type = Option<shapes::DialectWord>, inline)]
    dialect: Option<String>,
}

/// An observed run of a list.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ObservedRow)]
pub(super) struct Line<'a> {
    /// `observed`.
    kind: &'static str,
    #[schema(value_type = shapes::FlowWord)]
    flow: &'a str,
    /// What its client calls it.
    run: &'a str,
    #[schema(value_type = shapes::ObservedStatus)]
    status: &'static str,
    #[serde(serialize_with = "iso")]
    #[schema(value_type = shapes::Instant)]
    started_at: Timestamp,
    /// Of its last event.
    #[serde(serialize_with = "iso")]
    #[schema(value_type = shapes::Instant)]
    last_at: Timestamp,
    #[serde(serialize_with = "iso_option")]
    #[schema(value_type = Option<shapes::Instant>, required)]
    ended_at: Option<Timestamp>,
    #[schema(required)]
    duration_ms: Option<f64>,
    /// How many steps were reached or left out, how many of them are not open, and how many failed.
    steps: u32,
    steps_ended: u32,
    steps_failed: u32,
    /// How many calls of steps there were.
    attempts: u32,
    #[schema(required)]
    error: Option<Thrown<'a>>,
    /// How its steps are, in their order; of many each is the worst of some.
    #[schema(value_type = Vec<shapes::ObservedStepStatus>, max_items = 60)]
    strip: Vec<&'static str>,
    #[schema(value_type = shapes::Json)]
    metadata: Option<&'a RawValue>,
}

/// How an observed run broke, cut.
#[derive(Serialize, ToSchema)]
#[schema(as = ObservedError)]
struct Thrown<'a> {
    step: &'a str,
    /// The error's name.
    name: &'a str,
    message: &'a str,
}

impl<'a> Line<'a> {
    /// Shows a run, its steps in the words of a system.
    pub(super) fn of(run: &'a ListedRun, dialect: Option<Dialect>) -> Self {
        let ListedRun { row, status, .. } = run;
        let ended_at = status.is_ended().then_some(row.last_at);
        let letters = row.strip.chars().filter_map(StepState::of_letter);
        let metadata = row.metadata.as_deref().and_then(|text| serde_json::from_str(text).ok());
        let thrown = |Broken { step, name, message }: &'a Broken| Thrown { step, name, message };
        Self {
            kind: "observed",
            flow: &run.flow,
            run: &run.run,
            status: status.as_str(),
            started_at: row.first_at,
            last_at: row.last_at,
            ended_at,
            duration_ms: millis_between(Some(row.first_at), ended_at),
            steps: row.steps,
            steps_ended: row.ended,
            steps_failed: row.failed,
            attempts: row.attempts,
            error: row.broken.as_ref().map(thrown),
            strip: letters.map(|state| state.word(dialect)).collect(),
            metadata,
        }
    }
}

/// A page of runs of a flow, newest first.
#[derive(Serialize, ToSchema)]
#[schema(as = ObservedRunList)]
struct List<'a> {
    runs: Vec<Line<'a>>,
    /// The `cursor` of the next page, while there is one.
    #[schema(required)]
    next: Option<String>,
    /// It misses events that were taken when it was asked for.
    stale: bool,
}

/// Describes [`list`].
pub(super) fn about_list() -> About {
    About::new("listFlowRuns", "Lists observed runs of a flow, newest first")
        .query::<RunsQuery>()
        .answer::<List<'_>>(200, "A page of runs.")
        .refuses(&[Code::UnknownRoute])
}

/// Lists observed runs of a flow, newest first.
pub(super) async fn list(
    State(api): State<Api>,
    caller: Caller,
    flow: body::Part,
    uri: Uri,
) -> Result<Response<Body>, Problem> {
    let observed = observed_of(&api)?;
    let flow: Arc<str> = body::slug(flow)?.into();
    let query: RunsQuery = body::query(&uri)?;
    let dialect = body::dialect(query.dialect.as_deref())?;
    let ask = ask(caller.namespace(), flow, query)?;
    let page = observed.ask(move |keep| keep.runs(&ask, now())).await?;
    let last = page.runs.last().filter(|_| page.more).map(|run| place_text(run.place));
    let runs = page.runs.iter().map(|run| Line::of(run, dialect)).collect();
    json(StatusCode::OK, &List { runs, next: last, stale: page.stale })
}

fn ask(namespace: Arc<str>, flow: Arc<str>, query: RunsQuery) -> Result<RunsAsk, Problem> {
    let RunsQuery { status, q, limit, cursor, dialect: _ } = query;
    let after = cursor.map(|text| {
        place(&text).ok_or_else(|| {
            Problem::bad_request(format!(
                "`cursor` is `{text}`; accepted: the `next` of a page before"
            ))
        })
    });
    Ok(RunsAsk {
        namespace,
        flows: vec![flow],
        status: statuses(status.as_deref())?,
        text: q.as_deref().map(looked_for).transpose()?.map(str::to_owned),
        after: after.transpose()?,
        limit: body::limit(limit.as_deref(), LIMIT_DEFAULT, LIMIT_MAX)?,
        ..RunsAsk::default()
    })
}

fn statuses(text: Option<&str>) -> Result<Vec<RunStatus>, Problem> {
    let words = text.into_iter().flat_map(|text| text.split(','));
    let read = |word: &str| {
        RunStatus::parse(word.trim()).ok_or_else(|| {
            let known = RunStatus::ALL.map(RunStatus::as_str).join(", ");
            Problem::bad_request(format!(
                "`status` is `{word}`; accepted: {known}, divided by commas"
            ))
        })
    };
    words.map(read).collect()
}

/// Describes [`show`].
pub(super) fn about_show() -> About {
    About::new("showFlowRun", "Shows an observed run with its steps and attempts")
        .query::<Showing>()
        .answer::<ObservedRun>(200, "The run, as its events add up now.")
        .refuses(&[Code::UnknownRoute, Code::UnknownFlow])
}

/// Shows an observed run.
pub(super) async fn show(
    State(api): State<Api>,
    caller: Caller,
    of: body::Parts,
    uri: Uri,
) -> Result<Response<Body>, Problem> {
    let observed = observed_of(&api)?;
    let Showing { dialect } = body::query(&uri)?;
    let dialect = body::dialect(dialect.as_deref())?;
    let (namespace, (flow, run)) = (caller.namespace(), body::parts(of)?);
    let none = unknown(&flow, &run);
    let found = observed.ask(move |keep| view_of(keep, (&namespace, &flow, &run))).await?;
    let mut view = found.ok_or(none)?;
    let places = durable_places(&view);
    let found = api.node.read(move |store| durable(store, &caller, &places)).await?;
    view.durable_run = found.map(|run| run.to_string());
    if let Some(dialect) = dialect {
        view.speak(dialect);
    }
    json(StatusCode::OK, &view)
}

fn unknown(flow: &str, run: &str) -> Problem {
    let cut = |text: &str| text.chars().take(200).collect::<String>();
    let why = format!("no event of a run `{}` of the flow `{}` is kept", cut(run), cut(flow));
    Problem::new(Code::UnknownFlow, why)
}

/// Adds up the events of a run; `None` where there is no such run.
fn view_of(
    keep: &dyn Keep,
    (namespace, flow, run): (&str, &str, &str),
) -> Result<Option<RunView>, keep::Error> {
    let Some(Kept { set, .. }) = keep.run(namespace, flow, run)? else { return Ok(None) };
    let declared = keep.declared(namespace, flow)?;
    let record = Record::of(&read_set(&set)?);
    Ok(view::run(flow, run, &record, declared.as_deref(), now()))
}

fn read_set(bytes: &[u8]) -> Result<Set<'_>, keep::Error> {
    Set::read(bytes).ok_or_else(|| keep::Error::Corrupt("the events of a run".to_owned()))
}

/// Learns a flow from its last runs; `None` where it has none.
pub(super) fn learned_of(
    keep: &dyn Keep,
    namespace: &Arc<str>,
    slug: &str,
    now: Timestamp,
) -> Result<Option<Flow>, keep::Error> {
    let ask = RunsAsk {
        namespace: Arc::clone(namespace),
        flows: vec![slug.into()],
        limit: LEARNED_FROM,
        ..RunsAsk::default()
    };
    let mut sets = Vec::new();
    for listed in keep.runs(&ask, now)?.runs {
        // One that was deleted meanwhile teaches nothing.
        sets.extend(keep.run(namespace, slug, &listed.run)?.map(|kept| kept.set));
    }
    if sets.is_empty() {
        return Ok(None);
    }
    let mut records = Vec::new();
    for set in &sets {
        records.push(Record::of(&read_set(set)?));
    }
    Ok(Some(learn(slug, &records)))
}

/// Ids that a durable run would have that belongs to an observed one: its name, or its trace, which is the id of a
/// durable run that began it.
fn durable_places(view: &RunView) -> Vec<RunId> {
    let trace = view.trace.as_deref().and_then(|trace| u128::from_str_radix(trace, 16).ok());
    view.run.parse().ok().into_iter().chain(trace.map(RunId::from_u128)).collect()
}

/// Returns the first that is there, of the caller's namespace.
fn durable(
    store: &dyn Store,
    caller: &Caller,
    places: &[RunId],
) -> Result<Option<RunId>, StoreError> {
    for run in places {
        match store.load(*run) {
            Ok(Some(journal)) if run::is_of(caller, &journal) => return Ok(Some(*run)),
            Ok(_) | Err(StoreError::Quarantined { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

/// Observed runs that belong to a durable one.
#[derive(Serialize, ToSchema)]
#[schema(as = ObservedBeside)]
struct Beside {
    /// At most 10.
    #[schema(value_type = Vec<ObservedRun>)]
    runs: Vec<RunView>,
}

/// Describes [`beside`].
pub(super) fn about_beside() -> About {
    About::new("observedBeside", "Shows observed runs of the same id or trace as a durable run")
        .query::<Showing>()
        .answer::<Beside>(200, "The observed runs.")
        .refuses(&[Code::UnknownRun])
}

/// Shows observed runs of the same id or trace as a durable run.
pub(super) async fn beside(
    State(api): State<Api>,
    caller: Caller,
    run: body::Part,
    uri: Uri,
) -> Result<Response<Body>, Problem> {
    let Showing { dialect } = body::query(&uri)?;
    let dialect = body::dialect(dialect.as_deref())?;
    let (id, namespace) = (body::run_of(run)?, caller.namespace());
    let trace = api.node.read(move |store| trace_of(store, &caller, id)).await??;
    let Some(observed) = &api.observed else {
        return json(StatusCode::OK, &Beside { runs: Vec::new() });
    };
    let runs = observed.ask(move |keep| {
        let mut runs = Vec::new();
        for keep::Beside { flow, run } in keep.beside(&namespace, &id.to_string(), trace)? {
            runs.extend(view_of(keep, (&namespace, &flow, &run))?);
        }
        Ok(runs)
    });
    let mut runs = runs.await?;
    for view in &mut runs {
        view.durable_run = Some(id.to_string());
        if let Some(dialect) = dialect {
            view.speak(dialect);
        }
    }
    json(StatusCode::OK, &Beside { runs })
}

/// Tells in which trace a durable run is, if it is the caller's.
fn trace_of(
    store: &dyn Store,
    caller: &Caller,
    id: RunId,
) -> Result<Result<Option<u128>, Problem>, StoreError> {
    let journal = match store.load(id)? {
        Some(journal) if run::is_of(caller, &journal) => journal,
        _ => return Ok(Err(run::unknown(id))),
    };
    let above = |run| match store.load(run) {
        Err(StoreError::Quarantined { .. }) => Ok(None),
        other => other,
    };
    Ok(Ok(Some(Traces::default().find(id, &journal, above)?.id)))
}

/// Writes a place in a list.
pub(super) fn place_text(After { at, n }: After) -> String {
    format!("{}.{n}", at.as_micros())
}

/// Reads a place in a list.
pub(super) fn place(text: &str) -> Option<After> {
    let (at, n) = text.split_once('.')?;
    Some(After { at: Timestamp::from_micros(at.parse().ok()?), n: n.parse().ok()? })
}
