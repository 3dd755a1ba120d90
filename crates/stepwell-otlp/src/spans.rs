//! The spans of a run: one for the run, one for each attempt of a step's function, and one for each step that has no
//! function of its own.

use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use stepwell_core::failure::Failure;
use stepwell_core::id::RunId;
use stepwell_core::record::Started;
use stepwell_core::run::ReplayError;
use stepwell_core::status::{RunStatus, StepStatus};
use stepwell_core::step_id;
use stepwell_core::time::Timestamp;
use stepwell_core::view::{AttemptView, StepView, View};

use crate::attributes::{exception, nanos, number, status, text};
use crate::ids;
use crate::place::{self, Trace};

/// The flag of W3C that a trace is kept.
const SAMPLED: u32 = 1;
/// It is known whether the span above is of another program.
const KNOWS_REMOTE: u32 = 1 << 8;
/// It is.
const IS_REMOTE: u32 = 1 << 9;

/// Makes the spans of a run that has ended, its own first. Steps whose end a fork kept are left out: they are spans
/// of the run that they ended in.
///
/// # Errors
/// [`ReplayError`] when the bytes are not the history of a run.
pub fn spans(run: RunId, journal: &[u8], trace: Trace) -> Result<Vec<Span>, ReplayError> {
    let view = View::of(run, journal)?;
    let ended_at = view.ended_at.unwrap_or(view.created_at);
    let within = Within { run, trace: trace.id, top: ids::of_run(run), ended_at };
    let mut spans = Vec::with_capacity(1 + view.steps.len());
    spans.push(of_run(&view, place::first(journal).as_ref(), &within));
    for step in view.steps.iter().filter(|step| step.kept_from.is_none()) {
        if step.attempts.is_empty() {
            spans.push(of_step(step, &within));
            continue;
        }
        let attempts = step.attempts.iter().enumerate();
        spans.extend(attempts.map(|(place, attempt)| of_attempt(step, (place, attempt), &within)));
    }
    Ok(spans)
}

/// What the spans of a run have in common.
struct Within {
    run: RunId,
    trace: u128,
    /// The span of the run.
    top: u64,
    /// What did not end before ended with the run.
    ended_at: Timestamp,
}

/// What one span is about.
struct About<'a> {
    id: u64,
    name: String,
    from: Timestamp,
    to: Timestamp,
    is_bad: bool,
    error: Option<&'a Failure<'a>>,
    attributes: Vec<KeyValue>,
}

impl Within {
    fn span(&self, about: About<'_>) -> Span {
        let (start, end) = (nanos(about.from), nanos(about.to.max(about.from)));
        Span {
            trace_id: self.trace.to_be_bytes().to_vec(),
            span_id: about.id.to_be_bytes().to_vec(),
            parent_span_id: self.top.to_be_bytes().to_vec(),
            flags: SAMPLED | KNOWS_REMOTE,
            name: about.name,
            kind: SpanKind::Internal.into(),
            start_time_unix_nano: start,
            end_time_unix_nano: end,
            attributes: about.attributes,
            events: about.error.map(|error| exception(end, error)).into_iter().collect(),
            status: status(about.is_bad, about.error),
            ..Span::default()
        }
    }
}

fn of_run(view: &View<'_>, started: Option<&Started<'_>>, within: &Within) -> Span {
    let run = |key, run: Option<RunId>| run.map(|run| text(key, run.to_string()));
    let mut attributes = vec![
        text("stepwell.run_id", view.id.to_string()),
        text("stepwell.namespace", &*view.namespace),
        text("stepwell.app", &*view.app),
        text("stepwell.workflow", &*view.workflow),
        text("stepwell.status", view.status.as_str()),
    ];
    attributes.extend(view.version.as_deref().map(|version| text("stepwell.version", version)));
    attributes.extend(run("stepwell.parent_run_id", view.parent.as_ref().map(|parent| parent.run)));
    attributes.extend(run("stepwell.continued_from", view.continued_from));
    attributes.extend(run("stepwell.continued_as", view.continued_as));
    attributes.extend(run("stepwell.forked_from", view.forked_from.as_ref().map(|from| from.run)));
    attributes.extend(run("stepwell.rerun_of", view.rerun_of));
    let span = within.span(About {
        id: within.top,
        name: view.workflow.to_string(),
        from: view.created_at,
        to: within.ended_at,
        is_bad: matches!(view.status, RunStatus::Failed | RunStatus::TimedOut),
        error: view.error.as_ref(),
        attributes,
    });
    let parent = started.and_then(|started| place::parent(view.id, started));
    let remote = if parent.is_some_and(|(_, is_remote)| is_remote) { IS_REMOTE } else { 0 };
    Span {
        parent_span_id: parent.map(|(id, _)| id.to_be_bytes().to_vec()).unwrap_or_default(),
        flags: span.flags | remote,
        // It was asked for, and ran when a runner had room.
        kind: SpanKind::Consumer.into(),
        ..span
    }
}

fn attributes_of(step: &StepView<'_>, within: &Within, status: &str) -> Vec<KeyValue> {
    vec![
        text("stepwell.run_id", within.run.to_string()),
        text("stepwell.step_id", &*step.id),
        text("stepwell.step_kind", step.kind.as_str()),
        text("stepwell.status", status),
    ]
}

fn of_step(step: &StepView<'_>, within: &Within) -> Span {
    let mut attributes = attributes_of(step, within, step.status.as_str());
    if let Some(child) = &step.child {
        attributes.push(text("stepwell.child_run_id", child.run.to_string()));
        attributes.push(text("stepwell.child_workflow", &*child.workflow));
    }
    let child = step.child.as_ref().map(|child| ids::of_invoke(child.run));
    within.span(About {
        id: child.unwrap_or_else(|| ids::of_step(within.run, step.position)),
        name: step_id::shown(&step.id).to_string(),
        from: step.started_at.unwrap_or(step.scheduled_at),
        to: step.completed_at.unwrap_or(within.ended_at),
        is_bad: is_bad(step.status),
        error: step.error.as_ref(),
        attributes,
    })
}

fn of_attempt(
    step: &StepView<'_>,
    (place, attempt): (usize, &AttemptView<'_>),
    within: &Within,
) -> Span {
    let mut attributes = attributes_of(step, within, attempt.status);
    attributes.push(number("stepwell.attempt", attempt.n));
    attributes.push(text("stepwell.runner", &*attempt.runner));
    within.span(About {
        id: ids::of_attempt(within.run, step.position, place),
        name: step_id::shown(&step.id).to_string(),
        from: attempt.started_at,
        to: attempt.ended_at.unwrap_or(within.ended_at),
        is_bad: matches!(attempt.status, "failed" | "timed_out" | "lost" | "unknown"),
        error: attempt.error.as_ref(),
        attributes,
    })
}

fn is_bad(status: StepStatus) -> bool {
    matches!(status, StepStatus::Failed | StepStatus::TimedOut | StepStatus::Unknown)
}
