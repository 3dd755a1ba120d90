//! What a run adds to the statistics of its flow. What it added before is taken off first when more of it is known, so
//! that sums follow from the sets of events too.

use std::time::Duration;

use stepwell_core::time::Timestamp;

use crate::fingerprint::fingerprint;
use crate::flow::Flow;
use crate::record::{Attempt, Record, State, Step};

/// Something that is counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count<'a> {
    /// When it happened.
    pub at: Timestamp,
    /// What happened.
    pub what: What<'a>,
}

/// What is counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What<'a> {
    /// A run began.
    Run {
        /// A step of it has failed in its latest attempt.
        has_failed: bool,
    },
    /// A call of a step returned.
    Ok {
        /// The step.
        step: &'a str,
        /// How long it took, where its begin was told.
        took: Option<Duration>,
    },
    /// A call of a step threw.
    Failed {
        /// The step.
        step: &'a str,
        /// How long it took, where its begin was told.
        took: Option<Duration>,
        /// Which errors it is the same as.
        fingerprint: u64,
        /// The error's name.
        name: &'a str,
        /// What it says.
        message: &'a str,
    },
    /// A run left the step out.
    Skipped {
        /// The step.
        step: &'a str,
    },
    /// A run failed in this step first.
    FirstFailed {
        /// The step.
        step: &'a str,
    },
}

/// Returns what a run adds, apart from what shows once it has ended.
pub fn counts<'a>(record: &'a Record<'_>) -> Vec<Count<'a>> {
    let Some((first, _)) = record.span else { return Vec::new() };
    let has_failed = record.steps.iter().any(Step::has_failed);
    let mut counts = vec![Count { at: first, what: What::Run { has_failed } }];
    for step in &record.steps {
        counts.extend(step.attempts.iter().filter_map(|attempt| of_attempt(&step.key, attempt)));
        let skipped = step.skipped.map(|at| Count { at, what: What::Skipped { step: &step.key } });
        counts.extend(skipped.filter(|_| step.state() == State::Skipped));
    }
    if let Some((step, attempt)) = record.first_failed() {
        let at = attempt.end.as_ref().map_or(first, |end| end.at);
        counts.push(Count { at, what: What::FirstFailed { step: &step.key } });
    }
    counts
}

fn of_attempt<'a>(step: &'a str, attempt: &'a Attempt<'_>) -> Option<Count<'a>> {
    let end = attempt.end.as_ref()?;
    let took = attempt.took();
    let what = if end.is_failure {
        let (name, message) = attempt.said();
        let fingerprint = fingerprint(step, name, message);
        What::Failed { step, took, fingerprint, name, message }
    } else {
        What::Ok { step, took }
    };
    Some(Count { at: end.at, what })
}

/// What an ended run did not do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Undone<'a> {
    /// Declared steps that were neither called nor left out.
    pub missing: Vec<&'a str>,
    /// Those that stand behind a step that failed.
    pub not_reached: Vec<&'a str>,
}

/// Returns the declared steps that an ended run did not do (§10.5).
pub fn undone<'a>(record: &Record<'_>, flow: &'a Flow) -> Undone<'a> {
    let failed = record.steps.iter().filter(|step| step.has_failed());
    let behind = flow.behind(failed.map(|step| &*step.key));
    let mut undone = Undone::default();
    for step in &flow.steps {
        match record.step(&step.key) {
            Some(_) => {}
            None if behind.contains(&*step.key) => undone.not_reached.push(&step.key),
            None => undone.missing.push(&step.key),
        }
    }
    undone
}
