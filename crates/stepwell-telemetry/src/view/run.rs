//! The view of a run.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::RawValue;
use stepwell_core::time::Timestamp;
use stepwell_core::view::{iso, iso_option};

use super::step::{Frame, StepView};
use super::{Edge, ms, why};
use crate::flow::Flow;
use crate::record::Record;
use crate::row::Row;
use crate::status::RunStatus;

/// A run (`GET /api/v1/flows/{flow}/runs/{run}`).
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RunView {
    /// Always `observed`.
    pub kind: &'static str,
    /// The slug of its flow.
    pub flow: String,
    /// The name of its flow.
    pub name: String,
    /// What its client calls it.
    pub run: String,
    /// Its status now.
    pub status: &'static str,
    /// How it is and why, in a sentence.
    pub why: String,
    /// Its first event.
    #[serde(serialize_with = "iso")]
    pub started_at: Timestamp,
    /// Its last event.
    #[serde(serialize_with = "iso")]
    pub last_at: Timestamp,
    /// Its last event, where it counts as ended.
    #[serde(serialize_with = "iso_option")]
    pub ended_at: Option<Timestamp>,
    /// From its first event to its last, where it counts as ended.
    pub duration_ms: Option<f64>,
    /// Who told of it.
    pub processes: Vec<String>,
    /// How many events are kept.
    pub events: usize,
    /// How many came in excess of 10,000.
    pub events_dropped: u64,
    /// Its flow is declared.
    pub declared: bool,
    /// What is told of it.
    pub metadata: BTreeMap<String, Box<RawValue>>,
    /// The trace in which it happened, in hexadecimal digits.
    pub trace: Option<String>,
    /// The durable run of the same id or trace.
    pub durable_run: Option<String>,
    /// After so long an open attempt is stuck.
    pub stuck_after_ms: f64,
    /// Without events for so long it has ended.
    pub quiet_after_ms: f64,
    /// Of the steps that failed in their latest attempt, the one that failed first.
    pub first_failed: Option<String>,
    /// Declared steps in the order of their flow, then the others in the order in which they came.
    pub steps: Vec<StepView>,
    /// What is declared to follow what.
    pub edges: Vec<Edge>,
}

/// Makes the view of a run at an instant (§10.5). `None` of one without events.
pub fn run(
    flow: &str,
    run: &str,
    record: &Record<'_>,
    declared: Option<&Flow>,
    now: Timestamp,
) -> Option<RunView> {
    let row = Row::of(record, declared)?;
    let patience = declared.map(|flow| flow.patience).unwrap_or_default();
    let status = patience.status(&row, now);
    let frame = Frame::new(record, declared, patience, status, now);
    let steps = frame.steps();
    let edges = declared.into_iter().flat_map(|flow| &flow.edges);
    let first_failed = record.first_failed().map(|(step, _)| step.key.to_string());
    let is_ended = status.is_ended();
    Some(RunView {
        kind: "observed",
        flow: flow.to_owned(),
        name: declared.map_or(flow, |flow| &flow.name).to_owned(),
        run: run.to_owned(),
        status: status.as_str(),
        why: why::run(&frame, &row, &steps),
        started_at: row.first_at,
        last_at: row.last_at,
        ended_at: is_ended.then_some(row.last_at),
        duration_ms: is_ended.then(|| ms(row.last_at.since(row.first_at))),
        processes: record.processes.iter().map(ToString::to_string).collect(),
        events: record.events,
        events_dropped: record.dropped,
        declared: declared.is_some(),
        metadata: record.metadata.clone(),
        trace: record.trace.map(|trace| format!("{trace:032x}")),
        durable_run: None,
        stuck_after_ms: ms(patience.stuck_after),
        quiet_after_ms: ms(patience.quiet_after),
        first_failed,
        steps,
        edges: edges.map(|(from, to)| Edge(from.to_string(), to.to_string())).collect(),
    })
}

impl RunStatus {
    /// Begins a sentence.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Running => "Running",
            Self::Stuck => "Stuck",
            Self::Completed => "Completed",
            Self::Failed => "Failed",
        }
    }
}
