//! Steps whose function must not run twice (§4.5): what their opening says, and what is found out
//! about a start whose outcome was lost.

use alloc::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// Starts of a function in all, after which nothing is tried any more (§4.5).
pub const STARTS_MAX: u32 = 4;

/// What happens where nobody knows how the function ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum OnUnknown {
    /// The run is blocked until an operator resolves the step. The default.
    #[default]
    Block,
    /// The code is given an error that it may catch.
    Throw,
}

/// What the opening of a step says whose function starts at most once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Once {
    /// What happens where the outcome stays unknown. Default: the run is blocked.
    #[serde(default)]
    pub on_unknown: OnUnknown,
}

/// What was found out about a start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Verdict {
    /// The function did what it is for; its result is known.
    Done,
    /// It did not, and will not: it may start again.
    NotDone,
    /// Nobody can tell.
    Unknown,
    /// The runner that had recorded the start never called the function.
    NotBegun,
}

impl Verdict {
    /// Returns the word in views and histories.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::NotDone => "notDone",
            Self::Unknown => "unknown",
            Self::NotBegun => "notBegun",
        }
    }
}

/// The record of a verdict.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Verified<'a> {
    /// The step's id.
    #[serde(borrow)]
    pub step: Cow<'a, str>,
    /// When.
    pub at: Timestamp,
    /// What was found out.
    pub verdict: Verdict,
}
