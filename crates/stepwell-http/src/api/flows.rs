//! Flows: which there are, what is declared of them, what their runs add up to (§10.5, §10.6).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Response, StatusCode, Uri};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use stepwell_core::code::Code;
use stepwell_core::time::Timestamp;
use stepwell_core::view::{iso, iso_option};
use stepwell_telemetry::file;
use stepwell_telemetry::flow::Flow;
use stepwell_telemetry::keep::{self, FlowSummary, Window};
use utoipa::{IntoParams, ToSchema};

use super::acts::{Why, check_signed};
use super::answer::json;
use super::body;
use super::list::now;
use super::observed::learned_of;
use super::routes::Api;
use super::telemetry::observed_of;
use crate::gate::Caller;
use crate::openapi::{About, observed, shapes};
use crate::problem::Problem;

/// A flow of a list.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = FlowRow)]
struct Row<'a> {
    #[schema(value_type = shapes::FlowWord)]
    flow: &'a str,
    name: &'a str,
    /// Its steps are declared.
    declared: bool,
    /// How many are declared.
    steps: usize,
    /// The begin of its first run that is kept.
    #[serde(serialize_with = "iso_option")]
    #[schema(value_type = Option<shapes::Instant>, required)]
    first_at: Option<Timestamp>,
    /// Its last event.
    #[serde(serialize_with = "iso_option")]
    #[schema(value_type = Option<shapes::Instant>, required)]
    last_at: Option<Timestamp>,
    last24h: LastDay,
    now: OfNow,
}

/// Runs that began in the last 24 hours.
#[derive(Serialize, ToSchema)]
#[schema(as = FlowLastDay)]
struct LastDay {
    runs: u64,
    failed: u64,
}

/// Runs that have not ended.
#[derive(Serialize, ToSchema)]
#[schema(as = FlowNow)]
struct OfNow {
    running: u64,
    stuck: u64,
}

impl<'a> Row<'a> {
    fn of(summary: &'a FlowSummary) -> Self {
        let FlowSummary { flow, declared, first_at, last_at, day: (runs, failed), running, stuck } =
            summary;
        Self {
            flow,
            name: declared.as_ref().map_or(flow, |declared| &declared.name),
            declared: declared.is_some(),
            steps: declared.as_ref().map_or(0, |declared| declared.steps.len()),
            first_at: *first_at,
            last_at: *last_at,
            last24h: LastDay { runs: *runs, failed: *failed },
            now: OfNow { running: *running, stuck: *stuck },
        }
    }
}

/// The flows of the caller's namespace.
#[derive(Serialize, ToSchema)]
#[schema(as = FlowList)]
struct List<'a> {
    flows: Vec<Row<'a>>,
}

/// Describes [`list`].
pub(super) fn about_list() -> About {
    About::new("listFlows", "Lists flows that are declared, or have observed runs")
        .answer::<List<'_>>(200, "The flows, by slug.")
        .refuses(&[Code::UnknownRoute])
}

/// Lists flows that are declared, or have observed runs.
pub(super) async fn list(
    State(api): State<Api>,
    caller: Caller,
) -> Result<Response<Body>, Problem> {
    let namespace = caller.namespace();
    let flows = observed_of(&api)?.ask(move |keep| keep.flows(&namespace, now())).await?;
    json(StatusCode::OK, &List { flows: flows.iter().map(Row::of).collect() })
}

/// What is declared of a flow now.
#[derive(Serialize, ToSchema)]
#[schema(as = DeclaredFlow)]
struct Declared {
    #[schema(value_type = observed::Declaration)]
    flow: Value,
    /// It was not so before.
    changed: bool,
}

/// Describes [`declare`].
pub(super) fn about_declare() -> About {
    About::new("declareFlow", "Declares the steps of a flow, in place of what was declared of it")
        .more("The body is an entry of a file of flows; its `slug` may be left out.")
        .body::<observed::Declaration>()
        .answer::<Declared>(200, "What is declared now.")
        .refuses(&[Code::UnknownRoute])
}

/// Declares the steps of a flow.
pub(super) async fn declare(
    State(api): State<Api>,
    caller: Caller,
    flow: body::Part,
    headers: HeaderMap,
    body: Body,
) -> Result<Response<Body>, Problem> {
    let observed = observed_of(&api)?;
    let slug = body::slug(flow)?;
    caller.note_object(slug.as_str());
    body::expect_json(&headers)?;
    let entry: Value = body::parse(&body::read(&headers, body, &api.limits).await?)?;
    let flow = file::read_entry(&slug, &entry).map_err(|faults| {
        let faults: Vec<_> = faults.iter().map(ToString::to_string).collect();
        Problem::bad_request(format!("the flow is not accepted: {}", faults.join("; ")))
    })?;
    let shown = file::entry(&flow);
    let changed = put(observed, caller.namespace(), slug, Some(flow)).await?;
    json(StatusCode::OK, &Declared { flow: shown, changed })
}

/// Keeps what is declared of a flow; tells whether it was another.
async fn put(
    observed: &crate::observe::Observed,
    namespace: Arc<str>,
    slug: String,
    flow: Option<Flow>,
) -> Result<bool, Problem> {
    let of = Arc::clone(&namespace);
    let changed = observed.ask(move |keep| keep.declare(&of, &slug, flow.as_ref())).await?;
    if changed {
        observed.tell(&namespace);
    }
    Ok(changed)
}

/// A flow that is not declared any more.
#[derive(Serialize, ToSchema)]
#[schema(as = ForgottenFlow)]
struct Forgotten<'a> {
    #[schema(value_type = shapes::FlowWord)]
    flow: &'a str,
    /// It was declared.
    changed: bool,
}

/// Describes [`forget`].
pub(super) fn about_forget() -> About {
    About::new("forgetFlow", "Takes back what is declared of a flow; its runs stay")
        .query::<Why>()
        .answer::<Forgotten<'_>>(200, "It is not declared.")
        .refuses(&[Code::UnknownRoute])
}

/// Takes back what is declared of a flow.
pub(super) async fn forget(
    State(api): State<Api>,
    caller: Caller,
    flow: body::Part,
    uri: Uri,
) -> Result<Response<Body>, Problem> {
    let observed = observed_of(&api)?;
    let slug = body::slug(flow)?;
    caller.note_object(slug.as_str());
    let Why { reason } = body::query(&uri)?;
    check_signed(&caller, None, reason)?;
    let changed = put(observed, caller.namespace(), slug.clone(), None).await?;
    json(StatusCode::OK, &Forgotten { flow: &slug, changed })
}

/// Describes [`learned`].
pub(super) fn about_learned() -> About {
    About::new("learnFlow", "Shows a flow as its last runs show it, as an entry of a file of flows")
        .answer::<observed::Declaration>(200, "The flow.")
        .refuses(&[Code::UnknownRoute, Code::UnknownFlow])
}

/// Shows a flow as its last runs show it.
pub(super) async fn learned(
    State(api): State<Api>,
    caller: Caller,
    flow: body::Part,
) -> Result<Response<Body>, Problem> {
    let (namespace, slug) = (caller.namespace(), body::slug(flow)?);
    let asked = slug.clone();
    let learned =
        observed_of(&api)?.ask(move |keep| learned_of(keep, &namespace, &asked, now())).await?;
    let flow = learned.ok_or_else(|| unknown(&slug))?;
    json(StatusCode::OK, &file::entry(&flow))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct Back {
    /// How far back is looked: `1h`, `24h` or `7d`.
    #[param(value_type = Option<shapes::WindowWord>, inline, default = "24h")]
    window: Option<String>,
}

impl Back {
    /// Reads the window; a day where it is left out.
    pub(super) fn window(&self) -> Result<Window, Problem> {
        let Some(word) = self.window.as_deref() else { return Ok(Window::default()) };
        Window::parse(word).ok_or_else(|| {
            let words = Window::ALL.map(Window::as_str).join(", ");
            Problem::bad_request(format!("`window` is `{word}`; accepted: {words}"))
        })
    }
}

/// Errors of a flow that are the same but for numbers, ids and places.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = FlowError)]
struct Group<'a> {
    /// What they have in common, as 16 hexadecimal digits.
    fingerprint: String,
    step: &'a str,
    /// The error's name.
    name: &'a str,
    /// Of the last one.
    message: &'a str,
    count: u64,
    #[serde(serialize_with = "iso")]
    #[schema(value_type = shapes::Instant)]
    first_at: Timestamp,
    #[serde(serialize_with = "iso")]
    #[schema(value_type = shapes::Instant)]
    last_at: Timestamp,
    /// The last run that it happened in.
    last_run: &'a str,
}

impl<'a> Group<'a> {
    fn of(group: &'a keep::ErrorGroup) -> Self {
        Self {
            fingerprint: format!("{:016x}", group.fingerprint),
            step: &group.step,
            name: &group.name,
            message: &group.message,
            count: group.count,
            first_at: group.first_at,
            last_at: group.last_at,
            last_run: &group.last_run,
        }
    }
}

/// Errors of a flow, the most frequent first.
#[derive(Serialize, ToSchema)]
#[schema(as = FlowErrorList)]
struct Errors<'a> {
    errors: Vec<Group<'a>>,
}

/// Describes [`errors`].
pub(super) fn about_errors() -> About {
    About::new("listFlowErrors", "Lists errors of a flow's runs, the most frequent first")
        .query::<Back>()
        .answer::<Errors<'_>>(200, "At most 100 groups.")
        .refuses(&[Code::UnknownRoute])
}

/// Lists errors of a flow's runs, those together that are the same.
pub(super) async fn errors(
    State(api): State<Api>,
    caller: Caller,
    flow: body::Part,
    uri: Uri,
) -> Result<Response<Body>, Problem> {
    let (namespace, slug) = (caller.namespace(), body::slug(flow)?);
    let window = body::query::<Back>(&uri)?.window()?;
    let asked = move |keep: &dyn keep::Keep| keep.errors(&namespace, &slug, window, now());
    let errors = observed_of(&api)?.ask(asked).await?;
    json(StatusCode::OK, &Errors { errors: errors.iter().map(Group::of).collect() })
}

/// There is no such flow.
pub(super) fn unknown(slug: &str) -> Problem {
    let shown: String = slug.chars().take(200).collect();
    let why = format!("no flow `{shown}` is declared, and none of its runs are kept");
    Problem::new(Code::UnknownFlow, why)
}
