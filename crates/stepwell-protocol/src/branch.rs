//! Messages about races, and about starts whose outcome was lost.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use stepwell_core::failure::Failure;
use stepwell_core::once::Verdict;
use stepwell_core::payload::present;

use crate::to_node::Opening;

/// See [`crate::to_node::ToNode::Verified`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Verified<'a> {
    /// The run.
    pub a: u32,
    /// The step.
    #[serde(borrow)]
    pub step: Cow<'a, str>,
    /// The start that it is about, from 1.
    pub n: u32,
    /// What was found out.
    pub verdict: Verdict,
    /// The result of the function, with `done`.
    #[serde(
        borrow,
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub output: Option<&'a RawValue>,
}

/// See [`crate::to_node::ToNode::Race`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Race<'a> {
    /// The run.
    pub a: u32,
    /// The step.
    #[serde(borrow)]
    pub step: Cow<'a, str>,
    /// The step's opening, always; its input is `{"branches": […]}` (§3.4).
    #[serde(borrow)]
    pub open: Opening<'a>,
}

/// See [`crate::to_node::ToNode::Raced`]. Without `error` the branch returned `output`, which is
/// `{"winner": …, "value": …}`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Raced<'a> {
    /// The run.
    pub a: u32,
    /// The step.
    #[serde(borrow)]
    pub step: Cow<'a, str>,
    /// When the branch settled.
    pub ago_us: u64,
    /// Which branch won, and its value.
    #[serde(
        borrow,
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub output: Option<&'a RawValue>,
    /// What the branch threw.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Failure<'a>>,
}
