//! The shape of the view. Instants are shown as ISO 8601, durations in milliseconds.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::failure::Failure;
use crate::id::RunId;
use crate::once::Once;
use crate::record::{BlockCause, Branch, ForkedFrom, LogLine, Parent};
use crate::search::Value;
use crate::status::{Kind, RunStatus, StepStatus};
use crate::time::Timestamp;

/// Shows an instant as ISO 8601.
///
/// # Errors
/// Those of the serializer.
pub fn iso<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(at)
}

/// Shows an instant as ISO 8601, or null.
///
/// # Errors
/// Those of the serializer.
pub fn iso_option<S: Serializer>(at: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => serializer.collect_str(at),
        None => serializer.serialize_none(),
    }
}

fn lines<S: Serializer>(lines: &[LogLine<'_>], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(lines.iter().map(|line| LogView {
        at: line.at.to_string(),
        level: &line.level,
        message: &line.message,
    }))
}

#[derive(Serialize)]
struct LogView<'a> {
    at: String,
    level: &'a str,
    message: &'a str,
}

/// A run with all that is recorded of it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct View<'a> {
    /// The run.
    pub id: RunId,
    /// Its namespace.
    pub namespace: Arc<str>,
    /// Its app.
    pub app: Arc<str>,
    /// Its workflow.
    pub workflow: Arc<str>,
    /// Its status.
    pub status: RunStatus,
    /// Its idempotency key.
    pub key: Option<Arc<str>>,
    /// The name of the runner that it is pinned to.
    pub runner: Option<Arc<str>>,
    /// The version that its first activation had.
    pub version: Option<Arc<str>>,
    /// When its start was accepted.
    #[serde(serialize_with = "iso")]
    pub created_at: Timestamp,
    /// When a runner first got it.
    #[serde(serialize_with = "iso_option")]
    pub started_at: Option<Timestamp>,
    /// When it ended.
    #[serde(serialize_with = "iso_option")]
    pub ended_at: Option<Timestamp>,
    /// When it times out.
    #[serde(serialize_with = "iso_option")]
    pub deadline: Option<Timestamp>,
    /// No runner got it before this instant: its start was delayed.
    #[serde(serialize_with = "iso_option")]
    pub not_before: Option<Timestamp>,
    /// Its input.
    pub input: Option<&'a RawValue>,
    /// What its handler returned.
    pub output: Option<&'a RawValue>,
    /// Why it did not complete.
    pub error: Option<Failure<'a>>,
    /// What its start said about it.
    pub metadata: Option<&'a RawValue>,
    /// Its search attributes (§9.4).
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub search: BTreeMap<Arc<str>, Value>,
    /// By whom it is held back, while its end is open.
    pub paused: Option<Paused>,
    /// The run and step that it was forked from (§9.8).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forked_from: Option<ForkedFrom<'a>>,
    /// The run that it is a repeat of (§9.5).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rerun_of: Option<RunId>,
    /// Why it is blocked.
    pub blocked: Option<BlockCause<'static>>,
    /// The same as a sentence.
    pub blocked_because: Option<String>,
    /// Which run of its handler this is or was the last, from 1 (§6.5).
    pub generation: u32,
    /// When its handler runs again, while that is waited for (§6.5).
    #[serde(serialize_with = "iso_option")]
    pub retry_at: Option<Timestamp>,
    /// Its clean-up, once one began (§7.3).
    pub clean_up: Option<CleanUpView>,
    /// Its steps, by start and then position (§3.5).
    pub steps: Vec<StepView<'a>>,
    /// Lines that its handler logged.
    #[serde(serialize_with = "lines")]
    pub logs: Vec<LogLine<'a>>,
    /// The runners that held it, in order.
    pub activations: Vec<Activation>,
    /// What else happened to it: acts of operators, blocks, changed orders.
    pub history: Vec<Note<'a>>,
    /// The size of its journal in bytes.
    pub journal_bytes: u64,
    /// The run and step that invoked it.
    pub parent: Option<Parent<'a>>,
    /// The run that it goes on with.
    pub continued_from: Option<RunId>,
    /// The run that goes on with it.
    pub continued_as: Option<RunId>,
}

/// A person holds the run back (§9.6).
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Paused {
    /// Since when.
    #[serde(serialize_with = "iso")]
    pub at: Timestamp,
    /// Who, as they said it.
    pub by: Option<Arc<str>>,
    /// Why, as they said it.
    pub reason: Option<Arc<str>>,
}

/// A step with all that is recorded of it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StepView<'a> {
    /// Its id.
    pub id: Arc<str>,
    /// What it is made by.
    pub kind: Kind,
    /// Where it stands.
    #[serde(skip)]
    pub status: StepStatus,
    /// The word that is shown for it: that of §3.1, or of another system (§13.2).
    #[serde(rename = "status")]
    pub word: &'static str,
    /// The place of its first record among those of the run's steps; never changes.
    pub position: u32,
    /// Its recorded input.
    pub input: Option<&'a RawValue>,
    /// Its result.
    pub output: Option<&'a RawValue>,
    /// Why it failed.
    pub error: Option<Failure<'a>>,
    /// Its attempts, lost ones included.
    pub attempts: Vec<AttemptView<'a>>,
    /// Lines that its function logged.
    #[serde(serialize_with = "lines")]
    pub logs: Vec<LogLine<'a>>,
    /// What the code says of it.
    pub metadata: Option<&'a RawValue>,
    /// Its function starts at most once (§4.5).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub once: Option<Once>,
    /// The branch of a race that it stands in (§5.5).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub branch: Option<Branch<'a>>,
    /// The run in which it ended, where a fork kept its end (§9.8).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kept_from: Option<RunId>,
    /// When the code asked for it.
    #[serde(serialize_with = "iso")]
    pub scheduled_at: Timestamp,
    /// When its first attempt or pause began.
    #[serde(serialize_with = "iso_option")]
    pub started_at: Option<Timestamp>,
    /// When it ended; null while it has not.
    #[serde(serialize_with = "iso_option")]
    pub completed_at: Option<Timestamp>,
    /// When it wakes or is tried again.
    #[serde(serialize_with = "iso_option")]
    pub next_at: Option<Timestamp>,
    /// The steps that it followed, reduced: those that no other one of them followed.
    pub after: Vec<Arc<str>>,
    /// Under which run of the handler it began, from 1 (§6.5).
    pub generation: u32,
    /// It can be taken back, was cancelled after its function began, and may have been done (§7.2).
    pub uncertain: bool,
    /// It waits for an event, and asked for earlier ones than those from this instant on, which alone
    /// were kept (§8.4).
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "iso_option")]
    pub events_kept_from: Option<Timestamp>,
    /// The child that it invoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub child: Option<ChildView<'a>>,
    /// How long the journal was, in bytes, with the last record that changed what is shown here;
    /// `u64::MAX` where any record may change it.
    #[serde(skip)]
    pub changed_at: u64,
}

/// A child run, as its parent's step shows it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChildView<'a> {
    /// The run; the first of its chain.
    pub run: RunId,
    /// Its app.
    pub app: alloc::borrow::Cow<'a, str>,
    /// Its workflow.
    pub workflow: alloc::borrow::Cow<'a, str>,
}

/// The clean-up of a run (§7.2–7.4).
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CleanUpView {
    /// The status that the run ends with.
    pub status: RunStatus,
    /// When it stops, however far it came.
    #[serde(serialize_with = "iso")]
    pub until: Timestamp,
    /// What is taken back, in this order.
    pub compensations: Vec<CompensationView>,
    /// Where the workflow's `onFailure` stands; absent where it has none.
    pub on_failure: Option<&'static str>,
    /// Steps that may have been done and are not taken back.
    pub uncertain: Vec<Arc<str>>,
}

/// A step that is taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CompensationView {
    /// The step.
    pub step: Arc<str>,
    /// Nobody knows whether it was done.
    pub unknown: bool,
    /// Where its compensation stands; `pending` before it began.
    pub status: &'static str,
}

/// An attempt of a step's function.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AttemptView<'a> {
    /// Its number; a lost attempt and the one after it have the same.
    pub n: u32,
    /// `running`, `completed`, `failed`, `timed_out`, `cancelled` or `lost`.
    pub status: &'static str,
    /// When its function began.
    #[serde(serialize_with = "iso")]
    pub started_at: Timestamp,
    /// When it ended or was lost.
    #[serde(serialize_with = "iso_option")]
    pub ended_at: Option<Timestamp>,
    /// Why it failed.
    pub error: Option<Failure<'a>>,
    /// The name of the runner.
    pub runner: Arc<str>,
    /// It began while the function of the attempt before still ran.
    pub overlapped: bool,
}

/// A runner that held the run.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Activation {
    /// The fence.
    pub epoch: u32,
    /// The runner's name.
    pub runner: Arc<str>,
    /// The runner's instance.
    pub instance: Arc<str>,
    /// The workflow's version there.
    pub version: Option<Arc<str>>,
    /// The runner's build.
    pub build: Option<Arc<str>>,
    /// From when.
    #[serde(serialize_with = "iso")]
    pub at: Timestamp,
    /// Until when.
    #[serde(serialize_with = "iso_option")]
    pub until: Option<Timestamp>,
    /// `held`, `released`, `lost`, `blocked`, `ended`; `finished` or `evicted` where the run goes on
    /// after its handler ended.
    pub end: &'static str,
    /// The run had the runner to itself.
    pub alone: bool,
}

/// Something that happened to a run.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Note<'a> {
    /// When.
    #[serde(serialize_with = "iso")]
    pub at: Timestamp,
    /// `cancelled`, `timed_out`, `failed`, `cleaning_up`, `cancel_noted`, `handler_retried`,
    /// `blocked`, `unblocked`, `order_changed`, or what an operator did: `paused`, `resumed`,
    /// `terminated`, `retried` or `resolved`; `forked` and `rerun` say of which run it was made;
    /// `verified` is what was found out about a start (§4.5).
    pub what: &'static str,
    /// Who did it, where that was said.
    pub by: Option<alloc::borrow::Cow<'a, str>>,
    /// More about it, as a sentence.
    pub detail: Option<alloc::borrow::Cow<'a, str>>,
}
