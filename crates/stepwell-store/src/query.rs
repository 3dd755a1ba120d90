//! What is asked of a store.

use std::sync::Arc;
use std::time::Duration;

use stepwell_core::id::RunId;
use stepwell_core::search::{self, Term, Value};
use stepwell_core::status::RunStatus;
use stepwell_core::summary::Summary;
use stepwell_core::time::Timestamp;

use crate::store::Position;

const MINUTE: Duration = Duration::from_mins(1);

/// Names the events of one kind, and the waits for them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventName {
    /// The namespace.
    pub namespace: Arc<str>,
    /// The name of the events.
    pub name: Arc<str>,
}

/// Names the queue of one workflow.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Queue {
    /// The namespace.
    pub namespace: Arc<str>,
    /// The app.
    pub app: Arc<str>,
    /// The workflow.
    pub workflow: Arc<str>,
}

/// Names a start for repeats (§4.8).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The workflow that was started.
    pub queue: Queue,
    /// The idempotency key.
    pub key: Arc<str>,
}

/// Where a scan over `(instant, run)` goes on: after this pair.
pub type Cursor = Option<(Timestamp, RunId)>;

/// Names a run, or runs by how their ids end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdPart {
    /// This run.
    Whole(RunId),
    /// Runs whose ids end so.
    End {
        /// The last digits, as a number.
        value: u128,
        /// How many hexadecimal digits these are: 1 to 31.
        digits: u8,
    },
}

impl IdPart {
    /// Tells whether a run is named.
    pub fn matches(self, run: RunId) -> bool {
        match self {
            Self::Whole(id) => run == id,
            Self::End { value, digits } => {
                let mask =
                    1_u128.checked_shl(u32::from(digits) * 4).map_or(u128::MAX, |bit| bit - 1);
                run.as_u128() & mask == value & mask
            }
        }
    }
}

/// A text that is looked for, whatever its case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text(Arc<str>);

impl Text {
    /// Makes it.
    pub fn new(text: &str) -> Self {
        Self(text.to_lowercase().into())
    }

    /// Tells whether a text holds it.
    pub fn is_in(&self, text: &str) -> bool {
        if self.0.is_ascii() && text.is_ascii() {
            let (part, text) = (self.0.as_bytes(), text.as_bytes());
            return part.is_empty()
                || text.windows(part.len()).any(|here| here.eq_ignore_ascii_case(part));
        }
        text.to_lowercase().contains(&*self.0)
    }

    /// Tells whether a run has it in its workflow, key, id, a search attribute, why it is blocked, or
    /// the error with which it ended.
    pub fn is_of(&self, run: &Summary) -> bool {
        let error = run.error.iter().flat_map(|error| [&*error.name, &*error.message]);
        let known = [Some(&*run.workflow), run.key.as_deref(), run.blocked.as_deref()];
        let mut texts = known.into_iter().flatten().chain(error);
        texts.any(|text| self.is_in(text))
            || self.is_in(&run.id.to_string())
            || run.search.values().any(|value| match value {
                Value::Text(text) => self.is_in(text),
                Value::Flag(_) | Value::Number(_) => self.is_in(&search::to_json(value)),
            })
    }
}

/// Which runs a list shows, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// The namespace; required.
    pub namespace: Arc<str>,
    /// Only this app.
    pub app: Option<Arc<str>>,
    /// Only this workflow.
    pub workflow: Option<Arc<str>>,
    /// Only these statuses; empty for all.
    pub statuses: Vec<RunStatus>,
    /// Only the run with this idempotency key.
    pub key: Option<Arc<str>>,
    /// Only runs that this one invoked.
    pub parent: Option<RunId>,
    /// Only runs created at or after this instant.
    pub from: Option<Timestamp>,
    /// Only runs created before this instant.
    pub to: Option<Timestamp>,
    /// Only runs whose search attributes are all as asked (§9.4).
    pub search: Vec<Term>,
    /// Only the run with this id, or runs whose ids end so.
    pub id: Option<IdPart>,
    /// Only runs in which this text is found.
    pub text: Option<Text>,
    /// Only runs older than this one: the last of the page before.
    pub before: Option<RunId>,
    /// Most rows to return; at least 1.
    pub limit: usize,
}

impl Filter {
    /// Tells whether a run is as asked; where the page begins and ends is not looked at.
    pub fn matches(&self, run: &Summary) -> bool {
        let is = |wanted: &Option<Arc<str>>, found: &Arc<str>| {
            wanted.as_ref().is_none_or(|wanted| wanted == found)
        };
        run.namespace == self.namespace
            && is(&self.app, &run.app)
            && is(&self.workflow, &run.workflow)
            && (self.statuses.is_empty() || self.statuses.contains(&run.status))
            && (self.key.is_none() || self.key == run.key)
            && (self.parent.is_none() || self.parent == run.parent)
            && self.from.is_none_or(|from| run.created_at >= from)
            && self.to.is_none_or(|to| run.created_at < to)
            && self.search.iter().all(|term| term.matches(&run.search))
            && self.id.is_none_or(|id| id.matches(run.id))
            && self.text.as_ref().is_none_or(|text| text.is_of(run))
    }
}

/// Runs are counted exactly up to so many.
pub const COUNT_MAX: u64 = 10_000;

/// How many runs there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// As many as were counted, at most [`COUNT_MAX`].
    pub runs: u64,
    /// There are or may be more.
    pub or_more: bool,
}

impl Count {
    /// Makes it of a number that is exact, or over [`COUNT_MAX`].
    pub fn of(runs: u64) -> Self {
        Self { runs: runs.min(COUNT_MAX), or_more: runs > COUNT_MAX }
    }
}

/// How many runs there are of each status.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Every status once, in the order of [`RunStatus::ALL`].
    pub counts: Vec<(RunStatus, Count)>,
    /// The counts are of this position of the store.
    pub position: Position,
    /// They miss writes that were durable when they were asked for.
    pub stale: bool,
}

/// How many runs of a workflow there are of a status that is no end.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OpenRuns {
    /// The workflow.
    pub queue: Queue,
    /// The status.
    pub status: RunStatus,
    /// As many as were counted, at least 1 and at most [`OPEN_COUNT_MAX`].
    pub runs: u64,
}

/// Runs of a workflow and status that have not ended are counted up to so many.
pub const OPEN_COUNT_MAX: u64 = 1_000_000;

/// So many workflows are looked at where all are asked for.
pub const OPEN_WORKFLOWS_MAX: usize = 2_000;

/// What is asked about runs that ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndsAsk {
    /// The namespace.
    pub namespace: Arc<str>,
    /// Only this app.
    pub app: Option<Arc<str>>,
    /// Only this workflow.
    pub workflow: Option<Arc<str>>,
    /// The beginning of the first minute.
    pub from: Timestamp,
    /// How many minutes.
    pub minutes: u32,
    /// Most runs that are looked at, the last to end first.
    pub looked: usize,
}

/// How many runs ended in a minute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Minute {
    /// All of them.
    pub ended: u64,
    /// Those that failed or timed out.
    pub failed: u64,
    /// Not all were looked at.
    pub or_more: bool,
}

/// How many runs ended, by the minute.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ends {
    /// As many minutes as were asked for, oldest first.
    pub minutes: Vec<Minute>,
    /// The answer is of this position of the store.
    pub position: Position,
    /// It misses writes that were durable when it was asked for.
    pub stale: bool,
}

/// Puts together runs that ended, the last to end first.
#[derive(Debug)]
pub struct Tally {
    from: Timestamp,
    minutes: Vec<Minute>,
    left: usize,
}

impl Tally {
    /// Begins with nothing.
    pub fn new(ask: &EndsAsk) -> Self {
        let minutes = vec![Minute::default(); ask.minutes as usize];
        Self { from: ask.from, minutes, left: ask.looked }
    }

    /// Returns the end of the last minute.
    pub fn to(ask: &EndsAsk) -> Timestamp {
        ask.from.after(MINUTE * ask.minutes)
    }

    /// Adds a run that ended, or one that is not asked for; tells whether more may be looked at.
    pub fn add(&mut self, at: Timestamp, status: Option<RunStatus>) -> bool {
        let minute = at.since(self.from).as_secs() / MINUTE.as_secs();
        let place = usize::try_from(minute).unwrap_or(usize::MAX);
        if self.left == 0 {
            let count = place.saturating_add(1).min(self.minutes.len());
            self.minutes.iter_mut().take(count).for_each(|minute| minute.or_more = true);
            return false;
        }
        self.left -= 1;
        if let (Some(minute), Some(status)) = (self.minutes.get_mut(place), status) {
            minute.ended += 1;
            minute.failed += u64::from(matches!(status, RunStatus::Failed | RunStatus::TimedOut));
        }
        true
    }

    /// Returns the minutes, oldest first.
    pub fn minutes(self) -> Vec<Minute> {
        self.minutes
    }
}

/// Which events a list shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventList {
    /// The namespace.
    pub namespace: Arc<str>,
    /// Only events of this name.
    pub name: Option<Arc<str>>,
    /// Only events accepted at or after this.
    pub from: Timestamp,
    /// The order is newest first, else oldest first.
    pub newest: bool,
}

impl EventList {
    /// Asks for events of a name from an instant on, oldest first, as who looks back does (§8.4).
    pub fn since(event: &EventName, from: Timestamp) -> Self {
        let EventName { namespace, name } = event;
        Self { namespace: Arc::clone(namespace), name: Some(Arc::clone(name)), from, newest: false }
    }
}

/// A page of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The rows, newest first.
    pub runs: Vec<Summary>,
    /// There are older ones.
    pub more: bool,
    /// The store stopped looking here, at its bound of work: older runs may fit, and were not looked at.
    pub reached: Option<RunId>,
    /// The list is of this position of the store.
    pub position: Position,
    /// The list misses writes that were durable when it was asked for.
    pub stale: bool,
}
