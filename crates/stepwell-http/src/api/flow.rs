//! One flow: its steps, and what its runs of a window add up to.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::{Response, StatusCode, Uri};
use serde::Serialize;
use stepwell_core::code::Code;
use stepwell_core::time::Timestamp;
use stepwell_core::view::iso;
use stepwell_telemetry::flow::Flow;
use stepwell_telemetry::keep::{Error, FlowStats, Keep, Part, RunsAsk, StepStats, Window};
use stepwell_telemetry::status::RunStatus;
use utoipa::ToSchema;

use super::answer::json;
use super::body;
use super::flows::{Back, unknown};
use super::list::now;
use super::observed::learned_of;
use super::routes::Api;
use super::telemetry::observed_of;
use crate::gate::Caller;
use crate::openapi::{About, shapes};
use crate::problem::Problem;

/// Runs are counted up to so many.
const COUNTED_MAX: u64 = 10_000;

/// A flow, with what its runs of a window add up to.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Flow)]
struct Shown<'a> {
    #[schema(value_type = shapes::FlowWord)]
    flow: &'a str,
    name: &'a str,
    declared: bool,
    /// Steps and edges are as its last runs show them, since none are declared.
    learned: bool,
    /// After so long an open call is stuck.
    stuck_after_ms: f64,
    /// Without events for so long a run has ended.
    quiet_after_ms: f64,
    window_ms: f64,
    /// Those of the flow, then others that runs of the window had.
    steps: Vec<Step<'a>>,
    /// From a step to one that follows it.
    #[schema(value_type = Vec<Vec<String>>)]
    edges: Vec<(&'a str, &'a str)>,
    /// The parts of the window, oldest first.
    health: Vec<Bucket>,
    runs: Runs,
}

/// A step of a flow.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = FlowStep)]
struct Step<'a> {
    key: &'a str,
    name: &'a str,
    declared: bool,
    /// Nothing follows it.
    terminal: bool,
    counts: Counts,
    /// In so many runs it was the first to fail.
    first_failed: u64,
    /// How long its calls took; at most 5 % away from what it was.
    #[schema(required)]
    p50_ms: Option<f64>,
    #[schema(required)]
    p95_ms: Option<f64>,
    #[schema(required)]
    p99_ms: Option<f64>,
}

/// What happened to a step: calls that returned and threw, and runs that left it out or did not come to it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = FlowStepCounts)]
struct Counts {
    ok: u64,
    failed: u64,
    skipped: u64,
    missing: u64,
    not_reached: u64,
}

/// A part of a window.
#[derive(Serialize, ToSchema)]
#[schema(as = FlowBucket)]
struct Bucket {
    #[serde(serialize_with = "iso")]
    #[schema(value_type = shapes::Instant)]
    at: Timestamp,
    /// Runs that began in it.
    runs: u64,
    /// Those of them that failed.
    failed: u64,
    /// Steps that were missing.
    missing: u64,
}

/// Runs of the window, and those that have not ended now, up to 10,000.
#[derive(Serialize, ToSchema)]
#[schema(as = FlowRuns)]
struct Runs {
    total: u64,
    failed: u64,
    running: u64,
    stuck: u64,
}

/// What is known of a flow.
struct Known {
    declared: Option<Arc<Flow>>,
    learned: Option<Flow>,
    stats: FlowStats,
    counts: Vec<(RunStatus, u64)>,
}

impl Known {
    fn ask(
        keep: &dyn Keep,
        (namespace, slug): (&Arc<str>, &str),
        window: Window,
        now: Timestamp,
    ) -> Result<Option<Self>, Error> {
        let declared = keep.declared(namespace, slug)?;
        let learned = match declared {
            Some(_) => None,
            None => learned_of(keep, namespace, slug, now)?,
        };
        if declared.is_none() && learned.is_none() {
            return Ok(None);
        }
        let open = RunsAsk {
            namespace: Arc::clone(namespace),
            flows: vec![slug.into()],
            status: vec![RunStatus::Running, RunStatus::Stuck],
            ..RunsAsk::default()
        };
        let counts = keep.counts(&open, now, COUNTED_MAX)?;
        let stats = keep.stats(namespace, slug, window, now)?;
        Ok(Some(Self { declared, learned, stats, counts }))
    }

    fn flow(&self) -> Option<&Flow> {
        self.declared.as_deref().or(self.learned.as_ref())
    }

    fn steps(&self) -> Vec<Step<'_>> {
        let declared = self.declared.is_some();
        let terminal: BTreeSet<_> = self.flow().into_iter().flat_map(Flow::terminal).collect();
        let stats = |key: &str| self.stats.steps.iter().find(|one| &*one.step == key);
        let of_flow = self.flow().into_iter().flat_map(|flow| &flow.steps).map(|step| Step {
            declared,
            terminal: terminal.contains(&*step.key),
            ..Step::of((&step.key, &step.name), stats(&step.key))
        });
        let is_known = |key: &str| self.flow().is_some_and(|flow| flow.step(key).is_some());
        let mut others: Vec<_> =
            self.stats.steps.iter().filter(|one| !is_known(&one.step)).collect();
        others.sort_by(|a, b| a.step.cmp(&b.step));
        let others = others.into_iter().map(|one| Step::of((&one.step, &one.step), Some(one)));
        of_flow.chain(others).collect()
    }

    fn runs(&self) -> Runs {
        let sum = |of: fn(&Part) -> u64| self.stats.health.iter().map(of).sum();
        let now = |wanted| {
            let found = self.counts.iter().find(|(status, _)| *status == wanted);
            found.map_or(0, |(_, count)| *count)
        };
        Runs {
            total: sum(|part| part.runs),
            failed: sum(|part| part.failed),
            running: now(RunStatus::Running),
            stuck: now(RunStatus::Stuck),
        }
    }
}

impl<'a> Step<'a> {
    fn of((key, name): (&'a str, &'a str), stats: Option<&StepStats>) -> Self {
        let count = |of: fn(&StepStats) -> u64| stats.map_or(0, of);
        let took = stats.and_then(|stats| stats.took);
        let took = |at: usize| took.and_then(|took| took.get(at).copied()).map(ms);
        Self {
            key,
            name,
            declared: false,
            terminal: false,
            counts: Counts {
                ok: count(|stats| stats.ok),
                failed: count(|stats| stats.failed),
                skipped: count(|stats| stats.skipped),
                missing: count(|stats| stats.missing),
                not_reached: count(|stats| stats.not_reached),
            },
            first_failed: count(|stats| stats.first_failed),
            p50_ms: took(0),
            p95_ms: took(1),
            p99_ms: took(2),
        }
    }
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

/// Describes [`show`].
pub(super) fn about() -> About {
    About::new("showFlow", "Shows a flow: its steps, and what its runs of a window add up to")
        .query::<Back>()
        .answer::<Shown<'_>>(200, "The flow.")
        .refuses(&[Code::UnknownRoute, Code::UnknownFlow])
}

/// Shows a flow.
pub(super) async fn show(
    State(api): State<Api>,
    caller: Caller,
    flow: body::Part,
    uri: Uri,
) -> Result<Response<Body>, Problem> {
    let (namespace, slug) = (caller.namespace(), body::slug(flow)?);
    let window = body::query::<Back>(&uri)?.window()?;
    let asked = slug.clone();
    let ask = move |keep: &dyn Keep| Known::ask(keep, (&namespace, &asked), window, now());
    let known = observed_of(&api)?.ask(ask).await?;
    let known = known.ok_or_else(|| unknown(&slug))?;
    let patience = known.flow().map(|flow| flow.patience).unwrap_or_default();
    let edges = known.flow().into_iter().flat_map(|flow| &flow.edges);
    let bucket = |part: &Part| {
        let Part { at, runs, failed, missing } = *part;
        Bucket { at, runs, failed, missing }
    };
    let shown = Shown {
        flow: &slug,
        name: known.flow().map_or(&*slug, |flow| &flow.name),
        declared: known.declared.is_some(),
        learned: known.learned.is_some(),
        stuck_after_ms: ms(patience.stuck_after),
        quiet_after_ms: ms(patience.quiet_after),
        window_ms: ms(window.length()),
        steps: known.steps(),
        edges: edges.map(|(from, to)| (&**from, &**to)).collect(),
        health: known.stats.health.iter().map(bucket).collect(),
        runs: known.runs(),
    };
    json(StatusCode::OK, &shown)
}
