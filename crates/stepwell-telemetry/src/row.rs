//! What lists are made of: an observed run in a few columns, from which its status at any instant follows.

use std::sync::Arc;

use stepwell_core::time::Timestamp;

use crate::flow::Flow;
use crate::record::{Record, State, Step};

/// Most steps of a strip.
pub const STRIP_MAX: usize = 60;

/// How a run broke.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The step.
    pub step: Arc<str>,
    /// The error's name.
    pub name: Arc<str>,
    /// What it says, cut at 200 characters.
    pub message: Arc<str>,
}

/// What is known of a run without reading its events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its first event.
    pub first_at: Timestamp,
    /// Its last event.
    pub last_at: Timestamp,
    /// Since when the attempt is open that has been open longest.
    pub open_at: Option<Timestamp>,
    /// Every terminal step that is declared ended or was left out.
    pub is_through: bool,
    /// How many events are kept.
    pub events: u32,
    /// How many steps were reached or left out.
    pub steps: u32,
    /// How many of them are not open.
    pub ended: u32,
    /// How many of them failed in their latest attempt.
    pub failed: u32,
    /// How many attempts there were.
    pub attempts: u32,
    /// Of the steps that failed in their latest attempt, the one that failed first.
    pub broken: Option<Broken>,
    /// How its steps are, in their order, a byte each ([`State::letter`]); at most [`STRIP_MAX`], of which those that
    /// failed are never left out.
    pub strip: Arc<str>,
    /// The trace in which it happened.
    pub trace: Option<u128>,
    /// What is told of the run: a JSON object; `None` where there is nothing.
    pub metadata: Option<Arc<str>>,
}

impl Row {
    /// Makes the row of a record; `None` of one without events.
    pub fn of(record: &Record<'_>, flow: Option<&Flow>) -> Option<Self> {
        let (first_at, last_at) = record.span?;
        let count = |of: State| record.steps.iter().filter(|step| step.state() == of).count();
        let attempts = record.steps.iter().map(|step| step.attempts.len()).sum();
        let open = record.steps.iter().flat_map(|step| &step.attempts);
        let open_at = open.filter(|one| one.end.is_none()).filter_map(|one| one.started).min();
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Some(Self {
            first_at,
            last_at,
            open_at,
            is_through: flow.is_some_and(|flow| is_through(record, flow)),
            events: number(record.events),
            steps: number(record.steps.len()),
            ended: number(record.steps.len() - count(State::Running)),
            failed: number(record.steps.iter().filter(|step| step.has_failed()).count()),
            attempts: number(attempts),
            broken: broken(record),
            strip: strip(record),
            trace: record.trace,
            metadata: record.metadata_text().map(Arc::from),
        })
    }
}

/// §10.5: every declared terminal step ended or was left out.
fn is_through(record: &Record<'_>, flow: &Flow) -> bool {
    let mut terminal = flow.terminal().peekable();
    terminal.peek().is_some()
        && terminal.all(|key| record.step(key).is_some_and(|step| step.state() != State::Running))
}

fn broken(record: &Record<'_>) -> Option<Broken> {
    let (step, failure) = record.first_failed()?;
    let cut = |text: &str| -> Arc<str> { text.chars().take(200).collect::<String>().into() };
    let (name, message) = failure.said();
    Some(Broken { step: (&*step.key).into(), name: cut(name), message: cut(message) })
}

fn strip(record: &Record<'_>) -> Arc<str> {
    let states: Vec<_> = record.steps.iter().map(Step::state).collect();
    let part = states.len().div_ceil(STRIP_MAX).max(1);
    // Where there are many, each letter is that of the worst of some.
    let worst = |some: &[State]| some.iter().copied().max().map(State::letter);
    states.chunks(part).filter_map(worst).collect::<String>().into()
}
