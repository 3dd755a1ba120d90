//! Branches of a race (§2, §5.5).

use alloc::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::record::Opening;

/// The branch of a race that a step stands in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Branch<'a> {
    /// The id of the race.
    #[serde(borrow)]
    pub race: Cow<'a, str>,
    /// The name of the branch.
    #[serde(borrow)]
    pub name: Cow<'a, str>,
}

/// The record of a race that began.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RaceStarted<'a> {
    /// The step's id.
    #[serde(borrow)]
    pub step: Cow<'a, str>,
    /// The step's first record, always.
    #[serde(borrow)]
    pub open: Opening<'a>,
}
