//! Records of waits for events (§8), and of the event that started a run.

use alloc::borrow::Cow;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{Opening, is_false};
use crate::time::Timestamp;

/// The event that started a run (§8.3); its data is the run's input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FromEvent<'a> {
    /// Its id.
    #[serde(borrow)]
    pub id: Cow<'a, str>,
    /// Its name.
    #[serde(borrow)]
    pub name: Cow<'a, str>,
}

/// What the runs before in a chain leave to the next, for its waits (§8.4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Inherited<'a> {
    /// When the first run of the chain was started.
    pub since: Timestamp,
    /// The events that count no more: what waits took, and what started the first run.
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    pub taken: Vec<TakenEvent<'a>>,
}

/// An event that a wait of a run took.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TakenEvent<'a> {
    /// Its id.
    #[serde(borrow)]
    pub id: Cow<'a, str>,
    /// Its name.
    #[serde(borrow)]
    pub name: Cow<'a, str>,
    /// When it was taken.
    pub at: Timestamp,
}

/// See [`super::Record::WaitStarted`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WaitStarted<'a> {
    /// The step's id.
    #[serde(borrow)]
    pub step: Cow<'a, str>,
    /// When it was parked: events that were accepted later are delivered, those before are looked
    /// for.
    pub at: Timestamp,
    /// The name of the event.
    #[serde(borrow)]
    pub event: Cow<'a, str>,
    /// What the event has to contain; absent when every event of the name will do.
    #[serde(
        rename = "match",
        borrow,
        default,
        deserialize_with = "crate::payload::present",
        skip_serializing_if = "Option::is_none"
    )]
    pub wanted: Option<&'a RawValue>,
    /// When it times out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// What a time-out gives the code.
    #[serde(borrow, default, skip_serializing_if = "OnTimeout::is_null")]
    pub on_timeout: OnTimeout<'a>,
    /// Events that were accepted before this instant do not count (§8.4).
    pub since: Timestamp,
    /// The earlier instant that was asked for, where events from then on are not kept any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<Timestamp>,
    /// No event from before it was parked can match: nobody has to look.
    #[serde(default, skip_serializing_if = "is_false")]
    pub looked: bool,
    /// The step's first record, always.
    #[serde(borrow)]
    pub open: Opening<'a>,
}

/// See [`super::Record::Looked`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Looked<'a> {
    /// The step's id.
    #[serde(borrow)]
    pub step: Cow<'a, str>,
}

/// What a wait that times out gives the code (§8.6).
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum OnTimeout<'a> {
    /// Nothing: the step is `timed_out`.
    #[default]
    Null,
    /// `WaitTimeoutError`: the step is `failed`.
    Fail,
    /// This value: the step is `timed_out`.
    #[serde(borrow)]
    Value(&'a RawValue),
}

impl OnTimeout<'_> {
    /// Tells whether it is the default.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }
}
