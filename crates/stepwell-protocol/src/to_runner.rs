//! What a node says.
//!
//! Everything about a run is sent only after what it tells is durable. Waits are told as remaining
//! time (`…InUs`), so that clocks need not agree.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use stepwell_core::clean_up::Compensation;
use stepwell_core::failure::Failure;
use stepwell_core::id::RunId;
use stepwell_core::payload::present;
use stepwell_core::record::FromEvent;
use stepwell_core::search::Attributes;
use stepwell_core::status::{Kind, RunStatus, StepStatus};

/// A message from a node.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ToRunner<'a> {
    /// The runner is registered.
    Welcome(Welcome),
    /// The runner is not taken; the connection closes.
    #[serde(borrow)]
    Refused(Refused<'a>),
    /// Answers a `ping`: the runner's grant now runs until its sending plus the TTL.
    Pong {
        /// The ping's number.
        k: u64,
    },
    /// The node has handled so many bytes and may be sent as many more.
    Credit {
        /// How many.
        bytes: u64,
    },
    /// The node stops: the runner keeps its runs and connects again.
    Draining {},
    /// The runner holds a run.
    #[serde(borrow)]
    Activate(Box<Activate<'a>>),
    /// More of an activated run's history.
    #[serde(borrow)]
    History(History<'a>),
    /// The runner goes on holding a run from a connection before.
    Resumed(Resumed),
    /// The runner does not hold the run any more: it drops its copy.
    Gone {
        /// The run.
        run: RunId,
        /// The epoch that is over.
        epoch: u32,
    },
    /// A step ended: its end may be delivered to the code, in the order of these messages.
    #[serde(borrow)]
    Settled(Settled<'a>),
    /// An attempt failed; the runner begins the next one when its time has come.
    #[serde(borrow)]
    Retry(Retry<'a>),
    /// The run ends: start nothing more, signal what is in flight, tell its results, then `finished`.
    End {
        /// The run.
        a: u32,
        /// The status that the run will end with.
        status: RunStatus,
    },
    /// The run is paused: the runner begins no function of it and gives its code no end.
    Pause {
        /// The run.
        a: u32,
    },
    /// The run is paused no more.
    Unpause {
        /// The run.
        a: u32,
    },
    /// The run is blocked or has ended: the runner drops its copy.
    Evict {
        /// The run.
        a: u32,
    },
    /// What the handler ended with is durable: the runner may forget the run. It may be given out
    /// again: to be cleaned up, or to run once more.
    Done {
        /// The run.
        a: u32,
    },
    /// A start is durable: the runner may call the function that starts at most once (§4.5).
    #[serde(borrow)]
    Begin(Begin<'a>),
}

/// See [`ToRunner::Welcome`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Welcome {
    /// The server's version.
    pub server: String,
    /// How often to send `ping`, in milliseconds.
    pub ping_ms: u64,
    /// How long a grant lasts from the sending of its ping, in milliseconds.
    pub ttl_ms: u64,
    /// How long a run that waits for the engine stays with the runner, in milliseconds.
    pub linger_ms: u64,
    /// How long functions in flight get when a run is ending, in milliseconds.
    pub grace_ms: u64,
    /// Largest payload in bytes.
    pub payload_bytes_max: u64,
    /// Most steps in a run.
    pub steps_max: u32,
    /// Most steps of a run in flight.
    pub branches_max: u32,
    /// The bytes that the runner may send before the first `credit`.
    pub credit_bytes: u64,
}

/// See [`ToRunner::Refused`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Refused<'a> {
    /// A stable code, `SWnnnn`.
    #[serde(borrow)]
    pub code: Cow<'a, str>,
    /// What is wrong and what is accepted.
    #[serde(borrow)]
    pub message: Cow<'a, str>,
}

/// See [`ToRunner::Activate`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Activate<'a> {
    /// The handle of the run on this connection.
    pub a: u32,
    /// The run.
    pub run: RunId,
    /// The epoch of the activation.
    pub epoch: u32,
    /// The nonce of the activation.
    pub nonce: u64,
    /// The namespace.
    #[serde(borrow)]
    pub namespace: Cow<'a, str>,
    /// The workflow.
    #[serde(borrow)]
    pub workflow: Cow<'a, str>,
    /// The input.
    #[serde(
        borrow,
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub input: Option<&'a RawValue>,
    /// The idempotency key.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Cow<'a, str>>,
    /// What the start said about itself.
    #[serde(
        borrow,
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub metadata: Option<&'a RawValue>,
    /// The run and step that invoked it.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Parent<'a>>,
    /// The search attributes that it has.
    #[serde(default, skip_serializing_if = "Attributes::is_empty")]
    pub search: Attributes,
    /// When the start was accepted, in microseconds since the Unix epoch: the code's first `now`.
    pub created_at_us: i64,
    /// The version that the first activation had.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub started_version: Option<Cow<'a, str>>,
    /// The event that started the run; its data is the input.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub event: Option<FromEvent<'a>>,
    /// Steps that have ended, in the order in which their ends are delivered.
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    pub ended: Vec<EndedStep<'a>>,
    /// Steps that have not.
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    pub open: Vec<OpenStep<'a>>,
    /// `history` messages follow; the code runs after the last one.
    #[serde(default, skip_serializing_if = "is_false")]
    pub more: bool,
    /// The run is given out for its clean-up: its handler only replays (§7.5).
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub clean_up: Option<CleanUp<'a>>,
}

/// What is left of a run's clean-up: one after the other, in this order.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CleanUp<'a> {
    /// The status that the run ends with.
    pub status: RunStatus,
    /// Why it does not complete.
    #[serde(borrow)]
    pub error: Failure<'a>,
    /// The steps that are still to be taken back.
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    pub compensate: Vec<Compensation<'a>>,
    /// The workflow's function is still to be called.
    #[serde(default, skip_serializing_if = "is_false")]
    pub on_failure: bool,
    /// Steps that may have been done, and are not taken back.
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    pub uncertain: Vec<Cow<'a, str>>,
}

/// The run and step that invoked a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Parent<'a> {
    /// The run.
    pub run: RunId,
    /// The step.
    #[serde(borrow)]
    pub step: Cow<'a, str>,
}

/// See [`ToRunner::History`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct History<'a> {
    /// The run.
    pub a: u32,
    /// Further ended steps, in order.
    #[serde(borrow)]
    pub ended: Vec<EndedStep<'a>>,
    /// Further `history` messages follow.
    #[serde(default, skip_serializing_if = "is_false")]
    pub more: bool,
}

/// A step that has ended, as the code is given it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EndedStep<'a> {
    /// The step.
    #[serde(borrow)]
    pub step: Cow<'a, str>,
    /// What it is made by.
    pub kind: Kind,
    /// How it ended.
    pub status: StepStatus,
    /// When it ended, in microseconds since the Unix epoch: the code's `now` from its delivery on.
    pub at_us: i64,
    /// Its result.
    #[serde(
        borrow,
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub output: Option<&'a RawValue>,
    /// Why it failed.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Failure<'a>>,
    /// How many attempts it took.
    #[serde(default)]
    pub attempts: u32,
    /// The run in which it ended, where a fork kept its end: its idempotency key is of that run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept_from: Option<RunId>,
    /// It completed under an earlier run of the handler: the code is given its end as soon as it asks.
    #[serde(default, skip_serializing_if = "is_false")]
    pub kept: bool,
}

/// A step that has begun and not ended.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OpenStep<'a> {
    /// The step.
    #[serde(borrow)]
    pub step: Cow<'a, str>,
    /// What it is made by.
    pub kind: Kind,
    /// How many attempts have ended; the next is one more.
    pub attempts: u32,
    /// Its function starts at most once (§4.5).
    #[serde(default, skip_serializing_if = "is_false")]
    pub once: bool,
    /// How its last start ended is not known: it does not start before that is found out (§4.5).
    #[serde(default, skip_serializing_if = "is_false")]
    pub unknown: bool,
    /// How long until the next attempt may begin or the sleep is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_in_us: Option<u64>,
    /// How long ago its first attempt began, for the total time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_started_ago_us: Option<u64>,
}

/// See [`ToRunner::Resumed`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Resumed {
    /// The new handle of the run.
    pub a: u32,
    /// The run.
    pub run: RunId,
    /// The run is paused.
    #[serde(default, skip_serializing_if = "is_false")]
    pub paused: bool,
}

/// See [`ToRunner::Settled`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Settled<'a> {
    /// The run.
    pub a: u32,
    /// The step.
    #[serde(borrow)]
    pub step: Cow<'a, str>,
    /// When it ended, in microseconds since the Unix epoch.
    pub at_us: i64,
    /// How it ended; absent for `completed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<StepStatus>,
    /// Its result, where the engine brought it: of a function the runner has the result.
    #[serde(
        borrow,
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub output: Option<&'a RawValue>,
    /// Why it failed.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Failure<'a>>,
}

/// See [`ToRunner::Retry`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Retry<'a> {
    /// The run.
    pub a: u32,
    /// The step.
    #[serde(borrow)]
    pub step: Cow<'a, str>,
    /// The next attempt.
    pub n: u32,
    /// How long until it may begin.
    pub in_us: u64,
}

/// See [`ToRunner::Begin`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Begin<'a> {
    /// The run.
    pub a: u32,
    /// The step.
    #[serde(borrow)]
    pub step: Cow<'a, str>,
    /// The start, from 1.
    pub n: u32,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde's skip_serializing_if gives a reference"
)]
fn is_false(value: &bool) -> bool {
    !value
}
