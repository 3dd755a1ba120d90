//! What a runner says of events (§8).

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use stepwell_core::payload::present;
use stepwell_core::record::OnTimeout;

use crate::to_node::Opening;

/// An event that starts runs of a workflow.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Trigger<'a> {
    /// The name of the event.
    #[serde(borrow)]
    pub event: Cow<'a, str>,
    /// What the event has to contain; absent where every event of the name will do.
    #[serde(
        rename = "match",
        borrow,
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub wanted: Option<&'a RawValue>,
}

/// See [`crate::to_node::ToNode::Wait`]. At most one of `for_us` and `until_us`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Wait<'a> {
    /// The run.
    pub a: u32,
    /// The step.
    #[serde(borrow)]
    pub step: Cow<'a, str>,
    /// The name of the event.
    #[serde(borrow)]
    pub event: Cow<'a, str>,
    /// What the event has to contain; absent where every event of the name will do.
    #[serde(
        rename = "match",
        borrow,
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub wanted: Option<&'a RawValue>,
    /// Most time to wait, in microseconds from when the code asked; absent for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub for_us: Option<u64>,
    /// What a time-out gives the code: `"null"` (the default), `"fail"`, or `{"value": …}`.
    #[serde(borrow, default, skip_serializing_if = "OnTimeout::is_null")]
    pub on_timeout: OnTimeout<'a>,
    /// From when on events count; from the start of the run where absent.
    #[serde(default, skip_serializing_if = "Since::is_run_start")]
    pub since: Since,
    /// The step's opening, always; its input is `{"event": …}`, with `match`, `timeout`, `since` and
    /// `onTimeout` as the code gave them (§3.4).
    #[serde(borrow)]
    pub open: Opening<'a>,
}

/// From when on events count for a wait (§8.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Since {
    /// `"runStart"`: from the start of the run on.
    #[default]
    RunStart,
    /// `"parked"`: those that are accepted after the wait was parked.
    Parked,
    /// `{"backUs": …}`: those that were accepted at most so long before, in microseconds.
    BackUs(u64),
}

impl Since {
    fn is_run_start(&self) -> bool {
        matches!(self, Self::RunStart)
    }
}

/// See [`crate::to_node::ToNode::Emit`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Emit<'a> {
    /// The run.
    pub a: u32,
    /// The step.
    #[serde(borrow)]
    pub step: Cow<'a, str>,
    /// The name of the event.
    #[serde(borrow)]
    pub event: Cow<'a, str>,
    /// Its data.
    #[serde(
        borrow,
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub data: Option<&'a RawValue>,
    /// What matches are held against in place of the data.
    #[serde(
        rename = "match",
        borrow,
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub offer: Option<&'a RawValue>,
    /// Only for this app.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub app: Option<Cow<'a, str>>,
    /// Only for the waits of this run.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub run: Option<Cow<'a, str>>,
    /// The step's opening, always; its input is `{"event": …}`, with `data`, `match`, `app` and `run`
    /// as the code gave them (§3.4).
    #[serde(borrow)]
    pub open: Opening<'a>,
}
