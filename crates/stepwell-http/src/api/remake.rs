//! Acts that bring something along: resolving a step (§4.5), reruns (§9.5) and forks (§9.8).

use std::collections::BTreeMap;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use stepwell_core::code::Code;
use stepwell_core::failure::Failure;
use stepwell_core::id::RunId;
use stepwell_core::view::View;
use stepwell_node::{ForkAt, ForkRequest, Known, ResolveRequest, Signed};
use utoipa::ToSchema;

use super::acts::{Acted, check_signed};
use super::answer::json;
use super::body;
use super::routes::Api;
use crate::gate::Caller;
use crate::openapi::{About, shapes};
use crate::problem::Problem;

/// How a step ended.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
enum Outcome {
    Completed,
    Failed,
    NotDone,
}

/// What a step failed with.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Thrown {
    name: String,
    message: String,
}

/// How a step ended whose outcome is unknown.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "a JSON object with the fields `step` and `outcome`")]
#[schema(as = Resolve)]
struct ResolveBody {
    /// The step.
    step: String,
    outcome: Outcome,
    /// Its result; with `completed` alone.
    #[schema(value_type = shapes::Json, required = false)]
    output: Option<Box<RawValue>>,
    /// What it failed with; needed with `failed`, and with nothing else.
    error: Option<Thrown>,
    #[schema(value_type = Option<shapes::Name>)]
    by: Option<String>,
    #[schema(value_type = Option<shapes::Name>)]
    reason: Option<String>,
}

/// How a run is started again.
#[derive(Deserialize, Default, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = Rerun)]
struct RerunBody {
    /// Another input than before.
    #[schema(value_type = shapes::Json, required = false)]
    input: Option<Box<RawValue>>,
    #[schema(value_type = Option<shapes::Name>)]
    by: Option<String>,
    #[schema(value_type = Option<shapes::Name>)]
    reason: Option<String>,
}

/// From where a run goes on, and what is different.
#[derive(Deserialize, Default, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = Fork)]
struct ForkBody {
    /// The step to go on from; the last one that failed where it is left out.
    step: Option<String>,
    /// Another input than before.
    #[schema(value_type = shapes::Json, required = false)]
    input: Option<Box<RawValue>>,
    /// Other results of steps that are kept, by the ids of the steps.
    #[schema(value_type = BTreeMap<String, shapes::Json>, required = false)]
    outputs: BTreeMap<String, Box<RawValue>>,
    #[schema(value_type = Option<shapes::Name>)]
    by: Option<String>,
    #[schema(value_type = Option<shapes::Name>)]
    reason: Option<String>,
}

/// A run that was made of another one.
#[derive(Serialize, ToSchema)]
#[schema(as = MadeRun)]
struct Made {
    #[schema(value_type = shapes::Id)]
    id: RunId,
    created: bool,
}

const OF_RUN: [Code; 4] =
    [Code::UnknownRun, Code::Quarantined, Code::ActRefused, Code::PayloadTooLarge];

/// Describes [`resolve`].
pub(super) fn about_resolve() -> About {
    About::new("resolveStep", "Says how a step ended whose outcome is unknown")
        .body::<ResolveBody>()
        .answer::<Acted>(200, "The act is durable.")
        .refuses(&OF_RUN)
}

/// Describes [`rerun`].
pub(super) fn about_rerun() -> About {
    About::new("rerunRun", "Starts a new run with the input of this one, or another")
        .optional_body::<RerunBody>()
        .answer::<Made>(201, "The new run was started.")
        .with_header(201, "Location", "The address of the new run.")
        .refuses(&OF_RUN)
        .refuses(&[Code::ForkRefused, Code::InputInvalid])
}

/// Describes [`fork`].
pub(super) fn about_fork() -> About {
    About::new("forkRun", "Starts a new run that goes on from a step of this one")
        .optional_body::<ForkBody>()
        .answer::<Made>(201, "The new run was started.")
        .with_header(201, "Location", "The address of the new run.")
        .refuses(&OF_RUN)
        .refuses(&[Code::ForkRefused, Code::InputInvalid])
}

/// Says how a step ended whose outcome is unknown.
pub(super) async fn resolve(
    State(api): State<Api>,
    caller: Caller,
    run: body::Part,
    headers: HeaderMap,
    body: Body,
) -> Result<Response<Body>, Problem> {
    let id = body::run_of(run)?;
    let bytes = body::read(&headers, body, &api.limits).await?;
    body::expect_json(&headers)?;
    let asked: ResolveBody = body::parse(&bytes)?;
    let bad = |text: &str| Err(Problem::bad_request(format!("the body is not accepted: {text}")));
    let known = match (asked.outcome, asked.output, asked.error) {
        (Outcome::Completed, output, None) => Known::Completed(output),
        (Outcome::Failed, None, Some(error)) => {
            let (name, message) = (error.name.into(), error.message.into());
            Known::Failed(Failure { name, message, stack: None, cause: None, run: None })
        }
        (Outcome::NotDone, None, None) => Known::NotDone,
        (Outcome::Completed, _, Some(_)) => return bad("what completed has no `error`"),
        (Outcome::Failed, ..) => return bad("what failed needs `error` and has no `output`"),
        (Outcome::NotDone, ..) => return bad("what was not done has neither `output` nor `error`"),
    };
    let signed = check_signed(&caller, asked.by, asked.reason)?;
    let resolve = ResolveRequest { step: asked.step, known };
    let status = api.node.resolve(caller.namespace(), id, resolve, signed).await?;
    json(StatusCode::OK, &Acted { id, status })
}

/// Starts a run again, with the same input or another one.
pub(super) async fn rerun(
    State(api): State<Api>,
    caller: Caller,
    run: body::Part,
    headers: HeaderMap,
    body: Body,
) -> Result<Response<Body>, Problem> {
    let id = body::run_of(run)?;
    let asked: RerunBody = body::optional(&headers, body, &api.limits).await?;
    let signed = check_signed(&caller, asked.by, asked.reason)?;
    let fork = ForkRequest { from: ForkAt::Start, input: asked.input, outputs: Vec::new() };
    make(&api, &caller, (id, fork), signed).await
}

/// Starts a run that goes on from a step of another one.
pub(super) async fn fork(
    State(api): State<Api>,
    caller: Caller,
    run: body::Part,
    headers: HeaderMap,
    body: Body,
) -> Result<Response<Body>, Problem> {
    let id = body::run_of(run)?;
    let asked: ForkBody = body::optional(&headers, body, &api.limits).await?;
    let signed = check_signed(&caller, asked.by, asked.reason)?;
    let from = asked.step.map_or(ForkAt::Failure, ForkAt::Step);
    let outputs = asked.outputs.into_iter().collect();
    make(&api, &caller, (id, ForkRequest { from, input: asked.input, outputs }), signed).await
}

async fn make(
    api: &Api,
    caller: &Caller,
    (run, fork): (RunId, ForkRequest),
    signed: Signed,
) -> Result<Response<Body>, Problem> {
    if let Some(input) = fork.input.as_deref() {
        check_input(api, caller, run, input).await?;
    }
    let id = api.node.fork(caller.namespace(), run, fork, signed).await?;
    let mut response = json(StatusCode::CREATED, &Made { id, created: true })?;
    if let Ok(location) = HeaderValue::from_str(&format!("/api/v1/runs/{id}")) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

/// Holds another input than that of the source against the schema of its workflow, as a start does (§9.1).
async fn check_input(
    api: &Api,
    caller: &Caller,
    run: RunId,
    input: &RawValue,
) -> Result<(), Problem> {
    let found = api.node.read(move |store| {
        let Some(journal) = store.load(run)? else { return Ok(None) };
        // A run that cannot be read is refused by the node, in its own words.
        let view = View::of(run, &journal).ok();
        Ok(view.map(|view| (view.namespace, view.app, view.workflow)))
    });
    let Some((namespace, app, workflow)) = found.await? else { return Ok(()) };
    if namespace == caller.namespace() {
        api.node.schemas().check(&namespace, (Some(&app), &workflow), Some(input))?;
    }
    Ok(())
}
