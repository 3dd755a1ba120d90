//! What a node is told.

use std::sync::Arc;
use std::time::Duration;

use serde_json::value::RawValue;
use stepwell_core::id::RunId;
use stepwell_core::operation::Operation;
use stepwell_core::search::Attributes;
use stepwell_core::time::Timestamp;
use stepwell_core::trace::Traceparent;
use stepwell_store::batch::Workflow;
use stepwell_store::inbox::Message;
use stepwell_store::query::{Key, Queue};

use crate::enquiry::Finding;
use crate::import::ImportRequest;
use crate::question::Answer;
use crate::remake::{ForkRequest, ResolveRequest};

/// Names a connection of a runner; the driver gives numbers and never repeats one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub u64);

/// Names a request that waits for a reply; the driver gives numbers and never repeats one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

/// What the clocks say when a node is given an input.
///
/// Leases of runners are counted by the monotonic clock: engine time follows the wall clock, which
/// people set, and a jump of it must not take runs from runners that are there (§4.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Engine time; it never goes backwards.
    pub engine: Timestamp,
    /// Time since an origin of the driver's choice, by a clock that nobody sets. It never goes
    /// backwards.
    pub monotonic: Duration,
}

/// Takes engine time for both, where nobody sets the clock: in tests.
impl From<Timestamp> for Now {
    fn from(engine: Timestamp) -> Self {
        let micros = u64::try_from(engine.as_micros()).unwrap_or(0);
        Self { engine, monotonic: Duration::from_micros(micros) }
    }
}

/// When a run may begin (§9.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Begin {
    /// At once.
    #[default]
    Now,
    /// So long after the accepted start.
    After(Duration),
    /// At this instant; at once where it has passed.
    At(Timestamp),
}

/// A request to start a run (§9.1). The driver has checked the input against its schema.
#[derive(Clone, Debug)]
pub struct StartRequest {
    /// The namespace, from the credential.
    pub namespace: Arc<str>,
    /// The app; found by the workflow's name where absent.
    pub app: Option<String>,
    /// The workflow.
    pub workflow: String,
    /// The input as JSON.
    pub input: Option<Box<RawValue>>,
    /// The idempotency key.
    pub key: Option<String>,
    /// Most time for the run's forward phase.
    pub timeout: Option<Duration>,
    /// When the run may begin.
    pub begin: Begin,
    /// What the start says about itself, as JSON.
    pub metadata: Option<Box<RawValue>>,
    /// The name of the runner to pin the run to.
    pub runner: Option<String>,
    /// Search attributes (§9.4).
    pub search: Attributes,
    /// Where the start stands in a trace of its caller.
    pub traceparent: Option<Traceparent>,
    /// Reply when the run has ended, not when it has started.
    pub wait: bool,
}

/// A request to send an event (§8.1).
#[derive(Clone, Debug)]
pub struct SendRequest {
    /// The namespace, from the credential.
    pub namespace: Arc<str>,
    /// The event's id; made where absent.
    pub id: Option<String>,
    /// The event's name.
    pub event: String,
    /// Its data as JSON.
    pub data: Option<Box<RawValue>>,
    /// What waits are held against in place of the data, as JSON.
    pub offer: Option<Box<RawValue>>,
    /// Only for this app.
    pub app: Option<String>,
    /// The workflow of the run that `key` started.
    pub workflow: Option<String>,
    /// Only for the waits of this run.
    pub run: Option<RunId>,
    /// Only for the waits of the run that this idempotency key started.
    pub key: Option<String>,
}

/// A request about one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// Whom to answer.
    pub request: RequestId,
    /// The namespace, from the credential.
    pub namespace: Arc<str>,
    /// The run.
    pub run: RunId,
}

/// Who acts on a run and why, as they say it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signed {
    /// Who.
    pub by: Option<String>,
    /// Signed.
    pub reason: Option<String>,
}

/// What a node is told.
#[derive(Debug)]
pub enum Input<'a> {
    /// First of all: what the store knows of workflows. The node then asks for what it owns.
    Opened {
        /// Every workflow ever registered.
        workflows: Vec<Workflow>,
    },
    /// A runner connected, and the gate let it in under this namespace.
    Connected {
        /// The connection.
        session: SessionId,
        /// Its namespace.
        namespace: Arc<str>,
    },
    /// A runner sent a frame.
    Frame {
        /// The connection.
        session: SessionId,
        /// The frame.
        bytes: &'a [u8],
    },
    /// A connection is gone.
    Disconnected {
        /// The connection.
        session: SessionId,
    },
    /// Start a run; answered with [`crate::Reply::Started`], or [`crate::Reply::Ended`] with `wait`.
    Start {
        /// Whom to answer.
        request: RequestId,
        /// What to start.
        start: Box<StartRequest>,
    },
    /// Cancel a run (§7.1); answered with [`crate::Reply::Acted`] once that is durable.
    Cancel {
        /// Whom to answer, about which run.
        about: About,
        /// Who and why, for the history.
        signed: Signed,
    },
    /// Act on a run (§9.5); answered with [`crate::Reply::Acted`] once that is durable.
    Operate {
        /// Whom to answer, about which run.
        about: About,
        /// What to do.
        act: Operation,
        /// Who and why, for the history.
        signed: Signed,
    },
    /// Resolve a step of a run (§4.5); answered with [`crate::Reply::Acted`] once that is durable.
    Resolve {
        /// Whom to answer, about which run.
        about: About,
        /// What is known of which step.
        resolve: Box<ResolveRequest>,
        /// Who and why, for the history.
        signed: Signed,
    },
    /// Make a new run of a run (§9.5, §9.8); answered with [`crate::Reply::Started`].
    Fork {
        /// Whom to answer, about which run.
        about: About,
        /// What to make.
        fork: Box<ForkRequest>,
        /// Who and why, for the history.
        signed: Signed,
    },
    /// Take in a copy of a run from elsewhere; answered with [`crate::Reply::Imported`] once that is durable.
    Import {
        /// Whom to answer, which run it is, and the namespace that it is to be in.
        about: About,
        /// The copy.
        import: Box<ImportRequest>,
        /// Who and why, for the history.
        signed: Signed,
    },
    /// Send an event; answered with [`crate::Reply::Sent`] once that is durable (§8.9).
    Send {
        /// Whom to answer.
        request: RequestId,
        /// What to send.
        send: Box<SendRequest>,
    },
    /// Answer with [`crate::Reply::Ended`] when the run has ended.
    Wait {
        /// Whom to answer, about which run.
        about: About,
    },
    /// Nobody waits for this reply any more.
    Forget {
        /// The request.
        request: RequestId,
    },
    /// Answer with [`crate::Reply::Runners`].
    Runners {
        /// Whom to answer.
        request: RequestId,
        /// The namespace, from the credential.
        namespace: Arc<str>,
    },
    /// The oldest batch that was given out is durable.
    Committed,
    /// The oldest batch that was given out was not written, and nothing of it will be.
    Refused {
        /// Signed, for those who asked.
        error: stepwell_store::Error,
    },
    /// Answers [`crate::Output::Load`].
    Loaded {
        /// The run.
        run: RunId,
        /// Its journal, or `None` for a run that is not stored, or why it cannot be read.
        journal: Result<Option<Vec<u8>>, stepwell_store::Error>,
    },
    /// Answers [`crate::Output::Due`]: fewer than asked for means that there are no more.
    Due {
        /// Runs and when their timers are due.
        runs: Vec<(Timestamp, RunId)>,
    },
    /// Answers [`crate::Output::Ready`]: fewer than asked for means that there are no more.
    Ready {
        /// The queue.
        queue: Queue,
        /// Runs and since when they want a runner.
        runs: Vec<(Timestamp, RunId)>,
    },
    /// Answers [`crate::Output::Active`]: fewer than asked for means that there are no more.
    Active {
        /// Runs that a runner holds by their journal.
        runs: Vec<RunId>,
    },
    /// Answers [`crate::Output::Blocked`]: fewer than asked for means that there are no more.
    Blocked {
        /// The queue.
        queue: Queue,
        /// Runs that are blocked.
        runs: Vec<RunId>,
    },
    /// Answers [`crate::Output::Find`].
    Found {
        /// The key.
        key: Key,
        /// The run that it started.
        run: Option<RunId>,
    },
    /// Answers [`crate::Output::Inbox`]: fewer than asked for means that there are no more.
    Inbox {
        /// Messages that were not heard.
        messages: Vec<Arc<Message>>,
    },
    /// Answers [`crate::Output::Ask`].
    Answered(Answer),
    /// Answers [`crate::Output::Enquire`].
    Enquired(Finding),
    /// Other nodes on the same store wrote something: worth a look, and nothing more.
    Hint,
    /// Time has passed. Wanted at least as often as [`crate::Node::next_tick`] says.
    Tick,
    /// Answers [`crate::Output::Continue`].
    Continue,
    /// Runs of a restored store go on ([`crate::Restored`]).
    LetGo,
    /// The server stops: runners are told to keep their runs and to connect elsewhere or again.
    Drain,
}
