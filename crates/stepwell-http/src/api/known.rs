//! Workflows and runners.

use std::collections::BTreeMap;
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

use super::answer::json;
use super::body;
use super::routes::Api;
use crate::gate::Caller;
use crate::problem::Problem;
use stepwell_driver::schema;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OfApp {
    app: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Workflow<'a> {
    app: &'a str,
    name: &'a str,
    version: Option<&'a str>,
    timeout_ms: Option<u64>,
    strict: bool,
    input_schema: Option<&'a RawValue>,
    input_schema_error: Option<String>,
    output_schema: Option<&'a RawValue>,
    retry: Option<&'a Policy>,
    compensate_on_cancel: bool,
    on_failure: bool,
    #[serde(serialize_with = "iso")]
    first_at: Timestamp,
    #[serde(serialize_with = "iso")]
    changed_at: Timestamp,
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
    let list: Vec<_> = shown.collect();
    json(StatusCode::OK, &BTreeMap::from([("workflows", list)]))
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

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Runner<'a> {
    app: &'a str,
    name: &'a str,
    instance: &'a str,
    sdk: &'a str,
    build: Option<&'a str>,
    #[serde(serialize_with = "iso")]
    connected_at: Timestamp,
    #[serde(serialize_with = "iso")]
    seen_at: Timestamp,
    slots: u32,
    busy: u32,
    held: u32,
    draining: bool,
    workflows: &'a [Arc<str>],
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
    json(StatusCode::OK, &BTreeMap::from([("runners", list)]))
}
