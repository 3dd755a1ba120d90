//! Errors of user code as they are kept and sent: data, never exceptions.

use alloc::borrow::Cow;
use alloc::boxed::Box;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::id::RunId;

/// Names that both SDKs know (§6.7).
pub mod names {
    /// A step ended in failure after its last attempt.
    pub const STEP: &str = "StepError";
    /// A step ran out of time.
    pub const STEP_TIMEOUT: &str = "StepTimeoutError";
    /// The code said that trying again is of no use.
    pub const NON_RETRYABLE: &str = "NonRetryableError";
    /// The code said when to try again.
    pub const RETRY_AFTER: &str = "RetryAfterError";
    /// A function that runs at most once may have run, and nobody knows how it ended (§4.5).
    pub const OUTCOME_UNKNOWN: &str = "OutcomeUnknownError";
    /// No event came in time (§8.6).
    pub const WAIT_TIMEOUT: &str = "WaitTimeoutError";
    /// A child run failed (§9.3).
    pub const CHILD_FAILED: &str = "ChildFailedError";
    /// A child run was cancelled.
    pub const CHILD_CANCELLED: &str = "ChildCancelledError";
    /// A child run ran out of time.
    pub const CHILD_TIMEOUT: &str = "ChildTimeoutError";
    /// Another branch of the race won (§5.5).
    pub const RACE_LOST: &str = "RaceLostError";
    /// The run was cancelled.
    pub const CANCELLED: &str = "CancelledError";
    /// One id was used twice in a run.
    pub const DUPLICATE_STEP: &str = "DuplicateStepIdError";
    /// A step was called inside another step's function.
    pub const NESTED_STEP: &str = "NestedStepError";
    /// The code and the journal do not agree.
    pub const NONDETERMINISM: &str = "NondeterminismError";
    /// A value is not JSON.
    pub const SERIALIZATION: &str = "SerializationError";
    /// The input does not fit the workflow.
    pub const INPUT: &str = "InputError";
    /// Something is over a limit of §12.
    pub const LIMIT: &str = "LimitError";
}

/// An error as it is recorded: `{name, message, stack?, cause?}` (§3.3).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Failure<'a> {
    /// The error's name, one of [`names`] or the user's own.
    #[serde(borrow)]
    pub name: Cow<'a, str>,
    /// What went wrong.
    #[serde(borrow)]
    pub message: Cow<'a, str>,
    /// Where in the code, if the language tells.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub stack: Option<Cow<'a, str>>,
    /// The error behind this one: another failure, as JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Box<RawValue>>,
    /// The run that it is about, where it is a child's (§9.3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
}

/// Causes are the same where their texts are.
impl PartialEq for Failure<'_> {
    fn eq(&self, other: &Self) -> bool {
        let cause = self.cause.as_deref().map(RawValue::get);
        (&self.name, &self.message, &self.stack) == (&other.name, &other.message, &other.stack)
            && cause == other.cause.as_deref().map(RawValue::get)
    }
}

impl Eq for Failure<'_> {}

impl<'a> Failure<'a> {
    /// Makes a failure from a name and a message.
    pub fn new(name: &'a str, message: impl Into<Cow<'a, str>>) -> Self {
        Self {
            name: Cow::Borrowed(name),
            message: message.into(),
            stack: None,
            cause: None,
            run: None,
        }
    }

    /// Copies what is borrowed.
    pub fn into_owned(self) -> Failure<'static> {
        Failure {
            name: Cow::Owned(self.name.into_owned()),
            message: Cow::Owned(self.message.into_owned()),
            stack: self.stack.map(|stack| Cow::Owned(stack.into_owned())),
            cause: self.cause,
            run: self.run,
        }
    }
}
