//! How a run or a step is, in words.

use std::fmt::Write as _;
use std::time::Duration;

use stepwell_core::duration;

use super::step::{Frame, StepStatus, StepView};
use crate::record::{Attempt, Step};
use crate::row::Row;
use crate::status::RunStatus;

/// Longest message in a sentence, in characters.
const MESSAGE_MAX: usize = 120;

/// Most keys that a sentence names.
const KEYS_MAX: usize = 3;

pub(super) fn run(frame: &Frame<'_>, row: &Row, steps: &[StepView]) -> String {
    let word = frame.status.word();
    let mut said = match frame.status {
        RunStatus::Running => {
            let quiet = duration::text(frame.patience.quiet_after);
            open(frame).map_or_else(
                || {
                    format!(
                        "{word}: nothing is open; it counts as ended after {quiet} without events."
                    )
                },
                |(step, open)| format!("{word}: `{step}` has been open for {open}."),
            )
        }
        RunStatus::Stuck => {
            let within = duration::text(frame.patience.stuck_after);
            let (step, open) = open(frame).unwrap_or_default();
            format!("{word}: `{step}` has been open for {open}; expected within {within}.")
        }
        RunStatus::Failed => match frame.record.first_failed() {
            Some((step, attempt)) => {
                format!("{word} in `{}`: {}.", step.key, last_call(step, attempt))
            }
            None => format!("{word}."),
        },
        RunStatus::Completed => {
            format!("{word} in {}.", rounded(row.last_at.since(row.first_at)))
        }
    };
    if !frame.status.is_ended() {
        return said;
    }
    let missing = steps.iter().filter(|step| step.status == StepStatus::Missing.as_str());
    let missing: Vec<_> = missing.map(|step| format!("`{}`", step.key)).collect();
    if !missing.is_empty() {
        let verb = if missing.len() == 1 { "is" } else { "are" };
        let named =
            missing.iter().take(KEYS_MAX).map(String::as_str).collect::<Vec<_>>().join(", ");
        let more = match missing.len().saturating_sub(KEYS_MAX) {
            0 => String::new(),
            n => format!(" and {n} more"),
        };
        _ = write!(said, " {named}{more} {verb} missing: declared, neither called nor skipped.");
    }
    if !row.is_through {
        let quiet = duration::text(frame.patience.quiet_after);
        _ = write!(said, " Counted as ended after {quiet} without events.");
    }
    said
}

pub(super) fn step(
    frame: &Frame<'_>,
    status: StepStatus,
    step: Option<&Step<'_>>,
    key: &str,
) -> String {
    let open =
        step.and_then(Step::open_at).map(|at| rounded(frame.now.since(at))).unwrap_or_default();
    let latest = step.and_then(|step| Some((step, step.attempts.last()?)));
    let calls = latest.map_or(0, |(step, _)| step.attempts.len());
    match status {
        StepStatus::Running => format!("open for {open}"),
        StepStatus::Stuck => {
            format!(
                "open for {open}; expected within {}",
                duration::text(frame.patience.stuck_after)
            )
        }
        StepStatus::Completed if calls == 1 => "1 call".to_owned(),
        StepStatus::Completed => format!("{calls} calls"),
        StepStatus::Failed => latest.map_or_else(String::new, |(step, last)| last_call(step, last)),
        StepStatus::Skipped => "left out on purpose".to_owned(),
        StepStatus::Missing => "not called, not skipped".to_owned(),
        StepStatus::NotReached => match frame.cause(key) {
            Some(cause) => format!("behind `{cause}`, which failed"),
            None => "the run has not ended".to_owned(),
        },
    }
}

/// The step that has been open longest, and for how long.
fn open<'a>(frame: &'a Frame<'_>) -> Option<(&'a str, String)> {
    let open = frame.record.steps.iter().filter_map(|step| Some((step.open_at()?, &*step.key)));
    open.min().map(|(at, key)| (key, rounded(frame.now.since(at))))
}

fn last_call(step: &Step<'_>, attempt: &Attempt<'_>) -> String {
    let call = if step.attempts.len() == 1 { "its call" } else { "its last call" };
    let (name, message) = attempt.said();
    let line = message.lines().next().unwrap_or_default().trim_end_matches('.');
    if line.is_empty() {
        return format!("{call} threw {name}");
    }
    let mut short: String = line.chars().take(MESSAGE_MAX).collect();
    if short.len() < line.len() {
        short.push('…');
    }
    format!("{call} threw {name}: {short}")
}

/// A duration as one reads it: no more than two units, nothing below what matters.
fn rounded(took: Duration) -> String {
    let whole = match took.as_secs() {
        0 => Duration::from_millis(u64::try_from(took.as_millis()).unwrap_or(u64::MAX)),
        1..60 => {
            Duration::from_millis(u64::try_from(took.as_millis() / 100 * 100).unwrap_or(u64::MAX))
        }
        secs @ 60..3_600 => Duration::from_secs(secs),
        secs => Duration::from_secs(secs / 60 * 60),
    };
    duration::text(whole)
}
