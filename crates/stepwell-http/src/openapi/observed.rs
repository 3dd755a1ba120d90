//! The form of flows and observed runs: what `stepwell_telemetry::view` writes, and what clients of telemetry send. The
//! tests of the server hold every answer against it, so that a field that is here and not there, or the other way
//! round, is found.

#![expect(dead_code, reason = "these stand for types of another crate, and are never made")]

use utoipa::ToSchema;

use super::shapes::{
    AttemptWord, EventId, EventWord, FlowWord, GivenTime, Id, Instant, Json, ObservedStatus,
    ObservedStepStatus, Slug, Span,
};

/// Events of observed runs, of one process.
#[derive(ToSchema)]
#[schema(as = Telemetry, rename_all = "camelCase")]
pub(crate) struct Batch {
    /// Who sends them; what is longer than 128 bytes is cut.
    #[schema(nullable = false)]
    process: Option<String>,
    /// At most 5,000. One that is not understood is refused alone.
    #[schema(value_type = Vec<Object>, max_items = 5_000)]
    events: Vec<Event>,
}

/// An event of an observed run, as it is understood.
#[derive(ToSchema)]
#[schema(as = TelemetryEvent, rename_all = "camelCase")]
pub(crate) struct Event {
    /// Made by the client; a repeated one changes nothing.
    id: EventId,
    flow: Slug,
    run: Slug,
    step: Slug,
    /// One call of the step in the run; what is recorded without a call has none.
    #[schema(nullable = false)]
    call: Option<EventId>,
    status: EventWord,
    /// When it happened.
    at: GivenTime,
    /// Of this call.
    #[schema(value_type = Option<std::collections::BTreeMap<String, Json>>, nullable = false)]
    metadata: Option<Json>,
    /// Of the run.
    #[schema(value_type = Option<std::collections::BTreeMap<String, Json>>, nullable = false)]
    run_metadata: Option<Json>,
    /// With the status `error` only.
    #[schema(nullable = false)]
    error: Option<Thrown>,
    /// The trace that it is part of.
    #[schema(pattern = "^[0-9a-f]{32}$", nullable = false)]
    trace: Option<String>,
    /// Who sends it, in place of that of the batch; cut as that is.
    #[schema(nullable = false)]
    process: Option<String>,
}

/// What a call of a step threw.
#[derive(ToSchema)]
#[schema(as = ThrownError)]
pub(crate) struct Thrown {
    name: String,
    message: String,
    #[schema(required)]
    stack: Option<String>,
}

/// An observed run, as its events and what is declared of its flow add up to.
#[derive(ToSchema)]
#[schema(as = ObservedRun, rename_all = "camelCase")]
pub(crate) struct ObservedRun {
    /// `observed`.
    kind: String,
    flow: FlowWord,
    /// Of the flow.
    name: String,
    /// What its client calls it.
    run: String,
    status: ObservedStatus,
    /// Why it is so, as a sentence.
    why: String,
    started_at: Instant,
    last_at: Instant,
    #[schema(required)]
    ended_at: Option<Instant>,
    #[schema(required)]
    duration_ms: Option<f64>,
    /// Who sent its events.
    processes: Vec<String>,
    /// How many are kept.
    events: u64,
    /// How many were too many for one run.
    events_dropped: u64,
    /// Its flow is declared.
    declared: bool,
    /// What is told of it; the last word on each key.
    #[schema(value_type = std::collections::BTreeMap<String, Json>)]
    metadata: Json,
    /// The trace that it is part of.
    #[schema(required)]
    trace: Option<String>,
    /// The durable run of the same id or trace.
    #[schema(required)]
    durable_run: Option<Id>,
    stuck_after_ms: f64,
    quiet_after_ms: f64,
    #[schema(required)]
    first_failed: Option<String>,
    steps: Vec<ObservedStep>,
    edges: Vec<Vec<String>>,
}

/// A step of an observed run.
#[derive(ToSchema)]
#[schema(as = ObservedStep, rename_all = "camelCase")]
pub(crate) struct ObservedStep {
    key: String,
    name: String,
    declared: bool,
    terminal: bool,
    status: ObservedStepStatus,
    /// Why it is so, as a sentence.
    why: String,
    #[schema(required)]
    started_at: Option<Instant>,
    #[schema(required)]
    ended_at: Option<Instant>,
    #[schema(required)]
    duration_ms: Option<f64>,
    #[schema(required)]
    skipped_at: Option<Instant>,
    attempts_total: u64,
    /// At most 1,000, the last ones.
    attempts: Vec<ObservedAttempt>,
}

/// A call of a step.
#[derive(ToSchema)]
#[schema(as = ObservedAttempt, rename_all = "camelCase")]
pub(crate) struct ObservedAttempt {
    /// From 1, in the order of their starts.
    n: u64,
    #[schema(required)]
    call: Option<String>,
    status: AttemptWord,
    #[schema(required)]
    started_at: Option<Instant>,
    #[schema(required)]
    ended_at: Option<Instant>,
    #[schema(required)]
    duration_ms: Option<f64>,
    #[schema(required)]
    process: Option<String>,
    #[schema(required)]
    error: Option<Thrown>,
    metadata: Json,
    /// It had more than is kept of a call.
    metadata_dropped: bool,
}

/// What is declared of a flow: an entry of a file of flows.
#[derive(ToSchema)]
#[schema(as = FlowDeclaration, rename_all = "camelCase")]
pub(crate) struct Declaration {
    /// May be left out where the address has it.
    #[schema(nullable = false)]
    slug: Option<FlowWord>,
    #[schema(nullable = false)]
    name: Option<String>,
    steps: Vec<DeclaredStep>,
    /// From a step to one that follows it; the steps one after the other where it is left out.
    #[schema(value_type = Option<Vec<Json>>, nullable = false)]
    edges: Option<Vec<Json>>,
    /// A call that is open for longer is stuck. Default 10 minutes.
    #[schema(nullable = false)]
    stuck_after: Option<Span>,
    /// A run without open calls has ended after so long without events. Default 1 minute.
    #[schema(nullable = false)]
    quiet_after: Option<Span>,
}

/// A step that is declared.
#[derive(ToSchema)]
#[schema(as = DeclaredStep)]
pub(crate) struct DeclaredStep {
    key: String,
    #[schema(nullable = false)]
    name: Option<String>,
}
