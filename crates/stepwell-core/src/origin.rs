//! The run that another one was made of (§9.8).

use alloc::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::id::RunId;

/// A run, and the step of it from which another one goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ForkedFrom<'a> {
    /// The run.
    pub run: RunId,
    /// The step.
    #[serde(borrow)]
    pub step: Cow<'a, str>,
}
