//! Records about children and chains: where a run comes from, and which runs came of it.

use alloc::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::Opening;
use crate::id::RunId;

/// The run and step that invoked a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Parent<'a> {
    /// The parent.
    pub run: RunId,
    /// The step of it that waits.
    #[serde(borrow)]
    pub step: Cow<'a, str>,
}

impl Parent<'_> {
    /// Copies what is borrowed.
    pub fn into_owned(self) -> Parent<'static> {
        Parent { run: self.run, step: Cow::Owned(self.step.into_owned()) }
    }
}

/// The chain that a run goes on with (§2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Continues {
    /// The run before.
    pub from: RunId,
    /// The first run of the chain, by which a parent knows it.
    pub first: RunId,
}

/// See [`Record::ChildStarted`](super::Record::ChildStarted).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChildStarted<'a> {
    /// The step's id.
    #[serde(borrow)]
    pub step: Cow<'a, str>,
    /// The child, whose start is in the same batch.
    pub child: RunId,
    /// The app that the choice fell on (§9.2).
    #[serde(borrow)]
    pub app: Cow<'a, str>,
    /// The child's workflow.
    #[serde(borrow)]
    pub workflow: Cow<'a, str>,
    /// The step's first record, always.
    #[serde(borrow)]
    pub open: Opening<'a>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde's skip_serializing_if gives a reference"
)]
pub(super) fn is_zero(value: &u32) -> bool {
    *value == 0
}
