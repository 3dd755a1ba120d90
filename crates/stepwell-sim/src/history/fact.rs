//! What was observed, in order.

use std::sync::Arc;

use stepwell_core::id::RunId;
use stepwell_core::status::StepStatus;
use stepwell_core::summary::Summary;
use stepwell_core::time::Timestamp;
use stepwell_store::inbox::{InboxWrite, MessageId};
use stepwell_store::memory::Seen;
use stepwell_store::shared::MemberId;

use super::asked::{Answer, Asked};
use crate::clock::Micros;
use crate::program::Topic;

/// A process of a runner; never used again for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Process(pub u32);

/// A node of the server: its place among them, from 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Node(pub usize);

/// A request of a client; never used again for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Request(pub u64);

/// A call of a step's function; never used again for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Call(pub u32);

/// Names an activation for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Held {
    /// The run.
    pub run: RunId,
    /// Its epoch.
    pub epoch: u32,
    /// The random part of its fence: a store that is made of a backup may give out an epoch that the original gave
    /// too.
    pub nonce: u64,
}

/// A piece of a journal as it was given to the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The run.
    pub run: RunId,
    /// Its new records.
    pub records: Arc<[u8]>,
    /// Its row after them.
    pub row: Arc<Summary>,
}

/// Everything that the store tells of all runs, at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadBack {
    /// The journals, by run.
    pub journals: Vec<(RunId, Arc<[u8]>)>,
    /// Journals that could not be read, and why.
    pub unreadable: Vec<(RunId, String)>,
    /// The rows; absent where they were not asked for.
    pub rows: Option<Vec<Summary>>,
    /// Timers in the order of the store.
    pub timers: Vec<(Timestamp, RunId)>,
    /// Runs that a runner holds.
    pub active: Vec<RunId>,
    /// Runs that want a runner.
    pub ready: Vec<(Timestamp, RunId)>,
    /// Runs that are blocked.
    pub blocked: Vec<RunId>,
    /// Events, with what they did, in the order of their acceptance.
    pub events: Vec<Sent>,
    /// Messages that were not heard.
    pub inbox: Vec<MessageId>,
    /// The journals of copies that were taken in, by run.
    pub copies: Vec<(RunId, Arc<[u8]>)>,
}

/// An event as the store has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Its id.
    pub id: Arc<str>,
    /// What it is about.
    pub topic: Topic,
    /// When it was accepted.
    pub accepted_at: Timestamp,
    /// It has done all that it does.
    pub routed: bool,
    /// The waits that it woke.
    pub woke: Vec<(RunId, Arc<str>)>,
}

/// An end of a step as a runner or its code is told it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// The step.
    pub step: Arc<str>,
    /// How it ended.
    pub status: StepStatus,
    /// Its result, where it is told.
    pub output: Option<Arc<str>>,
}

/// By what a step is taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TakenBack {
    /// By its result, which may be that it gave none.
    Result(Option<Arc<str>>),
    /// Nobody knows whether it was done.
    Unknown,
}

/// Something that was observed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// The store was opened: a node begins.
    Opened {
        /// The greatest instant that the store knows.
        high_water: Timestamp,
    },
    /// A node joined the database that it shares with others: it begins anew.
    Joined {
        /// Which.
        node: Node,
        /// As whom.
        member: MemberId,
        /// Engine time is not before this.
        floor: Timestamp,
    },
    /// What happened in the database that nodes share.
    Seen(Seen),
    /// The journal of a copy that a client sends.
    Copied {
        /// With which request.
        request: Request,
        /// The id of the copy.
        copy: RunId,
        /// The journal.
        journal: Arc<[u8]>,
    },
    /// The store would not open for damage.
    Damaged(String),
    /// A batch was given to the store.
    Given {
        /// By which node.
        by: Node,
        /// Its number.
        batch: u32,
        /// Engine time.
        at: Timestamp,
        /// What it adds.
        runs: Vec<Written>,
        /// What runs tell each other in it, and what they heard.
        inbox: Vec<InboxWrite>,
    },
    /// The store said that a batch is durable.
    Durable {
        /// Its number.
        batch: u32,
    },
    /// The store said that nothing of a batch was written.
    Turned {
        /// Its number.
        batch: u32,
    },
    /// A write or sync of the log failed.
    DiskFailed,
    /// A batch that was given to the store accepts these events.
    Accepts {
        /// Its number.
        batch: u32,
        /// Their ids.
        events: Vec<Arc<str>>,
    },
    /// The node was told the time, and left a timer alone that was due.
    LeftDue {
        /// When it was due.
        due: Timestamp,
        /// What the node was told.
        at: Timestamp,
    },
    /// The node is gone; the next one opens the store again.
    Down,
    /// A backup was begun that came to be whole: all that is durable here is in it.
    BackupBegun {
        /// Its number.
        backup: u32,
    },
    /// The server is lost with its store; the next one is of a store that is made of a backup.
    ServerLost {
        /// The backup's number.
        backup: u32,
    },
    /// The store that was opened is made of a backup, and its runs are held back.
    HeldBack,
    /// Who let the runs of a restored store go was told that they are.
    LetGo,
    /// The node's process stands still.
    StoodStill,
    /// It goes on.
    WentOn,
    /// The store was read.
    Read(Box<ReadBack>),
    /// The node gave a run to a runner: the message left it.
    Gave {
        /// To whom.
        to: Process,
        /// The activation.
        held: Held,
        /// The ends that it tells, with further ones to come or not.
        ended: Vec<End>,
        /// Further ends follow in other messages.
        more: bool,
    },
    /// More of the ends of an activation.
    GaveMore {
        /// To whom.
        to: Process,
        /// The activation.
        held: Held,
        /// The ends.
        ended: Vec<End>,
        /// Further ends follow.
        more: bool,
    },
    /// The node told a runner that a step ended.
    Settled {
        /// Whom.
        to: Process,
        /// The activation.
        held: Held,
        /// The end; the runner has the result.
        end: End,
        /// When it ended.
        at: Timestamp,
    },
    /// The node told a runner that it goes on holding a run, having been told so many ends.
    Resumed {
        /// Whom.
        to: Process,
        /// The activation.
        held: Held,
    },
    /// The node refused a runner.
    Refused {
        /// Whom.
        to: Process,
        /// Why.
        why: String,
    },
    /// The node answered a client.
    Answered {
        /// Which request.
        request: Request,
        /// How.
        answer: Answer,
    },
    /// A client sent a request.
    Asked {
        /// Its name.
        request: Request,
        /// What for.
        what: Asked,
    },
    /// A client does not wait for an answer any more.
    GaveUp {
        /// Which request.
        request: Request,
    },
    /// A function began.
    Began {
        /// The call.
        call: Call,
        /// In which process.
        by: Process,
        /// The activation.
        held: Held,
        /// The step.
        step: Arc<str>,
        /// The attempt.
        n: u32,
        /// Until when the process may start functions, by true time.
        grant: Micros,
        /// When the attempt was due, by true time.
        due: Micros,
    },
    /// A function ended or was given up with its process.
    Over {
        /// The call.
        call: Call,
    },
    /// A step is taken back, by its result where that is known.
    TakesBack {
        /// The activation.
        held: Held,
        /// The step.
        step: Arc<str>,
        /// By what.
        by: TakenBack,
    },
    /// A workflow is told of a run that ends badly.
    ToldFailure {
        /// The activation.
        held: Held,
        /// The steps that completed, in their order.
        completed: Vec<Arc<str>>,
        /// The steps that may have been done.
        uncertain: Vec<Arc<str>>,
    },
    /// The code of a run was given the end of a step.
    Delivered {
        /// In which process.
        by: Process,
        /// The activation.
        held: Held,
        /// The end.
        end: End,
    },
    /// A process greeted the node, and presented runs that it holds.
    Greeted {
        /// Which.
        by: Process,
        /// The activations.
        resumes: Vec<Held>,
    },
    /// A runner was told that a run is ending.
    ToldEnd {
        /// Which.
        by: Process,
        /// The activation.
        held: Held,
    },
    /// A runner was told whether a run is paused.
    ToldPause {
        /// Which.
        by: Process,
        /// The activation.
        held: Held,
        /// It is.
        paused: bool,
    },
    /// A process of a runner began.
    Born {
        /// The process.
        process: Process,
        /// Its instance.
        instance: Arc<str>,
    },
    /// A process of a runner ended.
    Died {
        /// The process.
        process: Process,
    },
    /// How much the node keeps in memory.
    Gauge {
        /// Runs.
        hot: u64,
        /// Near timers.
        timers: u64,
        /// Runs that have not ended.
        open: u64,
    },
    /// The wall clock of the node's machine was set.
    Jumped,
    /// No more faults from here on.
    Healed,
    /// The simulation is over; everything has had time to end.
    Finished,
}

/// What was observed, in order.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// Facts and their true times.
    pub facts: Vec<(Micros, Fact)>,
}

impl History {
    /// Adds a fact.
    pub fn add(&mut self, at: Micros, fact: Fact) {
        self.facts.push((at, fact));
    }
}
