//! Workflows and runners.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{Response, StatusCode, Uri};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use stepwell_core::retry::Policy;
use stepwell_core::time::Timestamp;
use stepwell_core::view::iso;
use stepwell_protocol::to_node;
use utoipa::{IntoParams, ToSchema};

use super::answer::json;
use super::body;
use super::routes::Api;
use crate::gate::Caller;
use crate::openapi::{About, shapes};
use crate::problem::Problem;
use stepwell_driver::schema;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct OfApp {
    /// Only what is of this app.
    app: Option<String>,
}

/// A workflow, as it was registered last.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Workflow<'a> {
    app: &'a str,
    name: &'a str,
    #[schema(required)]
    version: Option<&'a str>,
    #[schema(required)]
    timeout_ms: Option<u64>,
    strict: bool,
    #[schema(value_type = shapes::Json)]
    input_schema: Option<&'a RawValue>,
    /// Why the input schema is not checked by the server.
    #[schema(required)]
    input_schema_error: Option<String>,
    #[schema(value_type = shapes::Json)]
    output_schema: Option<&'a RawValue>,
    #[schema(value_type = Option<RetryPolicy>, required)]
    retry: Option<&'a Policy>,
    compensate_on_cancel: bool,
    on_failure: bool,
    #[serde(serialize_with = "iso")]
    #[schema(value_type = shapes::Instant)]
    first_at: Timestamp,
    #[serde(serialize_with = "iso")]
    #[schema(value_type = shapes::Instant)]
    changed_at: Timestamp,
}

/// How often and when a failed run of a handler is tried again.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "it stands for a type of the core, and is never made")]
struct RetryPolicy {
    max_attempts: u32,
    backoff_ms: u64,
    /// What each further pause is multiplied by, in thousandths.
    factor_milli: u32,
    max_backoff_ms: u64,
    jitter: bool,
}

/// The workflows of the caller's namespace.
#[derive(Serialize, ToSchema)]
#[schema(as = WorkflowList)]
struct Workflows<'a> {
    workflows: Vec<Workflow<'a>>,
}

/// Describes [`workflows`].
pub(super) fn about_workflows() -> About {
    About::new("listWorkflows", "Lists every workflow that was ever registered")
        .query::<OfApp>()
        .answer::<Workflows<'_>>(200, "The workflows.")
}

/// Lists every workflow that was ever registered.
pub(super) async fn workflows(
    State(api): State<Api>,
    caller: Caller,
    uri: Uri,
) -> Result<Response<Body>, Problem> {
    let query: OfApp = body::query(&uri)?;
    let mut known = api.node.read(|store| store.workflows()).await?;
    let wanted = |app: &Arc<str>| query.app.as_deref().is_none_or(|wanted| **app == *wanted);
    let namespace = caller.namespace();
    known.retain(|one| one.namespace == namespace && wanted(&one.app));
    known.sort();
    let options: Vec<to_node::Workflow<'_>> = known
        .iter()
        .map(|one| serde_json::from_str(&one.options).unwrap_or_else(|_| bare(&one.name)))
        .collect();
    let shown = known.iter().zip(&options).map(|(one, options)| Workflow {
        app: &one.app,
        name: &one.name,
        version: options.version.as_deref(),
        timeout_ms: options.timeout_ms,
        strict: options.strict,
        input_schema: options.input_schema,
        input_schema_error: schema::compile(&one.options).err(),
        output_schema: options.output_schema,
        retry: options.retry.as_ref(),
        compensate_on_cancel: options.compensate_on_cancel,
        on_failure: options.on_failure,
        first_at: one.first_at,
        changed_at: one.changed_at,
    });
    json(StatusCode::OK, &Workflows { workflows: shown.collect() })
}

fn bare(name: &str) -> to_node::Workflow<'_> {
    to_node::Workflow {
        name: name.into(),
        version: None,
        timeout_ms: None,
        strict: false,
        input_schema: None,
        output_schema: None,
        retry: None,
        compensate_on_cancel: false,
        on_failure: false,
        triggers: Vec::new(),
    }
}

/// A runner.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Runner<'a> {
    app: &'a str,
    name: &'a str,
    instance: &'a str,
    sdk: &'a str,
    #[schema(required)]
    build: Option<&'a str>,
    #[serde(serialize_with = "iso")]
    #[schema(value_type = shapes::Instant)]
    connected_at: Timestamp,
    #[serde(serialize_with = "iso")]
    #[schema(value_type = shapes::Instant)]
    seen_at: Timestamp,
    /// How many runs it takes at once, how many of its slots are taken, and how many runs it holds.
    slots: u32,
    busy: u32,
    held: u32,
    /// It stops, and takes no more.
    draining: bool,
    /// Names, with the version behind `@`.
    #[schema(value_type = Vec<String>)]
    workflows: &'a [Arc<str>],
}

/// The runners of the caller's namespace.
#[derive(Serialize, ToSchema)]
#[schema(as = RunnerList)]
struct Runners<'a> {
    runners: Vec<Runner<'a>>,
}

/// Describes [`runners`].
pub(super) fn about_runners() -> About {
    About::new("listRunners", "Lists runners that are connected or awaited")
        .query::<OfApp>()
        .answer::<Runners<'_>>(200, "The runners.")
}

/// Lists runners that are connected or awaited.
pub(super) async fn runners(
    State(api): State<Api>,
    caller: Caller,
    uri: Uri,
) -> Result<Response<Body>, Problem> {
    let query: OfApp = body::query(&uri)?;
    let known = api.node.runners(caller.namespace()).await?;
    let wanted = |app: &str| query.app.as_deref().is_none_or(|wanted| app == wanted);
    let list: Vec<_> = known
        .iter()
        .filter(|one| wanted(&one.app))
        .map(|one| Runner {
            app: &one.app,
            name: &one.name,
            instance: &one.instance,
            sdk: &one.sdk,
            build: one.build.as_deref(),
            connected_at: one.connected_at,
            seen_at: one.seen_at,
            slots: one.slots,
            busy: one.busy,
            held: one.held,
            draining: one.draining,
            workflows: &one.workflows,
        })
        .collect();
    json(StatusCode::OK, &Runners { runners: list })
}
