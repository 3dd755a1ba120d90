//! What is recorded of steps.

use alloc::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{Branch, is_false};
use crate::clean_up::Compensable;
use crate::failure::Failure;
use crate::id::RunId;
use crate::once::Once;
use crate::status::{Kind, StepStatus};
use crate::time::Timestamp;

/// What a step's first record says once and for all.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Opening<'a> {
    /// What the step is made by.
    pub kind: Kind,
    /// How many step ends had been delivered to the code when the step began: the first `after`
    /// of [`super::Record::StepEnded`] are what it followed (§3.3).
    pub after: u32,
    /// When the code asked for the step.
    pub at: Timestamp,
    /// The recorded input: what `run` was given, the duration or instant of a sleep (§3.4).
    #[serde(
        borrow,
        default,
        deserialize_with = "crate::payload::present",
        skip_serializing_if = "Option::is_none"
    )]
    pub input: Option<&'a RawValue>,
    /// What the code says about the step.
    #[serde(
        borrow,
        default,
        deserialize_with = "crate::payload::present",
        skip_serializing_if = "Option::is_none"
    )]
    pub metadata: Option<&'a RawValue>,
    /// Whether the step can be taken back (§7.3).
    #[serde(default, skip_serializing_if = "Compensable::is_no")]
    pub compensable: Compensable,
    /// Its function starts at most once (§4.5).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub once: Option<Once>,
    /// The branch of a race that it stands in (§5.5).
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<Branch<'a>>,
    /// The run in which the step ended, where its end was kept by a fork (§9.8).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept_from: Option<RunId>,
}

/// When an attempt began and which it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attempt {
    /// Its number, from 1; lost attempts do not count.
    pub n: u32,
    /// When its function began.
    pub started_at: Timestamp,
    /// It began while the function of the attempt before still ran (§6.4).
    #[serde(default, skip_serializing_if = "is_false")]
    pub overlapped: bool,
}

/// See [`super::Record::StepStarted`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StepStarted<'a> {
    /// The step's id.
    #[serde(borrow)]
    pub step: Cow<'a, str>,
    /// The attempt that runs.
    pub attempt: Attempt,
    /// Present in the step's first record.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub open: Option<Opening<'a>>,
}

/// See [`super::Record::AttemptFailed`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AttemptFailed<'a> {
    /// The step's id.
    #[serde(borrow)]
    pub step: Cow<'a, str>,
    /// When the attempt ended.
    pub at: Timestamp,
    /// The attempt.
    pub attempt: Attempt,
    /// Why it failed.
    #[serde(borrow)]
    pub error: Failure<'a>,
    /// It ran out of time.
    #[serde(default, skip_serializing_if = "is_false")]
    pub timed_out: bool,
    /// When the next attempt is due.
    pub next_at: Timestamp,
    /// Present in the step's first record.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub open: Option<Opening<'a>>,
}

/// See [`super::Record::SleepStarted`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SleepStarted<'a> {
    /// The step's id.
    #[serde(borrow)]
    pub step: Cow<'a, str>,
    /// When it is due to wake.
    pub until: Timestamp,
    /// The step's first record, always.
    #[serde(borrow)]
    pub open: Opening<'a>,
}

/// See [`super::Record::StepEnded`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StepEnded<'a> {
    /// The step's id.
    #[serde(borrow)]
    pub step: Cow<'a, str>,
    /// When it ended.
    pub at: Timestamp,
    /// How it ended.
    pub status: StepStatus,
    /// The attempt that ended with it, where a function did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<Attempt>,
    /// The result, absent where the function gave none (§2.6).
    #[serde(
        borrow,
        default,
        deserialize_with = "crate::payload::present",
        skip_serializing_if = "Option::is_none"
    )]
    pub output: Option<&'a RawValue>,
    /// Why it failed.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Failure<'a>>,
    /// Present in the step's first record.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub open: Option<Opening<'a>>,
    /// The id of the event that ended a wait (§8.4).
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub event: Option<Cow<'a, str>>,
}
