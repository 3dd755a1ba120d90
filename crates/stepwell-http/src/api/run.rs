//! One run with its steps, attempts and logs.

use axum::body::Body;
use axum::extract::State;
use axum::http::{Response, StatusCode, Uri};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use stepwell_core::code::Code;
use stepwell_core::failure::Failure;
use stepwell_core::id::RunId;
use stepwell_core::record::{self, Record};
use stepwell_core::status::{Dialect, RunStatus};
use stepwell_core::view::View;
use stepwell_node::{Behind, RunnerInfo, Why, awaited_child, held_back, why};
use stepwell_store::backup::InFolder;
use stepwell_store::query::Queue;
use stepwell_store::{Error as StoreError, Store};
use utoipa::{IntoParams, ToSchema};

use super::answer::{bytes, json, millis_between};
use super::body;
use super::routes::Api;
use crate::gate::Caller;
use crate::openapi::run::Run;
use crate::openapi::{About, shapes};
use crate::problem::Problem;

/// How many runs below a run are looked at, of children and of their chains.
const LEVELS_MAX: usize = 64;

/// Most runs that are counted in front of a queued one.
const BEHIND_MAX: usize = 1_000;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct Waiting {
    /// How long to wait for the end of the run, at most 5 minutes.
    #[param(value_type = Option<shapes::DurationText>)]
    wait: Option<String>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct Showing {
    /// How long to wait for the end of the run, at most 5 minutes.
    #[param(value_type = Option<shapes::DurationText>)]
    wait: Option<String>,
    /// The `journalBytes` of an earlier answer: of the steps, only those that changed since are wanted.
    #[param(value_type = Option<shapes::Whole>, inline)]
    since: Option<String>,
    /// In whose words statuses of steps and attempts are; those of Stepwell where it is left out.
    #[param(value_type = Option<shapes::DialectWord>, inline)]
    dialect: Option<String>,
}

/// How a run is shown.
#[derive(Clone, Copy)]
struct Wish {
    /// Only steps that changed since the journal was so long.
    since: Option<u64>,
    dialect: Option<Dialect>,
}

/// A run with its steps, and why it is not moving.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Run)]
struct Shown<'a> {
    #[serde(flatten)]
    #[schema(value_type = Run)]
    view: &'a View<'a>,
    #[schema(required)]
    duration_ms: Option<f64>,
    /// Why it is not moving, as a sentence.
    #[schema(required)]
    why: Option<String>,
    #[schema(value_type = Option<shapes::CauseWord>, required)]
    cause: Option<&'static str>,
    /// Of the steps only those that changed since the journal was so long are shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    since: Option<u64>,
}

/// Describes [`show`].
pub(super) fn about_show() -> About {
    About::new("showRun", "Shows a run with its steps, attempts and logs")
        .query::<Showing>()
        .answer::<Shown<'_>>(200, "The run as it is stored.")
        .refuses(&[Code::UnknownRun, Code::Quarantined])
}

/// Shows a run as it is stored; with `?wait=` once it has ended.
pub(super) async fn show(
    State(api): State<Api>,
    caller: Caller,
    run: body::Part,
    uri: Uri,
) -> Result<Response<Body>, Problem> {
    let id = body::run_of(run)?;
    let Showing { wait, since, dialect } = body::query(&uri)?;
    let since = since.as_deref().map(journal_bytes).transpose()?;
    let wish = Wish { since, dialect: body::dialect(dialect.as_deref())? };
    if let Some(patience) = body::wait(wait.as_deref())? {
        api.node.wait(caller.namespace(), id, patience).await?;
    }
    let runners = api.node.runners(caller.namespace()).await?;
    let shown = api.node.read(move |store| {
        let Some(journal) = store.load(id)? else { return Ok(Err(unknown(id))) };
        render(store, &caller, (id, &journal, wish), &runners)
    });
    Ok(bytes(StatusCode::OK, shown.await??))
}

/// Why a run is not moving.
#[derive(Serialize, ToSchema)]
#[schema(as = Why)]
struct Answer {
    #[schema(value_type = shapes::Id)]
    id: RunId,
    #[schema(value_type = shapes::Status)]
    status: RunStatus,
    #[schema(value_type = shapes::CauseWord)]
    cause: &'static str,
    /// The same as a sentence, with its particulars.
    why: String,
}

/// Describes [`answer_why`].
pub(super) fn about_why() -> About {
    About::new("whyRun", "Says why a run is not moving")
        .answer::<Answer>(200, "Why.")
        .refuses(&[Code::UnknownRun, Code::Quarantined])
}

/// Says why a run is not moving (§9.7).
pub(super) async fn answer_why(
    State(api): State<Api>,
    caller: Caller,
    run: body::Part,
) -> Result<Response<Body>, Problem> {
    let id = body::run_of(run)?;
    let runners = api.node.runners(caller.namespace()).await?;
    let answer = api.node.read(move |store| {
        let Some(journal) = store.load(id)? else { return Ok(Err(unknown(id))) };
        let view = match view(&caller, id, &journal)? {
            Ok(view) => view,
            Err(problem) => return Ok(Err(problem)),
        };
        let found = because(store, &view, &runners)?;
        let (status, cause, why) = (view.status, found.cause.as_str(), found.text);
        Ok(Ok(Answer { id, status, cause, why }))
    });
    json(StatusCode::OK, &answer.await??)
}

/// How a run stands, without its steps.
#[derive(Serialize, ToSchema)]
#[schema(as = RunResult)]
struct Stands<'a> {
    #[schema(value_type = shapes::Id)]
    id: RunId,
    #[schema(value_type = shapes::Status)]
    status: RunStatus,
    #[schema(value_type = shapes::Json)]
    output: Option<&'a RawValue>,
    #[schema(value_type = Option<shapes::Failed>, required)]
    error: Option<&'a Failure<'a>>,
}

/// Describes [`result`].
pub(super) fn about_result() -> About {
    About::new("runResult", "Tells how a run ended, without its steps")
        .query::<Waiting>()
        .answer::<Stands<'_>>(200, "It has ended.")
        .answer::<Stands<'_>>(202, "It has not ended.")
        .refuses(&[Code::UnknownRun, Code::Quarantined])
}

impl Stands<'_> {
    fn written(&self) -> Result<Response<Body>, Problem> {
        let ended = self.status.is_ended();
        json(if ended { StatusCode::OK } else { StatusCode::ACCEPTED }, self)
    }
}

/// Tells how a run ended, or how far it is: 200 at its end, else 202.
pub(super) async fn result(
    State(api): State<Api>,
    caller: Caller,
    run: body::Part,
    uri: Uri,
) -> Result<Response<Body>, Problem> {
    let id = body::run_of(run)?;
    let Waiting { wait } = body::query(&uri)?;
    if let Some(patience) = body::wait(wait.as_deref())?
        && let Some(ended) = api.node.wait(caller.namespace(), id, patience).await?
    {
        let (output, error) = (ended.output.as_deref(), ended.error.as_ref());
        return Stands { id, status: ended.status, output, error }.written();
    }
    let read = api.node.read(move |store| {
        let Some(journal) = store.load(id)? else { return Ok(Err(unknown(id))) };
        Ok(view(&caller, id, &journal)?.and_then(|view| {
            let (output, error) = (view.output, view.error.as_ref());
            Stands { id, status: view.status, output, error }.written()
        }))
    });
    read.await?
}

fn journal_bytes(text: &str) -> Result<u64, Problem> {
    text.parse().map_err(|_| {
        Problem::bad_request(format!(
            "`since` is `{text}`; accepted: a number of bytes, the `journalBytes` of an earlier answer"
        ))
    })
}

pub(super) fn unknown(id: RunId) -> Problem {
    Problem::new(Code::UnknownRun, format!("there is no run {id}"))
}

/// Tells whether a journal is of the caller's namespace, also where not all of it can be read.
pub(super) fn is_of(caller: &Caller, journal: &[u8]) -> bool {
    let first = record::decode(journal).next();
    matches!(first, Some(Ok(Record::Started(started))) if *started.namespace == *caller.namespace())
}

/// Reads a stored run, if it is the caller's.
fn view<'a>(
    caller: &Caller,
    id: RunId,
    journal: &'a [u8],
) -> Result<Result<View<'a>, Problem>, StoreError> {
    match View::of(id, journal) {
        Ok(view) if view.namespace == caller.namespace() => Ok(Ok(view)),
        // What another namespace has is not there (§1).
        Ok(_) => Ok(Err(unknown(id))),
        Err(error) => Err(StoreError::Quarantined { run: id, why: error.to_string() }),
    }
}

fn render(
    store: &dyn Store,
    caller: &Caller,
    (id, journal, wish): (RunId, &[u8], Wish),
    runners: &[RunnerInfo],
) -> Result<Result<Vec<u8>, Problem>, StoreError> {
    let mut view = match view(caller, id, journal)? {
        Ok(view) => view,
        Err(problem) => return Ok(Err(problem)),
    };
    let ended = view.status.is_ended();
    let because = if ended { None } else { Some(because(store, &view, runners)?) };
    // A journal never becomes shorter: who has seen a longer one has seen another.
    let since = wish.since.filter(|since| *since <= view.journal_bytes);
    if let Some(since) = since {
        view.steps.retain(|step| step.changed_at > since);
    }
    if let Some(dialect) = wish.dialect {
        view.speak(dialect);
    }
    let shown = Shown {
        duration_ms: millis_between(Some(view.created_at), view.ended_at),
        cause: because.as_ref().map(|why| why.cause.as_str()),
        why: because.map(|why| why.text),
        since,
        view: &view,
    };
    let written = serde_json::to_vec(&shown);
    Ok(written.map_err(|error| Problem::new(Code::Internal, error.to_string())))
}

/// Says why a run is not moving: where it waits for a child, also why that one is not, and so on down.
pub(super) fn because(
    store: &dyn Store,
    view: &View<'_>,
    runners: &[RunnerInfo],
) -> Result<Why, StoreError> {
    let mut found = why(view, runners, behind(store, view)?);
    let mut next = awaited_child(view);
    for _ in 0..LEVELS_MAX {
        let Some(child) = next else { break };
        // A run that cannot be read or is gone is said by name, and nothing more is known of it.
        let Ok(Some(journal)) = store.load(child) else { break };
        let Ok(below) = View::of(child, &journal) else { break };
        if let Some(goes_on) = below.continued_as {
            next = Some(goes_on);
            continue;
        }
        let Why { text, .. } = why(&below, runners, behind(store, &below)?);
        found.text = format!("{}, which is {}: {text}", found.text, below.status);
        next = awaited_child(&below);
    }
    let restored = store.in_folder().and_then(InFolder::restored);
    Ok(match restored.filter(|restored| restored.held) {
        Some(restored) => held_back(found, &restored.backup),
        None => found,
    })
}

/// Counts the runs in front of a queued one.
fn behind(store: &dyn Store, view: &View<'_>) -> Result<Behind, StoreError> {
    if view.status != RunStatus::Queued {
        return Ok(Behind::default());
    }
    let queue = Queue {
        namespace: view.namespace.clone(),
        app: view.app.clone(),
        workflow: view.workflow.clone(),
    };
    let queued = store.ready(&queue, None, BEHIND_MAX)?;
    let place = queued.iter().position(|(_, run)| *run == view.id);
    let or_more = place.is_none() && queued.len() == BEHIND_MAX;
    let runs = place.unwrap_or(if or_more { BEHIND_MAX } else { 0 });
    Ok(Behind { runs, or_more })
}
