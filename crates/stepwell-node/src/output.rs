//! What a node asks for.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use stepwell_core::code::Code;
use stepwell_core::failure::Failure;
use stepwell_core::id::RunId;
use stepwell_core::status::RunStatus;
use stepwell_core::time::Timestamp;
use stepwell_store::batch::{Batch, Workflow};
use stepwell_store::inbox::MessageId;
use stepwell_store::query::{Cursor, Key, Queue};

use crate::enquiry::Enquiry;
use crate::import::Taken;
use crate::input::{RequestId, SessionId};
use crate::question::Question;

/// What a node asks for, in order.
#[derive(Debug, Default)]
pub struct Outputs {
    /// The list; the driver takes it empty.
    pub list: Vec<Output>,
}

/// Something that a node asks its driver to do.
#[derive(Debug)]
pub enum Output {
    /// Make this batch durable, and answer [`crate::Input::Committed`] or
    /// [`crate::Input::Refused`]; batches are answered in the order in which they were given out.
    /// On any doubt the driver drops the node and opens a new one instead.
    Commit(Batch),
    /// Read a run's journal; answered by [`crate::Input::Loaded`].
    Load(RunId),
    /// Read timers that are due at or before `until`; answered by [`crate::Input::Due`].
    Due {
        /// The latest instant.
        until: Timestamp,
        /// Where to go on.
        after: Cursor,
        /// Most runs to return.
        limit: usize,
    },
    /// Read runs of a queue that want a runner; answered by [`crate::Input::Ready`].
    Ready {
        /// The queue.
        queue: Queue,
        /// Where to go on.
        after: Cursor,
        /// Most runs to return.
        limit: usize,
    },
    /// Read runs that a runner holds; answered by [`crate::Input::Active`].
    Active {
        /// Where to go on.
        after: Option<RunId>,
        /// Most runs to return.
        limit: usize,
    },
    /// Read runs of a queue that are blocked; answered by [`crate::Input::Blocked`].
    Blocked {
        /// The queue.
        queue: Queue,
        /// Where to go on.
        after: Option<RunId>,
        /// Most runs to return.
        limit: usize,
    },
    /// Find the run of an idempotency key; answered by [`crate::Input::Found`].
    Find(Key),
    /// Read messages between runs; answered by [`crate::Input::Inbox`].
    Inbox {
        /// Where to go on.
        after: Option<MessageId>,
        /// Most messages to return.
        limit: usize,
    },
    /// Send a frame to a runner.
    Send {
        /// The connection.
        session: SessionId,
        /// The frame.
        frame: Vec<u8>,
    },
    /// Close a connection after what was sent on it.
    Close {
        /// The connection.
        session: SessionId,
        /// Why, for the log.
        reason: String,
    },
    /// Answer a request.
    Reply {
        /// The request.
        request: RequestId,
        /// The answer.
        reply: Reply,
    },
    /// A workflow is registered durably, anew or otherwise than before.
    Registered(Workflow),
    /// The node's memory is ahead of what the store took: the driver drops the node and opens a
    /// new one, as it does at its start.
    Restart {
        /// Why, for the log.
        reason: String,
    },
    /// Ask the store about events and waits ([`Question::answer`]); answered by
    /// [`crate::Input::Answered`].
    Ask(Question),
    /// Ask the store that others share ([`Enquiry::answer`]); answered by [`crate::Input::Enquired`]. In place of
    /// `Load`, `Due`, `Ready`, `Active` and `Inbox` where others share it.
    Enquire(Enquiry),
    /// Come back with [`crate::Input::Continue`] after what else is waiting.
    Continue,
}

/// The answer to a request.
#[derive(Debug)]
pub enum Reply {
    /// The run exists, durably.
    Started {
        /// The run.
        run: RunId,
        /// This request started it; otherwise its key did before.
        created: bool,
    },
    /// The run has ended.
    Ended(Box<EndedRun>),
    /// The cancel or other act is durable, or it changed nothing.
    Acted {
        /// The run's status now.
        status: RunStatus,
    },
    /// The copy is taken in, durably, or was known.
    Imported {
        /// The run's status now.
        status: RunStatus,
        /// What became of the copy.
        taken: Taken,
    },
    /// The runners that are connected or awaited.
    Runners(Vec<RunnerInfo>),
    /// The request was not done.
    Error(ApiError),
    /// The request was not done, since another node has just written the same key, event or run: asked
    /// again, it is done or finds what is there.
    Contended,
    /// The event is accepted, durably, or its id was known.
    Sent(Box<Sent>),
}

/// What became of an event that was sent (§8.1, §8.7).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Its id.
    pub id: Arc<str>,
    /// This request brought it; otherwise its id was known, and it does nothing more.
    pub accepted: bool,
    /// For an event for one run: how many waits of it asked for the event as it came.
    pub delivered: Option<u64>,
    /// Why it does nothing, where that is so.
    pub reason: Option<String>,
}

impl Sent {
    /// Says that an event's id was known.
    pub(crate) fn repeat(id: Arc<str>) -> Self {
        Self { id, accepted: false, delivered: None, reason: None }
    }
}

/// How a run ended.
#[derive(Debug)]
pub struct EndedRun {
    /// The run.
    pub run: RunId,
    /// This request started it; false for waits and repeats.
    pub created: bool,
    /// The final status.
    pub status: RunStatus,
    /// What the handler returned.
    pub output: Option<Box<RawValue>>,
    /// Why it did not complete.
    pub error: Option<Failure<'static>>,
}

/// Why a request was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    /// The stable code.
    pub code: Code,
    /// What, where, and what is accepted.
    pub detail: String,
}

/// A runner as people see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunnerInfo {
    /// The app.
    pub app: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
    /// Its instance.
    pub instance: Arc<str>,
    /// Its SDK.
    pub sdk: Arc<str>,
    /// Its build.
    pub build: Option<Arc<str>>,
    /// Since when it is connected.
    pub connected_at: Timestamp,
    /// When it was last heard.
    pub seen_at: Timestamp,
    /// How many runs may have code in progress at once.
    pub slots: u32,
    /// How many have.
    pub busy: u32,
    /// How many it holds in all.
    pub held: u32,
    /// It takes no more runs.
    pub draining: bool,
    /// Its workflows, `name` or `name@version`.
    pub workflows: Vec<Arc<str>>,
}

/// Counters of a node since it was made, and gauges; for metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Runs started.
    pub runs_started: u64,
    /// Runs ended.
    pub runs_ended: u64,
    /// Steps ended.
    pub steps_ended: u64,
    /// Attempts that failed and were to be tried again.
    pub retries: u64,
    /// Activations given to runners.
    pub activations: u64,
    /// Activations lost with their runner.
    pub losses: u64,
    /// Messages from runners.
    pub messages: u64,
    /// Messages that were refused.
    pub messages_refused: u64,
    /// Batches given out.
    pub commits: u64,
    /// Timers fired.
    pub timers_fired: u64,
    /// Events accepted.
    pub events: u64,
    /// Runs that events started.
    pub events_started: u64,
    /// Waits that events woke.
    pub waits_woken: u64,
    /// Runs in memory now.
    pub hot: u64,
    /// Near timers in memory now.
    pub near_timers: u64,
    /// When the first of them is due.
    pub next_timer: Option<Timestamp>,
    /// Runners connected now.
    pub sessions: u64,
}
