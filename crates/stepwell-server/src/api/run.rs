//! One run with its steps, attempts and logs.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{Response, StatusCode, Uri};
use serde::{Deserialize, Serialize};
use stepwell_core::code::Code;
use stepwell_core::id::RunId;
use stepwell_core::status::RunStatus;
use stepwell_core::view::View;
use stepwell_node::RunnerInfo;
use stepwell_store::query::Queue;
use stepwell_store::{Error as StoreError, Store};

use super::answer::{bytes, millis_between};
use super::body;
use super::routes::Api;
use super::why::{Behind, why};
use crate::gate::Caller;
use crate::problem::Problem;

/// Most runs that are counted in front of a queued one.
const BEHIND_MAX: usize = 1_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Waiting {
    wait: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown<'a> {
    #[serde(flatten)]
    view: &'a View<'a>,
    duration_ms: Option<f64>,
    why: Option<String>,
}

/// Shows a run as it is stored; with `?wait=` once it has ended.
pub(super) async fn show(
    State(api): State<Api>,
    caller: Caller,
    Path(run): Path<String>,
    uri: Uri,
) -> Result<Response<Body>, Problem> {
    let id = body::run_id(&run)?;
    let Waiting { wait } = body::query(&uri)?;
    if let Some(patience) = body::wait(wait.as_deref())? {
        api.node.wait(caller.namespace(), id, patience).await?;
    }
    let runners = api.node.runners(caller.namespace()).await?;
    let shown = api.node.read(move |store| {
        let Some(journal) = store.load(id)? else { return Ok(Err(unknown(id))) };
        render(store, &caller, (id, &journal), &runners)
    });
    Ok(bytes(StatusCode::OK, shown.await??))
}

fn unknown(id: RunId) -> Problem {
    Problem::new(Code::UnknownRun, format!("there is no run {id}"))
}

fn render(
    store: &dyn Store,
    caller: &Caller,
    (id, journal): (RunId, &[u8]),
    runners: &[RunnerInfo],
) -> Result<Result<Vec<u8>, Problem>, StoreError> {
    let view = match View::of(id, journal) {
        Ok(view) if view.namespace == caller.namespace() => view,
        // What another namespace has is not there (§1).
        Ok(_) => return Ok(Err(unknown(id))),
        Err(error) => {
            let why = error.to_string();
            return Err(StoreError::Quarantined { run: id, why });
        }
    };
    let behind = match view.status {
        RunStatus::Queued => Some(behind(store, &view)?),
        _ => None,
    };
    let shown = Shown {
        duration_ms: millis_between(Some(view.created_at), view.ended_at),
        why: why(&view, runners, behind),
        view: &view,
    };
    let written = serde_json::to_vec(&shown);
    Ok(written.map_err(|error| Problem::new(Code::Internal, error.to_string())))
}

fn behind(store: &dyn Store, view: &View<'_>) -> Result<Behind, StoreError> {
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
