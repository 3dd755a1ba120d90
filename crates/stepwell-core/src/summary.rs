//! The row of a run in lists and queues, derived from its state.

use alloc::string::String;
use alloc::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::id::RunId;
use crate::run::{Phase, Run};
use crate::search::Attributes;
use crate::status::RunStatus;
use crate::time::Timestamp;

/// Most characters that lists have of an error's name and of its message.
pub const ERROR_CHARS_MAX: usize = 200;

/// An error as lists show it: each part has at most [`ERROR_CHARS_MAX`] characters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorLine {
    /// The error's name.
    pub name: String,
    /// What went wrong.
    pub message: String,
}

impl ErrorLine {
    /// Cuts an error.
    pub fn of(error: &Failure<'_>) -> Self {
        let cut = |text: &str| text.chars().take(ERROR_CHARS_MAX).collect();
        Self { name: cut(&error.name), message: cut(&error.message) }
    }

    /// Writes it as JSON, for stores.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads it from JSON, for stores; `None` when it is none.
    pub fn from_json(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}

/// What lists, queues and timers need of a run without loading it.
///
/// Derived: `Summary::of(fold(records))` gives it back at any time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The run.
    pub id: RunId,
    /// Its namespace.
    pub namespace: Arc<str>,
    /// Its app.
    pub app: Arc<str>,
    /// Its workflow.
    pub workflow: Arc<str>,
    /// Its idempotency key.
    pub key: Option<Arc<str>>,
    /// Its status.
    pub status: RunStatus,
    /// When the start was accepted.
    pub created_at: Timestamp,
    /// When a runner first got it.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// The version of the workflow that began it.
    pub version: Option<Arc<str>>,
    /// Since when it wants a runner; absent while one holds it, while it waits, and at its end.
    pub ready_since: Option<Timestamp>,
    /// When a timer of it is due.
    pub timer_at: Option<Timestamp>,
    /// A runner holds it.
    pub active: bool,
    /// How many steps it has.
    pub steps: u32,
    /// How many of them ended.
    pub steps_ended: u32,
    /// How many of them failed or timed out.
    pub steps_failed: u32,
    /// Why it is blocked.
    pub blocked: Option<String>,
    /// The size of its journal in bytes.
    pub journal_bytes: u64,
    /// The run that invoked it.
    pub parent: Option<RunId>,
    /// Why it did not complete, once it has ended.
    pub error: Option<ErrorLine>,
    /// Its search attributes (§9.4).
    pub search: Attributes,
}

impl Summary {
    /// Derives the row of a run.
    pub fn of(run: &Run) -> Self {
        let blocked = match run.phase() {
            Phase::Blocked { cause, .. } => Some(alloc::string::ToString::to_string(cause)),
            Phase::Forward | Phase::Ending { .. } | Phase::CleaningUp | Phase::Ended(_) => None,
        };
        Self {
            id: run.id(),
            namespace: run.namespace().clone(),
            app: run.app().clone(),
            workflow: run.workflow().clone(),
            key: run.key().cloned(),
            status: run.status(),
            created_at: run.created_at(),
            started_at: run.started_at(),
            ended_at: run.ended_at(),
            version: run.started_version().cloned(),
            ready_since: run.ready_since(),
            timer_at: run.next_timer(),
            active: run.activation().is_some(),
            steps: u32::try_from(run.steps().len()).unwrap_or(u32::MAX),
            steps_ended: run.ended_steps(),
            steps_failed: run.failed_steps(),
            blocked,
            journal_bytes: run.journal_bytes(),
            parent: run.parent().map(|parent| parent.run),
            error: run.error().cloned(),
            search: run.search().clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// §9.4: an error is cut between characters, and reads back from what stores keep.
    #[test]
    fn errors_are_cut_for_lists() {
        let line = ErrorLine::of(&Failure::new("Ü", "ü".repeat(300)));
        assert_eq!((line.name.as_str(), line.message.chars().count()), ("Ü", ERROR_CHARS_MAX));
        assert_eq!(ErrorLine::from_json(&line.to_json()), Some(line));
        assert_eq!(ErrorLine::from_json("{}"), None);
    }
}
