//! What keeps observed runs, apart from the store of durable ones: written by its own lane, with limits of its own (§10.7).

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use stepwell_core::code::Code;
use stepwell_core::time::Timestamp;

use crate::batch::Batch;
use crate::flow::Flow;
use crate::row::Row;
use crate::status::RunStatus;

/// Why it did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Nothing was written; trying again later may work.
    #[error("observed runs cannot be taken now: {0}")]
    Unavailable(String),
    /// Nothing was written: the disk is full.
    #[error("there is no room on the disk for observed runs: {0}")]
    DiskFull(String),
    /// A write failed, and nobody knows whether it is durable; nothing more is taken until a restart.
    #[error("observed runs are not taken any more: {0}")]
    Poisoned(String),
    /// What is kept is damaged.
    #[error("the store of observed runs is damaged: {0}")]
    Corrupt(String),
}

impl Error {
    /// Returns the stable code.
    pub const fn code(&self) -> Code {
        match self {
            Self::Unavailable(_) => Code::Unavailable,
            Self::DiskFull(_) => Code::DiskFull,
            Self::Poisoned(_) | Self::Corrupt(_) => Code::StoreFailed,
        }
    }
}

/// How far back statistics look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Window {
    /// The last hour, in 60 parts.
    Hour,
    /// The last 24 hours, in 96 parts.
    #[default]
    Day,
    /// The last 7 days, in 84 parts.
    Week,
}

impl Window {
    /// Every window.
    pub const ALL: [Self; 3] = [Self::Hour, Self::Day, Self::Week];

    /// Returns the word in addresses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "1h",
            Self::Day => "24h",
            Self::Week => "7d",
        }
    }

    /// Reads a word of an address.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|window| window.as_str() == word)
    }

    /// Returns how long it is.
    pub const fn length(self) -> Duration {
        match self {
            Self::Hour => Duration::from_hours(1),
            Self::Day => Duration::from_hours(24),
            Self::Week => Duration::from_hours(7 * 24),
        }
    }

    /// Returns how long each of its parts is.
    pub const fn part(self) -> Duration {
        match self {
            Self::Hour => Duration::from_mins(1),
            Self::Day => Duration::from_mins(15),
            Self::Week => Duration::from_hours(2),
        }
    }
}

/// A flow that is declared, or has runs.
#[derive(Clone, Debug, PartialEq)]
pub struct FlowSummary {
    /// Its slug.
    pub flow: Arc<str>,
    /// What is declared of it.
    pub declared: Option<Arc<Flow>>,
    /// The begin of its first run that is kept.
    pub first_at: Option<Timestamp>,
    /// Its last event.
    pub last_at: Option<Timestamp>,
    /// Runs that began in the last 24 hours, and those of them that failed.
    pub day: (u64, u64),
    /// How many runs are running.
    pub running: u64,
    /// How many are stuck.
    pub stuck: u64,
}

/// What happened to a step in a window.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StepStats {
    /// The step's key.
    pub step: Arc<str>,
    /// Calls that returned.
    pub ok: u64,
    /// Calls that threw.
    pub failed: u64,
    /// Runs that left it out.
    pub skipped: u64,
    /// Runs in which it was missing.
    pub missing: u64,
    /// Runs that did not reach it.
    pub not_reached: u64,
    /// Runs in which it was the first to fail.
    pub first_failed: u64,
    /// How long calls took: the median, the 95th and the 99th of a hundred; `None` where none has a duration. At most
    /// 5 % away from what they were.
    pub took: Option<[Duration; 3]>,
}

/// A part of a window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// Its begin, in microseconds since the epoch.
    pub at: Timestamp,
    /// Runs that began in it.
    pub runs: u64,
    /// Those of them that failed.
    pub failed: u64,
    /// Steps that were missing in runs that ended in it.
    pub missing: u64,
}

/// Statistics of a flow.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FlowStats {
    /// Its steps, in no order.
    pub steps: Vec<StepStats>,
    /// The parts of the window, oldest first, all of them.
    pub health: Vec<Part>,
}

/// Errors that are the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorGroup {
    /// What they have in common ([`fingerprint`](crate::fingerprint)).
    pub fingerprint: u64,
    /// The step that threw it.
    pub step: Arc<str>,
    /// The error's name.
    pub name: Arc<str>,
    /// What the last one says.
    pub message: Arc<str>,
    /// How many calls threw it.
    pub count: u64,
    /// When it was first thrown, in the window.
    pub first_at: Timestamp,
    /// When it was last thrown.
    pub last_at: Timestamp,
    /// The run in which it was last thrown.
    pub last_run: Arc<str>,
}

/// Where a page of a list ended: the begin of its last run, and its number in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct After {
    /// The begin of the run.
    pub at: Timestamp,
    /// Tells runs of one instant apart.
    pub n: i64,
}

/// Which runs are asked for; newest first.
#[derive(Clone, Debug, Default)]
pub struct RunsAsk {
    /// The namespace.
    pub namespace: Arc<str>,
    /// One of these flows; of all where empty.
    pub flows: Vec<Arc<str>>,
    /// In one of these statuses; in any where empty.
    pub status: Vec<RunStatus>,
    /// A part of the run's name.
    pub text: Option<String>,
    /// Begun at or after this.
    pub from: Option<Timestamp>,
    /// Begun before this.
    pub to: Option<Timestamp>,
    /// Behind this place.
    pub after: Option<After>,
    /// Most of them.
    pub limit: usize,
}

/// A run of a list.
#[derive(Clone, Debug, PartialEq)]
pub struct ListedRun {
    /// The slug of its flow.
    pub flow: Arc<str>,
    /// Its name.
    pub run: Arc<str>,
    /// Its status at the instant of the question.
    pub status: RunStatus,
    /// What is known of it.
    pub row: Row,
    /// Where it stands in the list.
    pub place: After,
}

/// Runs, and whether the list is behind.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunsPage {
    /// The runs.
    pub runs: Vec<ListedRun>,
    /// There are more behind the last.
    pub more: bool,
    /// Something that was taken before is not in it yet.
    pub stale: bool,
}

/// The events of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// What [`Set::read`](crate::set::Set::read) reads.
    pub set: Vec<u8>,
    /// Something that was taken before may not be in it yet.
    pub stale: bool,
}

/// A run, by flow and name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beside {
    /// The slug of its flow.
    pub flow: Arc<str>,
    /// Its name.
    pub run: Arc<str>,
}

/// What was taken out because of its age.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Purged {
    /// Runs.
    pub runs: usize,
    /// There is more to take out.
    pub more: bool,
}

/// How the store is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// The position of the last write that is durable.
    pub head: u64,
    /// The position up to which tables hold everything.
    pub folded: u64,
    /// Bytes that are durable and not in tables.
    pub tail_bytes: u64,
    /// Bytes on the disk, log and tables.
    pub disk_bytes: u64,
    /// Nothing more is taken until a restart.
    pub is_poisoned: bool,
}

/// Keeps observed runs. Each call may block. Reads see what was taken before them: they wait at most 200 ms for it,
/// and say so where that was too short.
pub trait Keep: Debug + Send + Sync {
    /// Takes events; they are durable when it returns.
    ///
    /// # Errors
    /// [`Error`].
    fn append(&self, batch: &Batch) -> Result<(), Error>;

    /// Keeps what is declared of a flow, in place of what was; with `None` it is not declared any more. Tells whether
    /// anything changed. Runs that are there are judged anew, in the background.
    ///
    /// # Errors
    /// [`Error`].
    fn declare(&self, namespace: &str, slug: &str, flow: Option<&Flow>) -> Result<bool, Error>;

    /// Returns what is declared of a flow.
    ///
    /// # Errors
    /// [`Error`].
    fn declared(&self, namespace: &str, slug: &str) -> Result<Option<Arc<Flow>>, Error>;

    /// Returns the flows of a namespace that are declared or have runs, by slug.
    ///
    /// # Errors
    /// [`Error`].
    fn flows(&self, namespace: &str, now: Timestamp) -> Result<Vec<FlowSummary>, Error>;

    /// Returns statistics of a flow.
    ///
    /// # Errors
    /// [`Error`].
    fn stats(
        &self,
        namespace: &str,
        flow: &str,
        window: Window,
        now: Timestamp,
    ) -> Result<FlowStats, Error>;

    /// Returns the errors of a flow, the most frequent first, at most 100.
    ///
    /// # Errors
    /// [`Error`].
    fn errors(
        &self,
        namespace: &str,
        flow: &str,
        window: Window,
        now: Timestamp,
    ) -> Result<Vec<ErrorGroup>, Error>;

    /// Lists runs.
    ///
    /// # Errors
    /// [`Error`].
    fn runs(&self, ask: &RunsAsk, now: Timestamp) -> Result<RunsPage, Error>;

    /// Counts runs by status, as [`Keep::runs`] would list them without its limit; each count goes up to `most`.
    ///
    /// # Errors
    /// [`Error`].
    fn counts(
        &self,
        ask: &RunsAsk,
        now: Timestamp,
        most: u64,
    ) -> Result<Vec<(RunStatus, u64)>, Error>;

    /// Returns the events of a run; `None` where there is no such run.
    ///
    /// # Errors
    /// [`Error`].
    fn run(&self, namespace: &str, flow: &str, run: &str) -> Result<Option<Kept>, Error>;

    /// Returns runs that have this name, or are in this trace; at most 10.
    ///
    /// # Errors
    /// [`Error`].
    fn beside(&self, namespace: &str, run: &str, trace: Option<u128>)
    -> Result<Vec<Beside>, Error>;

    /// Takes out runs without an event since an instant, and statistics from before it; at most so many runs.
    ///
    /// # Errors
    /// [`Error`].
    fn purge(&self, before: Timestamp, most: usize) -> Result<Purged, Error>;

    /// Takes out everything of a namespace.
    ///
    /// # Errors
    /// [`Error`].
    fn remove_namespace(&self, namespace: &str) -> Result<(), Error>;

    /// Returns how the store is.
    fn health(&self) -> Health;

    /// Puts everything into tables and closes the store; nothing is taken afterwards.
    fn stop(&self);
}
