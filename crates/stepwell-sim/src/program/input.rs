//! The input of a run, which names its program.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// What kind of program it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Profile {
    /// A few steps, one after the other, of all kinds.
    Plain,
    /// Branches in branches.
    Branches,
    /// Many quick steps.
    Long,
    /// Steps that fail, time out, and are tried again.
    Failing,
    /// Mostly sleeps.
    Sleepy,
    /// Branches of which the first wins and the others are dropped.
    Dropping,
    /// Large results.
    Large,
    /// Races, and functions that start at most once: for runners with the SDK only.
    Delicate,
    /// Waits for events, and sends them.
    Waiting,
    /// Steps that can be taken back, in workflows that say how their runs end.
    Saga,
    /// Children, and children of children.
    Parent,
    /// It goes on as another run, and that maybe as another.
    Chain,
    /// A step that kills its runner.
    Poison,
}

impl Profile {
    /// The place of [`Profile::Delicate`] among all.
    pub const DELICATE: usize = 7;

    /// Every profile.
    pub const ALL: [Self; 13] = [
        Self::Plain,
        Self::Branches,
        Self::Long,
        Self::Failing,
        Self::Sleepy,
        Self::Dropping,
        Self::Large,
        Self::Delicate,
        Self::Waiting,
        Self::Saga,
        Self::Parent,
        Self::Chain,
        Self::Poison,
    ];
}

/// The input of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The number that the program is made of.
    pub program: u64,
    /// What kind of program it is.
    pub profile: Profile,
    /// Tells starts apart.
    pub n: u64,
}

impl Input {
    /// Reads an input.
    pub fn read(raw: Option<&RawValue>) -> Option<Self> {
        serde_json::from_str(raw?.get()).ok()
    }

    /// Writes an input.
    pub fn write(&self) -> Option<Box<RawValue>> {
        RawValue::from_string(serde_json::to_string(self).ok()?).ok()
    }
}
