//! Why a run needs a deploy or a person.

use alloc::borrow::Cow;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::status::Kind;

/// Why a run is blocked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum BlockCause<'a> {
    /// The code asks for another kind under an id that the journal has (§4.10).
    KindChanged {
        /// The step.
        #[serde(borrow)]
        step: Cow<'a, str>,
        /// The kind in the journal.
        expected: Kind,
        /// The kind in the code.
        found: Kind,
    },
    /// The order changed and the workflow is strict (§4.10).
    OrderChanged {
        /// The step whose end was next by the journal.
        #[serde(borrow)]
        expected: Cow<'a, str>,
        /// The step that the code asked for.
        #[serde(borrow)]
        found: Cow<'a, str>,
    },
    /// The run was lost with its runner too often (§4.4).
    CrashesRunner {
        /// How often it was lost while it had the runner to itself.
        times: u32,
    },
    /// The journal is over its limit (§12).
    JournalFull {
        /// Its size in bytes.
        bytes: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// The run has more steps than the limit (§12).
    StepsFull {
        /// The limit.
        limit: u32,
    },
    /// Nobody knows how a function ended that must not run twice (§4.5).
    OutcomeUnknown {
        /// The step.
        #[serde(borrow)]
        step: Cow<'a, str>,
    },
    /// The engine met a state of this run that its rules exclude.
    Engine {
        /// What was met.
        #[serde(borrow)]
        message: Cow<'a, str>,
    },
    /// The code does not reach steps that are to be taken back (§7.5).
    CleanUpLost {
        /// The steps.
        #[serde(borrow)]
        steps: Vec<Cow<'a, str>>,
    },
}

impl BlockCause<'_> {
    /// Copies what is borrowed.
    pub fn into_owned(self) -> BlockCause<'static> {
        let own = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        match self {
            Self::KindChanged { step, expected, found } => {
                BlockCause::KindChanged { step: own(step), expected, found }
            }
            Self::OrderChanged { expected, found } => {
                BlockCause::OrderChanged { expected: own(expected), found: own(found) }
            }
            Self::CrashesRunner { times } => BlockCause::CrashesRunner { times },
            Self::JournalFull { bytes, limit } => BlockCause::JournalFull { bytes, limit },
            Self::StepsFull { limit } => BlockCause::StepsFull { limit },
            Self::OutcomeUnknown { step } => BlockCause::OutcomeUnknown { step: own(step) },
            Self::Engine { message } => BlockCause::Engine { message: own(message) },
            Self::CleanUpLost { steps } => {
                BlockCause::CleanUpLost { steps: steps.into_iter().map(own).collect() }
            }
        }
    }
}

/// Shows the cause as a sentence for people.
impl core::fmt::Display for BlockCause<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::KindChanged { step, expected, found } => {
                write!(f, "step `{step}` is recorded as `{expected}`, the code asks for `{found}`")
            }
            Self::OrderChanged { expected, found } => write!(
                f,
                "the workflow is strict, and the code asks for `{found}` where the journal has `{expected}`"
            ),
            Self::CrashesRunner { times } => {
                write!(f, "crashes its runner: lost {times} times while it ran alone")
            }
            Self::JournalFull { bytes, limit } => {
                write!(f, "its journal has {bytes} bytes, over the limit of {limit}")
            }
            Self::StepsFull { limit } => write!(f, "it has more steps than the limit of {limit}"),
            Self::OutcomeUnknown { step } => write!(
                f,
                "nobody knows how step `{}` ended, and it must not run twice: resolve it",
                crate::step_id::shown(step)
            ),
            Self::Engine { message } => write!(f, "the engine stopped it: {message}"),
            Self::CleanUpLost { steps } => {
                f.write_str("the code does not reach what is to be taken back:")?;
                for (at, step) in steps.iter().enumerate() {
                    let between = if at == 0 { "" } else { "," };
                    write!(f, "{between} `{step}`")?;
                }
                Ok(())
            }
        }
    }
}
