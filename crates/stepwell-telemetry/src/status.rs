//! Status of an observed run at an instant (§10.5). Nobody ends such a run: it is computed, and a later event changes it.

use std::time::Duration;

use stepwell_core::time::Timestamp;

use crate::row::Row;

/// An attempt that is open for longer is stuck, where the flow does not say otherwise.
pub const STUCK_AFTER: Duration = Duration::from_mins(10);

/// A run without events for so long has ended, where the flow does not say otherwise.
pub const QUIET_AFTER: Duration = Duration::from_mins(1);

/// Status of an observed run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RunStatus {
    /// Something is open, or was a moment ago.
    Running,
    /// A call has been open for too long.
    Stuck,
    /// It ended, and the last call of each step returned.
    Completed,
    /// It ended, and the last call of some step threw.
    Failed,
}

impl RunStatus {
    /// Every status.
    pub const ALL: [Self; 4] = [Self::Running, Self::Stuck, Self::Completed, Self::Failed];

    /// Returns the word in answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Stuck => "stuck",
            Self::Completed => "completed",
            Self::Failed => "failed",
        }
    }

    /// Reads a word of an address.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }

    /// Tells whether the run counts as ended.
    pub const fn is_ended(self) -> bool {
        matches!(self, Self::Completed | Self::Failed)
    }
}

/// How long a flow waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// An attempt that is open for longer is stuck.
    pub stuck_after: Duration,
    /// A run without events for so long has ended.
    pub quiet_after: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { stuck_after: STUCK_AFTER, quiet_after: QUIET_AFTER }
    }
}

impl Patience {
    /// Computes the status of a run (§10.5).
    pub fn status(self, row: &Row, now: Timestamp) -> RunStatus {
        let is_stuck = row.open_at.is_some_and(|at| now.since(at) > self.stuck_after);
        let is_quiet = row.open_at.is_none() && now.since(row.last_at) >= self.quiet_after;
        match () {
            () if is_stuck => RunStatus::Stuck,
            () if !row.is_through && !is_quiet => RunStatus::Running,
            () if row.failed > 0 => RunStatus::Failed,
            () => RunStatus::Completed,
        }
    }
}
