//! What is left to do when a run ends badly: taking back what was done (§7.3), telling the workflow
//! (§7.4), or running its handler again (§6.5); and the records of it.

use alloc::borrow::Cow;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::retry::Policy;
use crate::time::Timestamp;

/// What a workflow says of how its runs end; the registration of a workflow holds it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct EndOptions {
    /// How often its handler runs when it fails (§6.5). Default: once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry: Option<Policy>,
    /// A cancelled run is cleaned up as a failed one is (§7.3). Default: it is not.
    #[serde(skip_serializing_if = "is_false")]
    pub compensate_on_cancel: bool,
    /// It has a function for runs that end badly (§7.4). Default: none.
    #[serde(skip_serializing_if = "is_false")]
    pub on_failure: bool,
}

impl EndOptions {
    /// Tells whether nothing is said.
    pub fn is_empty(&self) -> bool {
        self.retry.is_none() && !self.compensate_on_cancel && !self.on_failure
    }
}

/// Whether a step can be taken back (§2.1, §7.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Compensable {
    /// It cannot.
    #[default]
    No,
    /// It can where it completed.
    Completed,
    /// It can where it completed, and where nobody knows whether it did.
    Unknown,
}

impl Compensable {
    /// Tells whether the step cannot be taken back.
    pub const fn is_no(&self) -> bool {
        matches!(self, Self::No)
    }
}

/// A step that is to be taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Compensation<'a> {
    /// The step.
    #[serde(borrow)]
    pub step: Cow<'a, str>,
    /// Nobody knows whether its function did what it does: it is taken back with
    /// `{"outcome": "unknown"}` in place of its result (§7.2).
    #[serde(default, skip_serializing_if = "is_false")]
    pub unknown: bool,
}

impl Compensation<'_> {
    /// Copies what is borrowed.
    pub fn to_owned(&self) -> Compensation<'static> {
        Compensation { step: Cow::Owned((*self.step).into()), unknown: self.unknown }
    }
}

/// See [`crate::record::Record::CleanUp`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CleanUp<'a> {
    /// When.
    pub at: Timestamp,
    /// When it stops, however far it came (§7.6).
    pub until: Timestamp,
    /// What is taken back, in this order: what is uncertain, then what completed, the last first.
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    pub compensate: Vec<Compensation<'a>>,
    /// The workflow's function for runs that end badly is called after that (§7.4).
    #[serde(default, skip_serializing_if = "is_false")]
    pub on_failure: bool,
    /// Steps that can be taken back, and that nobody knows the outcome of (§7.2).
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    pub uncertain: Vec<Cow<'a, str>>,
    /// A runner held the run that did not finish in time, and is still to say that it dropped it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub evicts: bool,
}

/// See [`crate::record::Record::Retried`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Retried<'a> {
    /// When the handler failed.
    pub at: Timestamp,
    /// Which run of the handler comes, from 2.
    pub generation: u32,
    /// Why the one before failed.
    #[serde(borrow)]
    pub error: Failure<'a>,
    /// When it is due.
    pub next_at: Timestamp,
}

/// See [`crate::record::Record::CancelNoted`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CancelNoted<'a> {
    /// When.
    pub at: Timestamp,
    /// Who wanted it, where that was said.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Cow<'a, str>>,
    /// Why, where that was said.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Cow<'a, str>>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde's skip_serializing_if gives a reference"
)]
fn is_false(value: &bool) -> bool {
    !value
}
