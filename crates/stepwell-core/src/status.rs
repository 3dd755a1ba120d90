//! Statuses of steps and runs, and kinds of steps (semantics §3); `dialect` has words of other systems.

use serde::{Deserialize, Serialize};

macro_rules! words {
    ($name:ident) => {
        impl $name {
            /// Returns the word on the wire and in lists.
            pub const fn as_str(self) -> &'static str {
                self.word()
            }

            /// Finds the value whose word is `text`.
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.into_iter().find(|one| one.word() == text)
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.pad(self.word())
            }
        }
    };
}

mod dialect;

pub use dialect::Dialect;

/// What a step is made by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// A function of the user (`step.run`).
    Run,
    /// A pause for a time (`step.sleep`).
    Sleep,
    /// A pause until an instant (`step.sleepUntil`).
    SleepUntil,
    /// A wait for an event (`step.waitForEvent`).
    WaitForEvent,
    /// A wait that the app declared and named (§2.4).
    NamedWait,
    /// A child run (`step.invoke`).
    Invoke,
    /// An event that the run sends (`step.emit`).
    Emit,
    /// Branches of which the first to settle wins (`step.race`).
    Race,
    /// A note that a step does not apply (`step.skip`).
    Skip,
    /// What takes a completed step back (§7.3); made by the engine.
    Compensate,
    /// What the workflow does once it failed (§7.4); made by the engine.
    OnFailure,
}

impl Kind {
    /// Every kind, in the order of §2.
    pub const ALL: [Self; 11] = [
        Self::Run,
        Self::Sleep,
        Self::SleepUntil,
        Self::WaitForEvent,
        Self::NamedWait,
        Self::Invoke,
        Self::Emit,
        Self::Race,
        Self::Skip,
        Self::Compensate,
        Self::OnFailure,
    ];

    const fn word(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Sleep => "sleep",
            Self::SleepUntil => "sleepUntil",
            Self::WaitForEvent => "waitForEvent",
            Self::NamedWait => "namedWait",
            Self::Invoke => "invoke",
            Self::Emit => "emit",
            Self::Race => "race",
            Self::Skip => "skip",
            Self::Compensate => "compensate",
            Self::OnFailure => "onFailure",
        }
    }
}

words!(Kind);

/// Where a step stands (§3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepStatus {
    /// Known, its function has not begun.
    Pending,
    /// Its function runs.
    Running,
    /// It waits out a backoff.
    Retrying,
    /// It pauses.
    Sleeping,
    /// It waits for an event or a child run.
    Waiting,
    /// Its result is saved.
    Completed,
    /// It failed for good.
    Failed,
    /// Its last attempt or its total time ran out.
    TimedOut,
    /// The code said that it does not apply.
    Skipped,
    /// Its run ended, or the code dropped it, before it did.
    Cancelled,
    /// Its function may have run, and nobody knows how it ended (§4.5).
    Unknown,
}

impl StepStatus {
    /// Every status of a step.
    pub const ALL: [Self; 11] = [
        Self::Pending,
        Self::Running,
        Self::Retrying,
        Self::Sleeping,
        Self::Waiting,
        Self::Completed,
        Self::Failed,
        Self::TimedOut,
        Self::Skipped,
        Self::Cancelled,
        Self::Unknown,
    ];

    const fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Retrying => "retrying",
            Self::Sleeping => "sleeping",
            Self::Waiting => "waiting",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::TimedOut => "timed_out",
            Self::Skipped => "skipped",
            Self::Cancelled => "cancelled",
            Self::Unknown => "unknown",
        }
    }

    /// Tells whether the step has ended; an ended step never changes (§4.1).
    pub const fn is_ended(self) -> bool {
        match self {
            // An unknown outcome is settled later, by `verify` or by a person.
            Self::Pending
            | Self::Running
            | Self::Retrying
            | Self::Sleeping
            | Self::Waiting
            | Self::Unknown => false,
            Self::Completed | Self::Failed | Self::TimedOut | Self::Skipped | Self::Cancelled => {
                true
            }
        }
    }
}

words!(StepStatus);

/// Where a run stands (§3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// It wants a runner's slot.
    Queued,
    /// A runner holds it.
    Running,
    /// It is parked: it holds no slot and goes on when what it waits for happens.
    Waiting,
    /// A person holds it back (§9.6).
    Paused,
    /// It needs a deploy or a person.
    Blocked,
    /// Its end is decided; what is in flight ends.
    Compensating,
    /// Its handler returned.
    Completed,
    /// Its handler failed.
    Failed,
    /// It was cancelled.
    Cancelled,
    /// Its deadline passed.
    TimedOut,
}

impl RunStatus {
    /// Every status of a run.
    pub const ALL: [Self; 10] = [
        Self::Queued,
        Self::Running,
        Self::Waiting,
        Self::Paused,
        Self::Blocked,
        Self::Compensating,
        Self::Completed,
        Self::Failed,
        Self::Cancelled,
        Self::TimedOut,
    ];

    const fn word(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Paused => "paused",
            Self::Blocked => "blocked",
            Self::Compensating => "compensating",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::TimedOut => "timed_out",
        }
    }

    /// Tells whether the run has ended; an ended run stays ended (§6.6).
    pub const fn is_ended(self) -> bool {
        match self {
            Self::Queued
            | Self::Running
            | Self::Waiting
            | Self::Paused
            | Self::Blocked
            | Self::Compensating => false,
            Self::Completed | Self::Failed | Self::Cancelled | Self::TimedOut => true,
        }
    }
}

words!(RunStatus);

#[cfg(test)]
mod tests {
    use super::*;

    /// §3.1, §3.2: every word reads back as the status that it stands for.
    #[test]
    fn words_read_back() {
        for status in StepStatus::ALL {
            assert_eq!(StepStatus::parse(status.as_str()), Some(status));
        }
        for status in RunStatus::ALL {
            assert_eq!(RunStatus::parse(status.as_str()), Some(status));
        }
        for kind in Kind::ALL {
            assert_eq!(Kind::parse(kind.as_str()), Some(kind));
        }
        assert_eq!(RunStatus::parse("canceled"), None);
    }
}
