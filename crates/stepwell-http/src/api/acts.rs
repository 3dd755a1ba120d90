//! What people do to a run: cancels, the acts of operators (§9.5), deletion.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Response, StatusCode, Uri};
use serde::{Deserialize, Serialize};
use stepwell_core::code::Code;
use stepwell_core::id::RunId;
use stepwell_core::name;
use stepwell_core::operation::Operation;
use stepwell_core::status::RunStatus;
use stepwell_node::Signed;
use utoipa::{IntoParams, ToSchema};

use super::answer::json;
use super::body;
use super::routes::Api;
use crate::gate::Caller;
use crate::openapi::{About, shapes};
use crate::problem::Problem;

/// Who acts, and why; both stand in the run's history.
#[derive(Deserialize, Default, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = Act)]
struct ActBody {
    /// Who; the name of the key where it is left out.
    #[schema(value_type = Option<shapes::Name>)]
    by: Option<String>,
    #[schema(value_type = Option<shapes::Name>)]
    reason: Option<String>,
}

/// The run after an act.
#[derive(Serialize, ToSchema)]
pub(super) struct Acted {
    #[schema(value_type = shapes::Id)]
    pub(super) id: RunId,
    #[schema(value_type = shapes::Status)]
    pub(super) status: RunStatus,
}

fn about(id: &'static str, summary: &'static str) -> About {
    About::new(id, summary)
        .optional_body::<ActBody>()
        .answer::<Acted>(200, "The act is durable.")
        .refuses(&[Code::UnknownRun, Code::Quarantined, Code::ActRefused])
}

/// Describes [`cancel`].
pub(super) fn about_cancel() -> About {
    about("cancelRun", "Cancels a run").more("A run that had ended before keeps its status.")
}

/// Describes [`terminate`].
pub(super) fn about_terminate() -> About {
    let about = about("terminateRun", "Ends a run at once, without a clean-up");
    about.more("A run that had ended before keeps its status.")
}

/// Describes [`retry`].
pub(super) fn about_retry() -> About {
    about("retryRun", "Ends backoffs, and tries a blocked run again")
}

/// Describes [`pause`].
pub(super) fn about_pause() -> About {
    about("pauseRun", "Holds a run back")
}

/// Describes [`resume`].
pub(super) fn about_resume() -> About {
    about("resumeRun", "Lets a paused run go on")
}

/// Cancels a run (§7.1).
pub(super) async fn cancel(
    State(api): State<Api>,
    caller: Caller,
    run: body::Part,
    headers: HeaderMap,
    body: Body,
) -> Result<Response<Body>, Problem> {
    let id = body::run_of(run)?;
    let signed = signed(&api, &caller, &headers, body).await?;
    let status = api.node.cancel(caller.namespace(), id, signed).await?;
    json(StatusCode::OK, &Acted { id, status })
}

/// Ends a run at once (§7.6).
pub(super) async fn terminate(
    State(api): State<Api>,
    caller: Caller,
    run: body::Part,
    headers: HeaderMap,
    body: Body,
) -> Result<Response<Body>, Problem> {
    let asked = (run, Operation::Terminate);
    operate(&api, &caller, asked, signed(&api, &caller, &headers, body).await?).await
}

/// Tries a run again at once (§9.5).
pub(super) async fn retry(
    State(api): State<Api>,
    caller: Caller,
    run: body::Part,
    headers: HeaderMap,
    body: Body,
) -> Result<Response<Body>, Problem> {
    operate(&api, &caller, (run, Operation::Retry), signed(&api, &caller, &headers, body).await?)
        .await
}

/// Holds a run back (§9.6).
pub(super) async fn pause(
    State(api): State<Api>,
    caller: Caller,
    run: body::Part,
    headers: HeaderMap,
    body: Body,
) -> Result<Response<Body>, Problem> {
    operate(&api, &caller, (run, Operation::Pause), signed(&api, &caller, &headers, body).await?)
        .await
}

/// Lets a paused run go on (§9.6).
pub(super) async fn resume(
    State(api): State<Api>,
    caller: Caller,
    run: body::Part,
    headers: HeaderMap,
    body: Body,
) -> Result<Response<Body>, Problem> {
    operate(&api, &caller, (run, Operation::Resume), signed(&api, &caller, &headers, body).await?)
        .await
}

/// A run that was deleted.
#[derive(Serialize, ToSchema)]
#[schema(as = DeletedRun)]
struct Deleted {
    #[schema(value_type = shapes::Id)]
    id: RunId,
    deleted: bool,
}

/// Why something is deleted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct Why {
    /// It stands in the audit log.
    #[param(value_type = Option<shapes::Name>)]
    pub(super) reason: Option<String>,
}

/// Describes [`delete`].
pub(super) fn about_delete() -> About {
    About::new("deleteRun", "Deletes a run that has ended, with its history and its key")
        .query::<Why>()
        .answer::<Deleted>(200, "It is gone.")
        .refuses(&[Code::UnknownRun, Code::ActRefused])
}

/// Deletes a run that has ended, with all that is known of it.
pub(super) async fn delete(
    State(api): State<Api>,
    caller: Caller,
    run: body::Part,
    uri: Uri,
) -> Result<Response<Body>, Problem> {
    let id = body::run_of(run)?;
    let Why { reason } = body::query(&uri)?;
    check_signed(&caller, None, reason)?;
    api.node.delete(caller.namespace(), id).await?;
    json(StatusCode::OK, &Deleted { id, deleted: true })
}

async fn operate(
    api: &Api,
    caller: &Caller,
    (run, act): (body::Part, Operation),
    signed: Signed,
) -> Result<Response<Body>, Problem> {
    let id = body::run_of(run)?;
    let status = api.node.operate(caller.namespace(), id, act, signed).await?;
    json(StatusCode::OK, &Acted { id, status })
}

/// Reads who acts and why; a body is not needed.
async fn signed(
    api: &Api,
    caller: &Caller,
    headers: &HeaderMap,
    body: Body,
) -> Result<Signed, Problem> {
    let ActBody { by, reason } = body::optional(headers, body, &api.limits).await?;
    check_signed(caller, by, reason)
}

/// Checks who acts and why, and notes it for the audit log. Who does not say who he is acts as his key.
pub(super) fn check_signed(
    caller: &Caller,
    by: Option<String>,
    reason: Option<String>,
) -> Result<Signed, Problem> {
    for (what, value) in [("the field by", &by), ("the field reason", &reason)] {
        let refuse = |error: name::Error| Problem::bad_request(error.to_string());
        value.as_deref().map_or(Ok(()), |value| name::check(what, value)).map_err(refuse)?;
    }
    if let Some(reason) = &reason {
        caller.note_reason(reason);
    }
    let by = by.or_else(|| caller.key().map(|key| key.name.to_string()));
    Ok(Signed { by, reason })
}
