//! The record of search attributes.

use serde::{Deserialize, Serialize};

use crate::search::Change;
use crate::time::Timestamp;

/// See [`Record::SearchSet`](super::Record::SearchSet).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SearchSet {
    /// When.
    pub at: Timestamp,
    /// What is set, and what is taken away.
    pub search: Change,
}
