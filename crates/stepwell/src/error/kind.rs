//! Which errors there are.

use stepwell_core::failure::names;

/// What sort of error an [`Error`](crate::Error) is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// An error of the user's own; its name is that of its type. In a step it is tried again.
    Other,
    /// A step failed for good (§6.3): [`step_id`](crate::Error::step_id),
    /// [`attempts`](crate::Error::attempts) and [`cause`](crate::Error::cause) tell more.
    Step,
    /// A step or an attempt ran out of time (§6.4).
    StepTimeout,
    /// Trying again is of no use (§6.2).
    NonRetryable,
    /// The code says when to try again (§6.2).
    RetryAfter,
    /// A child run failed, or none could be started (§9.3).
    ChildFailed,
    /// A child run was cancelled.
    ChildCancelled,
    /// A child run ran out of time.
    ChildTimeout,
    /// The handler wants another run to go on with it (§2.3): given by
    /// [`Ctx::continue_as`](crate::Ctx::continue_as), for the handler to return.
    ContinueAs,
    /// The run was cancelled.
    Cancelled,
    /// One id was used for two steps (§2.5).
    DuplicateStepId,
    /// A step was called inside another step's function (§2.5).
    NestedStep,
    /// Code and journal do not agree (§4.10).
    Nondeterminism,
    /// A value is not JSON, or JSON is not the expected value (§2.6).
    Serialization,
    /// The input does not fit the workflow (§9.1).
    Input,
    /// Something is over a limit of §12.
    Limit,
    /// An argument is not accepted, such as a text that is not a duration (§11).
    Argument,
    /// The server cannot be reached, or does not speak as expected.
    Connection,
    /// The server does not do what was asked: [`code`](crate::Error::code) tells why.
    Refused,
    /// A run failed: [`cause`](crate::Error::cause) is its error.
    RunFailed,
    /// A run was cancelled.
    RunCancelled,
    /// A run's deadline passed.
    RunTimedOut,
    /// A run had not ended when waiting for it stopped.
    WaitTimeout,
    /// A function that must not run twice may have run, and nobody knows how it ended (§4.5).
    OutcomeUnknown,
    /// No event came in time, and the wait says that this is a failure (§8.6).
    EventTimeout,
}

impl ErrorKind {
    /// Returns the name of errors of this kind on the wire (§6.7). [`ErrorKind::Other`] errors have
    /// names of their own.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Other => "Error",
            Self::Step => names::STEP,
            Self::StepTimeout => names::STEP_TIMEOUT,
            Self::NonRetryable => names::NON_RETRYABLE,
            Self::RetryAfter => names::RETRY_AFTER,
            Self::ChildFailed => names::CHILD_FAILED,
            Self::ChildCancelled => names::CHILD_CANCELLED,
            Self::ChildTimeout => names::CHILD_TIMEOUT,
            Self::ContinueAs => "ContinueAs",
            Self::Cancelled => names::CANCELLED,
            Self::DuplicateStepId => names::DUPLICATE_STEP,
            Self::NestedStep => names::NESTED_STEP,
            Self::Nondeterminism => names::NONDETERMINISM,
            Self::Serialization => names::SERIALIZATION,
            Self::Input => names::INPUT,
            Self::Limit => names::LIMIT,
            Self::Argument => "ArgumentError",
            Self::Connection => "ConnectionError",
            Self::Refused => "RefusedError",
            Self::RunFailed => "RunFailedError",
            Self::RunCancelled => "RunCancelledError",
            Self::RunTimedOut => "RunTimedOutError",
            Self::WaitTimeout => "WaitTimeout",
            Self::OutcomeUnknown => names::OUTCOME_UNKNOWN,
            Self::EventTimeout => names::WAIT_TIMEOUT,
        }
    }

    /// Returns the page and place in the project's documents that explain errors of this kind.
    pub const fn docs(self) -> &'static str {
        match self {
            Self::Other
            | Self::Step
            | Self::StepTimeout
            | Self::NonRetryable
            | Self::RetryAfter => "docs/semantics.md#6-errors-and-retries",
            Self::DuplicateStepId | Self::NestedStep | Self::Serialization | Self::ContinueAs => {
                "docs/semantics.md#2-steps"
            }
            Self::Cancelled | Self::RunFailed | Self::RunCancelled | Self::RunTimedOut => {
                "docs/semantics.md#7-ending-badly"
            }
            Self::Nondeterminism | Self::OutcomeUnknown => "docs/semantics.md#4-durability",
            Self::Input
            | Self::WaitTimeout
            | Self::ChildFailed
            | Self::ChildCancelled
            | Self::ChildTimeout => "docs/semantics.md#9-starting-and-operating",
            Self::EventTimeout => "docs/semantics.md#8-events",
            Self::Argument => "docs/semantics.md#11-durations",
            Self::Limit => "docs/semantics.md#12-limits",
            Self::Connection | Self::Refused => "docs/errors/README.md",
        }
    }

    /// Tells whether an attempt that ends with such an error is the step's last, since another one
    /// would meet the same.
    pub(crate) const fn is_terminal(self) -> bool {
        match self {
            Self::NonRetryable
            | Self::Cancelled
            | Self::ContinueAs
            | Self::DuplicateStepId
            | Self::NestedStep
            | Self::Nondeterminism
            | Self::Serialization
            | Self::Input
            | Self::Limit
            | Self::Argument => true,
            Self::Other
            | Self::Step
            | Self::StepTimeout
            | Self::RetryAfter
            | Self::ChildFailed
            | Self::ChildCancelled
            | Self::ChildTimeout
            | Self::Connection
            | Self::Refused
            | Self::RunFailed
            | Self::RunCancelled
            | Self::RunTimedOut
            | Self::WaitTimeout
            | Self::EventTimeout
            | Self::OutcomeUnknown => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A heading's anchor: its words in small letters with hyphens between them.
    fn anchor(heading: &str) -> String {
        let kept = heading.chars().filter(|c| c.is_alphanumeric() || *c == ' ');
        kept.collect::<String>().trim().to_lowercase().replace(' ', "-")
    }

    #[test]
    fn the_places_in_the_documents_exist() {
        let page = include_str!("../../../../docs/semantics.md");
        let headings = page.lines().filter_map(|line| line.strip_prefix("## "));
        let anchors: Vec<String> = headings.map(anchor).collect();
        for kind in [
            ErrorKind::Other,
            ErrorKind::NestedStep,
            ErrorKind::RunFailed,
            ErrorKind::Nondeterminism,
            ErrorKind::Input,
            ErrorKind::Argument,
            ErrorKind::Limit,
        ] {
            let (page, place) = kind.docs().split_once('#').unwrap();
            assert_eq!(page, "docs/semantics.md");
            assert!(anchors.iter().any(|one| one == place), "{kind:?}: no {place} in {anchors:?}");
        }
    }
}
