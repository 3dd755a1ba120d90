//! The view of a step: how it is, and its attempts.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::value::RawValue;
use stepwell_core::time::Timestamp;
use stepwell_core::view::iso_option;

use super::{ms, why};
use crate::event::Thrown;
use crate::flow::Flow;
use crate::record::{Attempt, Record, State, Step};
use crate::status::{Patience, RunStatus};

/// Most attempts of a step that are shown, the latest.
const ATTEMPTS_MAX: usize = 1_000;

/// How a step is at an instant (§10.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepStatus {
    /// An attempt is open.
    Running,
    /// An attempt has been open for too long.
    Stuck,
    /// Its latest attempt returned.
    Completed,
    /// Its latest attempt threw.
    Failed,
    /// It was left out on purpose.
    Skipped,
    /// The run ended without it, and nothing says why.
    Missing,
    /// It stands behind a step that failed, or the run has not ended.
    NotReached,
}

impl StepStatus {
    /// Every status.
    pub const ALL: [Self; 7] = [
        Self::Running,
        Self::Stuck,
        Self::Completed,
        Self::Failed,
        Self::Skipped,
        Self::Missing,
        Self::NotReached,
    ];

    /// Returns the word in answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Stuck => "stuck",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::Missing => "missing",
            Self::NotReached => "not_reached",
        }
    }
}

/// A step of a run.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StepView {
    /// Its key.
    pub key: String,
    /// Its name.
    pub name: String,
    /// It is declared.
    pub declared: bool,
    /// It is declared, and nothing follows it.
    pub terminal: bool,
    /// How it is now.
    pub status: &'static str,
    /// How it is and why, in a few words.
    pub why: String,
    /// The begin of its first attempt.
    #[serde(serialize_with = "iso_option")]
    pub started_at: Option<Timestamp>,
    /// The end of its latest attempt, where none is open.
    #[serde(serialize_with = "iso_option")]
    pub ended_at: Option<Timestamp>,
    /// How long its latest attempt took.
    pub duration_ms: Option<f64>,
    /// When it was last left out.
    #[serde(serialize_with = "iso_option")]
    pub skipped_at: Option<Timestamp>,
    /// How many attempts there were.
    pub attempts_total: usize,
    /// The latest of them, at most 1,000, by their begin.
    pub attempts: Vec<AttemptView>,
}

/// An attempt.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AttemptView {
    /// From 1 on.
    pub n: usize,
    /// Which call; null for what was recorded by hand.
    pub call: Option<String>,
    /// `running`, `success` or `error`.
    pub status: &'static str,
    /// Null where only its end was told.
    #[serde(serialize_with = "iso_option")]
    pub started_at: Option<Timestamp>,
    /// Null while it is open.
    #[serde(serialize_with = "iso_option")]
    pub ended_at: Option<Timestamp>,
    /// Null while it is open, and where only its end was told.
    pub duration_ms: Option<f64>,
    /// Who told of it.
    pub process: Option<String>,
    /// What it threw.
    pub error: Option<ErrorView>,
    /// What is told of it.
    pub metadata: Option<BTreeMap<String, Box<RawValue>>>,
    /// There was more than 16 KiB of metadata, which is not kept.
    pub metadata_dropped: bool,
}

/// What an attempt threw.
#[derive(Clone, Debug, Serialize)]
pub struct ErrorView {
    /// The name of the error's class.
    pub name: String,
    /// What it says.
    pub message: String,
    /// Where in the code, where the client was asked to tell.
    pub stack: Option<String>,
}

/// What the view of a step needs to know of its run.
pub(super) struct Frame<'a> {
    pub(super) record: &'a Record<'a>,
    pub(super) declared: Option<&'a Flow>,
    pub(super) patience: Patience,
    pub(super) status: RunStatus,
    pub(super) now: Timestamp,
    terminal: BTreeSet<&'a str>,
    /// Steps that failed, each with those that stand behind it; the fewest first.
    behind: Vec<(&'a str, BTreeSet<&'a str>)>,
}

impl<'a> Frame<'a> {
    pub(super) fn new(
        record: &'a Record<'a>,
        declared: Option<&'a Flow>,
        patience: Patience,
        status: RunStatus,
        now: Timestamp,
    ) -> Self {
        let failed = record.steps.iter().filter(|step| step.has_failed()).map(|step| &*step.key);
        let failed =
            declared.into_iter().flat_map(|flow| failed.clone().map(move |key| (flow, key)));
        let mut behind: Vec<_> = failed.map(|(flow, key)| (key, flow.behind([key]))).collect();
        behind.sort_by_key(|(_, behind)| behind.len());
        let terminal = declared.map(|flow| flow.terminal().collect()).unwrap_or_default();
        Self { record, declared, patience, status, now, terminal, behind }
    }

    pub(super) fn steps(&self) -> Vec<StepView> {
        let declared = self.declared.into_iter().flat_map(|flow| &flow.steps);
        let declared = declared.map(|step| self.step(&step.key, &step.name));
        let is_other =
            |step: &&Step<'_>| self.declared.is_none_or(|flow| flow.step(&step.key).is_none());
        let others = self.record.steps.iter().filter(is_other);
        declared.chain(others.map(|step| self.step(&step.key, &step.key))).collect()
    }

    fn step(&self, key: &str, name: &str) -> StepView {
        let step = self.record.step(key);
        let status = self.status_of(key, step);
        let attempts = step.map_or(&[][..], |step| &step.attempts);
        let first = attempts.len().saturating_sub(ATTEMPTS_MAX);
        let latest = attempts.last();
        let is_open = attempts.iter().any(|attempt| attempt.end.is_none());
        let end = latest.and_then(|attempt| attempt.end.as_ref()).filter(|_| !is_open);
        StepView {
            key: key.to_owned(),
            name: name.to_owned(),
            declared: self.declared.is_some_and(|flow| flow.step(key).is_some()),
            terminal: self.terminal.contains(key),
            status: status.as_str(),
            why: why::step(self, status, step, key),
            started_at: attempts.iter().find_map(|attempt| attempt.started),
            ended_at: end.map(|end| end.at),
            duration_ms: latest.and_then(Attempt::took).map(ms),
            skipped_at: step.and_then(|step| step.skipped),
            attempts_total: attempts.len(),
            attempts: (1..).zip(attempts).skip(first).map(|(n, one)| attempt(n, one)).collect(),
        }
    }

    fn status_of(&self, key: &str, step: Option<&Step<'_>>) -> StepStatus {
        let Some(step) = step else {
            let is_missing = self.status.is_ended() && self.cause(key).is_none();
            return if is_missing { StepStatus::Missing } else { StepStatus::NotReached };
        };
        let is_stuck =
            step.open_at().is_some_and(|at| self.now.since(at) > self.patience.stuck_after);
        match step.state() {
            State::Running if is_stuck => StepStatus::Stuck,
            State::Running => StepStatus::Running,
            State::Completed => StepStatus::Completed,
            State::Failed => StepStatus::Failed,
            State::Skipped => StepStatus::Skipped,
        }
    }

    /// The nearest failed step in front of one that was not reached.
    pub(super) fn cause(&self, key: &str) -> Option<&'a str> {
        self.behind.iter().find(|(_, behind)| behind.contains(key)).map(|(failed, _)| *failed)
    }
}

fn attempt(n: usize, attempt: &Attempt<'_>) -> AttemptView {
    let end = attempt.end.as_ref();
    let status = match end {
        None => "running",
        Some(end) if end.is_failure => "error",
        Some(_) => "success",
    };
    let told = attempt.metadata.iter().filter_map(|told| serde_json::from_str(told).ok());
    let metadata: BTreeMap<_, _> =
        told.flat_map(|told: BTreeMap<String, Box<RawValue>>| told).collect();
    AttemptView {
        n,
        call: attempt.call.as_ref().map(ToString::to_string),
        status,
        started_at: attempt.started,
        ended_at: end.map(|end| end.at),
        duration_ms: attempt.took().map(ms),
        process: attempt.process.as_ref().map(ToString::to_string),
        error: end.and_then(|end| end.thrown.as_ref()).map(error),
        metadata: (!metadata.is_empty()).then_some(metadata),
        metadata_dropped: attempt.is_metadata_dropped,
    }
}

fn error(thrown: &Thrown<'_>) -> ErrorView {
    ErrorView {
        name: thrown.name.to_string(),
        message: thrown.message.to_string(),
        stack: thrown.stack.as_ref().map(ToString::to_string),
    }
}
