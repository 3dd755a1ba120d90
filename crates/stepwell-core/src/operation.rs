//! What operators do to a run, and the record of it (§9.5).

use alloc::borrow::Cow;
use core::fmt;

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// An act of an operator on one run, other than a cancel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Operation {
    /// Holds the run back: no function of it begins until it is resumed (§9.6).
    Pause,
    /// Lets a paused run go on (§9.6).
    Resume,
    /// Ends the run at once; nothing that is in flight is awaited (§7.6).
    Terminate,
    /// Ends the backoffs of its steps, and tries it again where it is blocked.
    Retry,
    /// Says how a step ended whose outcome is unknown (§4.5).
    Resolve,
}

impl Operation {
    /// Every act.
    pub const ALL: [Self; 5] =
        [Self::Pause, Self::Resume, Self::Terminate, Self::Retry, Self::Resolve];

    /// Returns the word in records, addresses and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Terminate => "terminate",
            Self::Retry => "retry",
            Self::Resolve => "resolve",
        }
    }

    /// Returns the word in a run's history, which says what was done.
    pub const fn done(self) -> &'static str {
        match self {
            Self::Pause => "paused",
            Self::Resume => "resumed",
            Self::Terminate => "terminated",
            Self::Retry => "retried",
            Self::Resolve => "resolved",
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The record of an act: what was done, by whom and why.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Acted<'a> {
    /// When.
    pub at: Timestamp,
    /// What was done.
    pub act: Operation,
    /// Who did it, where that was said.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Cow<'a, str>>,
    /// Why, where that was said.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Cow<'a, str>>,
    /// The step that it is about, of [`Operation::Resolve`].
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub step: Option<Cow<'a, str>>,
}
