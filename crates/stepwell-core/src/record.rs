//! What a journal is made of, and how it is encoded.
//!
//! A journal is the sequence of a run's records, each a JSON object with one member (the record's
//! name) followed by a comma. Chunks of a journal can be put together by putting their bytes
//! together, and `'[' || rtrim(chunk, ',') || ']'` is a JSON array that SQL can query.
//!
//! Payloads stand in a record as the text that came: they are not read here.

mod child;
mod entry;
mod heard;
mod search_set;
mod step;

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize, de};
use serde_json::value::RawValue;

use self::child::is_zero;
pub use self::child::{ChildStarted, Continues, Parent};
pub use self::entry::{Entry, entries};
pub use self::heard::heard;
pub use self::search_set::SearchSet;
pub use self::step::{Attempt, AttemptFailed, Opening, SleepStarted, StepEnded, StepStarted};
pub use crate::block::BlockCause;
pub use crate::branch::{Branch, RaceStarted};
use crate::clean_up::EndOptions;
pub use crate::clean_up::{CancelNoted, CleanUp, Retried};
use crate::failure::Failure;
use crate::id::RunId;
pub use crate::once::Verified;
pub use crate::operation::Acted;
pub use crate::origin::ForkedFrom;
use crate::search::Change;
use crate::status::RunStatus;
use crate::time::Timestamp;
use crate::trace::Traceparent;

mod wait;

pub use wait::{FromEvent, Inherited, Looked, OnTimeout, TakenEvent, WaitStarted};

/// One fact in the history of a run. The state of a run is the fold of its records.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(
    clippy::large_enum_variant,
    reason = "records are read and written one at a time, and kept as text"
)]
pub enum Record<'a> {
    /// The run was accepted; always the first record.
    #[serde(borrow)]
    Started(Started<'a>),
    /// A runner got the run (an activation begins).
    #[serde(borrow)]
    Activated(Activated<'a>),
    /// The activation ended in order: the run waits, or its runner gave it back.
    Released(Released),
    /// The time of a delayed run has come, a backoff of a waiting run is over, or its code was held back (§9.6): it wants a runner.
    Woken(Woken),
    /// The activation was lost with its runner (§4.4).
    Lost(Lost),
    /// A step's function runs, or is about to (§4.3).
    #[serde(borrow)]
    StepStarted(StepStarted<'a>),
    /// An attempt failed and another follows.
    #[serde(borrow)]
    AttemptFailed(AttemptFailed<'a>),
    /// A pause began.
    #[serde(borrow)]
    SleepStarted(SleepStarted<'a>),
    /// A child run was started, and the step waits for its end (§9.2).
    #[serde(borrow)]
    ChildStarted(ChildStarted<'a>),
    /// A step ended; the order of these is the order of delivery (§5.4).
    #[serde(borrow)]
    StepEnded(StepEnded<'a>),
    /// Lines that a function or handler logged.
    #[serde(borrow)]
    Logged(Logged<'a>),
    /// The code asked for steps in another order than recorded (§4.10, §5.4).
    #[serde(borrow)]
    OrderChanged(OrderChanged<'a>),
    /// The run needs a deploy or a person.
    #[serde(borrow)]
    Blocked(Blocked<'a>),
    /// A blocked run is tried again.
    #[serde(borrow)]
    Unblocked(Unblocked<'a>),
    /// An operator acted on the run (§9.5).
    #[serde(borrow)]
    Acted(Acted<'a>),
    /// A wait for an event began (§8.2).
    #[serde(borrow)]
    WaitStarted(WaitStarted<'a>),
    /// No event from before a wait was parked matched it (§8.4).
    #[serde(borrow)]
    Looked(Looked<'a>),
    /// How the run will end is decided; what is in flight gets time to end (§7.1).
    #[serde(borrow)]
    Ending(Ending<'a>),
    /// A race began (§2).
    #[serde(borrow)]
    RaceStarted(RaceStarted<'a>),
    /// What was found out about a start whose outcome was lost (§4.5).
    #[serde(borrow)]
    Verified(Verified<'a>),
    /// Code set search attributes (§9.4).
    SearchSet(SearchSet),
    /// The run ended; always the last record.
    #[serde(borrow)]
    Ended(Ended<'a>),
    /// What is in flight has ended, and this is left to do before the run does (§7.2–7.4).
    #[serde(borrow)]
    CleanUp(CleanUp<'a>),
    /// The handler failed and runs again: steps that did not complete begin anew (§6.5).
    #[serde(borrow)]
    Retried(Retried<'a>),
    /// A cancel came when the run's end was decided, and changed nothing (§7.6).
    #[serde(borrow)]
    CancelNoted(CancelNoted<'a>),
}

/// See [`Record::Started`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Started<'a> {
    /// When the start was accepted.
    pub at: Timestamp,
    /// The namespace.
    #[serde(borrow)]
    pub namespace: Cow<'a, str>,
    /// The app.
    #[serde(borrow)]
    pub app: Cow<'a, str>,
    /// The workflow.
    #[serde(borrow)]
    pub workflow: Cow<'a, str>,
    /// The input, absent where the start gave none.
    #[serde(
        borrow,
        default,
        deserialize_with = "crate::payload::present",
        skip_serializing_if = "Option::is_none"
    )]
    pub input: Option<&'a RawValue>,
    /// The idempotency key.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Cow<'a, str>>,
    /// When the run times out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Timestamp>,
    /// No runner gets the run before this instant (§9.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
    /// What the start said about itself.
    #[serde(
        borrow,
        default,
        deserialize_with = "crate::payload::present",
        skip_serializing_if = "Option::is_none"
    )]
    pub metadata: Option<&'a RawValue>,
    /// The name of the runner that the run is pinned to.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub runner: Option<Cow<'a, str>>,
    /// What the workflow said of how its runs end.
    #[serde(default, skip_serializing_if = "EndOptions::is_empty")]
    pub ends: EndOptions,
    /// The run and step that it was forked from (§9.8).
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub forked_from: Option<ForkedFrom<'a>>,
    /// The run that it is a repeat of (§9.5).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rerun_of: Option<RunId>,
    /// Who forked or repeated it, where that was said.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Cow<'a, str>>,
    /// Why, where that was said.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Cow<'a, str>>,
    /// The run and step that invoked it (§9.2).
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Parent<'a>>,
    /// How many runs stand above it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub depth: u32,
    /// The chain that it goes on with (§2.3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub continues: Option<Continues>,
    /// What the runs before in the chain leave to it (§8.4).
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub inherited: Option<Box<Inherited<'a>>>,
    /// The event that started it (§8.3).
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub event: Option<FromEvent<'a>>,
    /// The search attributes that the start gave (§9.4).
    #[serde(default, skip_serializing_if = "Change::is_empty")]
    pub search: Change,
    /// Where the start stands in a trace of its caller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<Traceparent>,
}

/// See [`Record::Activated`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Activated<'a> {
    /// When.
    pub at: Timestamp,
    /// The fence: one more than the last activation's, from 1.
    pub epoch: u32,
    /// Random, so that an epoch that is taken twice after a lost write is still told apart.
    pub nonce: u64,
    /// The runner's name.
    #[serde(borrow)]
    pub runner: Cow<'a, str>,
    /// The runner's instance, random per process.
    #[serde(borrow)]
    pub instance: Cow<'a, str>,
    /// The workflow's version there.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Cow<'a, str>>,
    /// The runner's build.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub build: Option<Cow<'a, str>>,
    /// The run had its runner to itself, being suspected of crashing it (§4.4).
    #[serde(default, skip_serializing_if = "is_false")]
    pub alone: bool,
    /// What the workflow says of how its runs end, in place of what was said before.
    #[serde(default, skip_serializing_if = "EndOptions::is_empty")]
    pub ends: EndOptions,
}

/// See [`Record::Released`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Released {
    /// When.
    pub at: Timestamp,
    /// How many step ends had been delivered to the code: more in the journal make it ready again.
    pub seen: u32,
}

/// See [`Record::Woken`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Woken {
    /// When.
    pub at: Timestamp,
}

/// See [`Record::Lost`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Lost {
    /// When the loss was noticed.
    pub at: Timestamp,
    /// Code of the run was in progress, so the loss counts against the run.
    pub counted: bool,
}

/// See [`Record::Logged`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Logged<'a> {
    /// The step that logged; absent for the handler.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub step: Option<Cow<'a, str>>,
    /// The lines, in order.
    #[serde(borrow)]
    pub lines: Vec<LogLine<'a>>,
}

/// A line that code logged with `log`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogLine<'a> {
    /// When.
    pub at: Timestamp,
    /// `debug`, `info`, `warn` or `error`.
    #[serde(borrow)]
    pub level: Cow<'a, str>,
    /// What it says.
    #[serde(borrow)]
    pub message: Cow<'a, str>,
}

/// See [`Record::OrderChanged`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderChanged<'a> {
    /// When it was noticed.
    pub at: Timestamp,
    /// The step whose end was next by the journal.
    #[serde(borrow)]
    pub expected: Cow<'a, str>,
    /// The step that the code asked for.
    #[serde(borrow)]
    pub found: Cow<'a, str>,
}

/// See [`Record::Blocked`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Blocked<'a> {
    /// When.
    pub at: Timestamp,
    /// Why.
    #[serde(borrow)]
    pub cause: BlockCause<'a>,
    /// The runner's build that met it: another build is a reason to try again (§4.10).
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub build: Option<Cow<'a, str>>,
    /// A runner held the run, and is still to say that it dropped it (§4.7).
    #[serde(default, skip_serializing_if = "is_false")]
    pub evicts: bool,
}

/// See [`Record::Unblocked`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Unblocked<'a> {
    /// When.
    pub at: Timestamp,
    /// What made it worth trying: `build` or `operator`.
    #[serde(borrow)]
    pub by: Cow<'a, str>,
}

impl Unblocked<'_> {
    /// `by` where a runner with another build registered.
    pub const BY_BUILD: &'static str = "build";
    /// `by` where an operator wants it tried again.
    pub const BY_OPERATOR: &'static str = "operator";
}

/// See [`Record::Ending`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ending<'a> {
    /// When.
    pub at: Timestamp,
    /// The status that the run will end with.
    pub status: RunStatus,
    /// How long functions in flight get to return (§7.2).
    pub until: Timestamp,
    /// Who decided it, where a person or program did and said so.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Cow<'a, str>>,
    /// What a person gave as the reason.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Cow<'a, str>>,
    /// Why the handler failed, where that decided it.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Failure<'a>>,
}

/// See [`Record::Ended`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ended<'a> {
    /// When.
    pub at: Timestamp,
    /// The final status.
    pub status: RunStatus,
    /// What the handler returned.
    #[serde(
        borrow,
        default,
        deserialize_with = "crate::payload::present",
        skip_serializing_if = "Option::is_none"
    )]
    pub output: Option<&'a RawValue>,
    /// Why it did not complete.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Failure<'a>>,
    /// The run that goes on with it (§2.3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub continued_as: Option<RunId>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde's skip_serializing_if gives a reference"
)]
fn is_false(value: &bool) -> bool {
    !value
}

/// A journal could not be read.
#[derive(Debug, thiserror::Error)]
#[error("record at byte {offset} is not readable: {source}")]
pub struct DecodeError {
    /// Where in the journal.
    pub offset: usize,
    source: serde_json::Error,
}

impl Record<'_> {
    /// Appends the record and its comma to a journal.
    pub fn encode(&self, journal: &mut Vec<u8>) {
        let text = serde_json::to_vec(self);
        debug_assert!(text.is_ok(), "records hold strings, numbers and checked JSON only");
        if let Ok(text) = text {
            journal.extend_from_slice(&text);
            journal.push(b',');
        }
    }
}

/// Reads the records of a journal, in order.
///
/// Yields a [`DecodeError`] once, as the last item, when the bytes are not a journal.
pub fn decode(journal: &[u8]) -> impl Iterator<Item = Result<Record<'_>, DecodeError>> {
    decode_at(journal).map(|record| record.map(|(_, record)| record))
}

/// Reads the records of a journal as [`decode`] does, each with where it ends, in bytes.
pub fn decode_at(journal: &[u8]) -> impl Iterator<Item = Result<(usize, Record<'_>), DecodeError>> {
    let mut offset = 0;
    core::iter::from_fn(move || {
        let rest = journal.get(offset..).filter(|rest| !rest.is_empty())?;
        let mut stream = serde_json::Deserializer::from_slice(rest).into_iter::<Record<'_>>();
        match stream.next()? {
            Ok(record) if rest.get(stream.byte_offset()) == Some(&b',') => {
                offset += stream.byte_offset() + 1;
                Some(Ok((offset, record)))
            }
            Ok(_) => {
                let source = de::Error::custom("a record ends with a comma");
                let error = DecodeError { offset: offset + stream.byte_offset(), source };
                offset = journal.len();
                Some(Err(error))
            }
            Err(source) => {
                let error = DecodeError { offset, source };
                offset = journal.len();
                Some(Err(error))
            }
        }
    })
}

#[cfg(test)]
mod tests;
