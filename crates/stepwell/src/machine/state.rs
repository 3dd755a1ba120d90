//! The state of a run and its steps in this process.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use serde_json::value::RawValue;
use stepwell_core::clean_up::Compensable;
use stepwell_core::failure::Failure;
use stepwell_core::id::RunId;
use stepwell_core::once::Verdict;
use stepwell_core::record::BlockCause;
use stepwell_core::status::{Kind, StepStatus};

use super::clean::CleanUp;
use super::events::EventAsk;
use super::index::Index;
use super::line::Line;
use super::once::Once;
use super::race::Lane;
use super::search::Search;
use super::turn::STRAY_WAIT;
use crate::moment::Moment;
use crate::retry::Options;
use crate::signal::Signal;

/// Where a run stands in this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Its history is still arriving.
    Loading,
    /// Its handler runs.
    Forward,
    /// Its handler only replays, to say how steps are taken back (§7.5).
    Gathering,
    /// Its end is decided; functions in flight get time to return (§7.2).
    Ending,
    /// Its handler returned; blocking functions get time to return, until then.
    Leaving(Moment),
    /// Code and journal cannot go on together; the node is told and will evict it.
    Blocked,
    /// The node is told how the handler ended, and will say `done`.
    Finished,
    /// This process does not hold it any more.
    Closed,
}

/// Where a step stands in this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// The journal has it open; the code has not asked for it.
    Known,
    /// It wants to begin its next attempt when `due` has come.
    Due,
    /// Its function is in progress.
    Running,
    /// The node is told of an attempt's end, or of a skip, and will answer at once.
    Telling,
    /// It waits for the engine: a sleep, a child.
    Waiting,
    /// The node is asked to record a start, and will say when it is durable (§4.5).
    Asking,
    /// It waits out the pause before it is tried again to find out how its last start ended (§4.5).
    Verifying,
    /// Its branches race (§5.5).
    Racing,
    /// It has ended; its end waits in the queue.
    Ended,
    /// It has ended and was passed over in the queue, since the code did not ask for it (§5.4).
    Passed,
    /// Its end is there for its future to take.
    Ready,
    /// Its end was taken.
    Taken,
    /// The code dropped it; the node is told.
    Dropped,
}

/// Whether the run may go on (§9.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hold {
    /// It may.
    Free,
    /// It is paused: no function of it begins, and its code is given nothing.
    Paused,
}

/// How many asked-for steps are in which state, so that a look at a run costs the same for all.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) running: u32,
    pub(crate) telling: u32,
    pub(crate) due: u32,
    pub(crate) waiting: u32,
    pub(crate) verifying: u32,
}

impl Counts {
    fn of(&mut self, state: State) -> Option<&mut u32> {
        match state {
            State::Running => Some(&mut self.running),
            State::Telling | State::Asking => Some(&mut self.telling),
            State::Verifying => Some(&mut self.verifying),
            State::Due => Some(&mut self.due),
            State::Waiting => Some(&mut self.waiting),
            State::Known
            | State::Ended
            | State::Passed
            | State::Ready
            | State::Taken
            | State::Racing
            | State::Dropped => None,
        }
    }

    /// Returns how many steps are in flight.
    pub(crate) fn in_flight(self) -> u32 {
        self.running + self.telling + self.due + self.waiting + self.verifying
    }
}

/// When a sleep is over.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Until {
    /// So long after the code asked.
    For(Duration),
    /// At this instant, in microseconds since the Unix epoch.
    At(i64),
}

/// What only some steps have.
#[derive(Debug, Default)]
pub(crate) struct Details {
    pub(crate) input: Option<Box<RawValue>>,
    pub(crate) metadata: Option<Box<RawValue>>,
    pub(crate) until: Option<Until>,
    pub(crate) compensable: Compensable,
    pub(crate) event: Option<EventAsk>,
    pub(crate) options: Options,
    /// The branch of a race that it stands in.
    pub(crate) lane: Option<Arc<Lane>>,
}

/// How an attempt ended.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// Its function returned.
    Returned(Option<Box<RawValue>>),
    /// Its function failed, or ran out of time.
    Failed(Box<Failed>),
    /// Its handler wants another run to go on with this input (§2.3).
    Continued(Option<Box<RawValue>>),
}

#[derive(Debug)]
pub(crate) struct Failed {
    pub(crate) failure: Failure<'static>,
    pub(crate) terminal: bool,
    pub(crate) timed_out: bool,
    pub(crate) retry_in_ms: Option<u64>,
    /// What was found out about a start, which is no failure.
    pub(crate) verdict: Option<Verdict>,
}

/// The attempt in progress, or the last one while the node has not answered.
#[derive(Debug)]
pub(crate) struct Attempt {
    pub(crate) n: u32,
    pub(crate) started_at: Moment,
    pub(crate) ended_at: Moment,
    pub(crate) overlapped: bool,
    /// The node is told, or about to be, that it runs.
    pub(crate) start_told: bool,
    pub(crate) deadline: Option<Moment>,
    pub(crate) signal: Option<Signal>,
    pub(crate) outcome: Option<Outcome>,
    /// It finds out how the last start ended (§4.5).
    pub(crate) verifies: bool,
}

impl Attempt {
    pub(crate) fn new(n: u32, now: Moment) -> Self {
        Self {
            n,
            started_at: now,
            ended_at: now,
            overlapped: false,
            start_told: false,
            deadline: None,
            signal: None,
            outcome: None,
            verifies: false,
        }
    }
}

/// How a step ended.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) status: StepStatus,
    pub(crate) at_us: i64,
    pub(crate) output: Option<Box<RawValue>>,
    pub(crate) error: Option<Box<Failure<'static>>>,
    pub(crate) attempts: u32,
}

/// Whether code asked for a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// Not in this process.
    No,
    /// Its future exists, or took its end.
    Yes,
    /// Its future was dropped before it had ended.
    Dropped,
}

/// A step that the code asked for or the journal has.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) id: Arc<str>,
    pub(crate) kind: Kind,
    pub(crate) state: State,
    pub(crate) asked: Asked,
    /// Its function runs on a thread of its own.
    pub(crate) blocking: bool,
    /// A message on this connection opened it, or the journal has it.
    pub(crate) opened: bool,
    pub(crate) waker: Option<Waker>,
    pub(crate) after: u32,
    pub(crate) asked_at: Moment,
    pub(crate) due: Moment,
    /// How many of its attempts have ended.
    pub(crate) attempts: u32,
    pub(crate) first_started: Option<Moment>,
    pub(crate) attempt: Option<Attempt>,
    /// Functions that still run though their attempt has ended, and since when.
    pub(crate) stray: u32,
    pub(crate) stray_since: Moment,
    pub(crate) end: Option<End>,
    pub(crate) once: Once,
    /// The run in which it ended, where a fork kept its end (§9.8). In a box: it is rare, and large.
    pub(crate) kept_from: Option<Box<RunId>>,
    pub(crate) details: Option<Box<Details>>,
    /// Random numbers that its function drew.
    pub(crate) draws: u64,
}

impl Step {
    pub(crate) fn new(id: Arc<str>, kind: Kind, state: State) -> Self {
        Self {
            id,
            kind,
            state,
            asked: Asked::No,
            blocking: false,
            opened: false,
            waker: None,
            after: 0,
            asked_at: Moment::default(),
            due: Moment::default(),
            attempts: 0,
            first_started: None,
            attempt: None,
            stray: 0,
            stray_since: Moment::default(),
            end: None,
            once: Once::default(),
            kept_from: None,
            details: None,
            draws: 0,
        }
    }

    /// Tells whether the code waits for the end of the step and may be given it.
    pub(crate) fn is_wanted(&self) -> bool {
        let told = self.end.as_ref().is_none_or(|end| end.status != StepStatus::Cancelled);
        self.asked == Asked::Yes && told
    }

    /// Returns until when its next attempt waits at most for a function of an earlier one (§6.4).
    pub(crate) fn stray_until(&self) -> Option<Moment> {
        (self.stray > 0).then(|| self.stray_since.after(STRAY_WAIT))
    }

    pub(crate) fn lane(&self) -> Option<&Arc<Lane>> {
        self.details.as_deref()?.lane.as_ref()
    }

    pub(crate) fn options(&self) -> Option<&Options> {
        self.details.as_deref().map(|details| &details.options)
    }
}

/// Something that the node is to be told. Steps are named by their place.
#[derive(Clone, Debug)]
pub(crate) enum Out {
    Started(usize),
    Ended(usize),
    Sleep(usize),
    Skip(usize),
    Invoke(usize),
    Dropped(usize),
    Order { expected: Arc<str>, found: Arc<str> },
    Block(BlockCause<'static>),
    Idle,
    Released { seen: u32, ready: bool },
    Finished,
    Verified(usize),
    Race(usize),
    Raced(usize),
    Wait(usize),
    Emit(usize),
    Search,
}

/// The connection that holds the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Attached {
    /// The run's handle on it.
    pub(crate) a: u32,
    /// Which connection it is.
    pub(crate) generation: u64,
}

/// A run with nothing to do in this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rest {
    pub(crate) since: Moment,
}

/// The state of a run in this process.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) phase: Phase,
    pub(crate) attached: Option<Attached>,
    pub(crate) steps: Vec<Step>,
    index: Index,
    pub(crate) counts: Counts,
    /// Steps that have ended, in the recorded order; their ends are not delivered yet.
    pub(crate) queue: VecDeque<usize>,
    /// Steps that an earlier run of the handler completed (§6.5), in the recorded order: the first that
    /// the code asks for is delivered before all else.
    pub(crate) kept: VecDeque<usize>,
    /// How many steps in the queue the code asks for.
    pub(crate) askable: u32,
    /// How many ends of steps the node has told.
    pub(crate) told: u32,
    /// How many of them were delivered or passed over.
    pub(crate) passed: u32,
    /// How many ends the history had when the code began.
    pub(crate) history: u32,
    /// Open steps of the journal that the code has not asked for.
    pub(crate) unasked: u32,
    pub(crate) now_us: i64,
    /// Since when the next end in the queue is one that the code does not ask for.
    pub(crate) stalled_since: Option<Moment>,
    pub(crate) resting: Option<Rest>,
    /// The node was told that the run rests, and not that it does no more.
    pub(crate) idle_told: bool,
    /// The node was told so before it was known that it had news: it may take the run for resting.
    pub(crate) idle_unsure: bool,
    /// Whether the run is paused.
    pub(crate) hold: Hold,
    /// The runner stops: the run is given back as soon as it can be.
    pub(crate) draining: bool,
    pub(crate) outbox: VecDeque<Out>,
    /// Changed orders that were told: nobody answers them, so each connection is told of all.
    pub(crate) orders: Vec<Out>,
    pub(crate) lines: VecDeque<Line>,
    pub(crate) finish: Option<Outcome>,
    /// The run is given out for its clean-up, whose steps have not begun.
    pub(crate) clean_up: Option<Box<CleanUp>>,
    /// Since when a handler that only replays was given nothing.
    pub(crate) quiet_since: Option<Moment>,
    pub(crate) block: Option<BlockCause<'static>>,
    /// Blocking functions in progress.
    pub(crate) blocking: u32,
    pub(crate) timers: BinaryHeap<Reverse<(Moment, usize)>>,
    /// When the session looks at the run's deadlines, the earliest last.
    pub(crate) looks: Vec<Moment>,
    /// Random numbers that the handler drew.
    pub(crate) draws: u64,
    /// How often the code has come to each named wait without an id of its own.
    pub(crate) named: BTreeMap<String, u32>,
    pub(crate) search: Search,
}

/// The place of timers that belong to no step.
pub(crate) const NO_STEP: usize = usize::MAX;

impl Core {
    pub(crate) fn new(attached: Attached, now_us: i64) -> Self {
        Self {
            phase: Phase::Loading,
            attached: Some(attached),
            steps: Vec::new(),
            index: Index::default(),
            counts: Counts::default(),
            queue: VecDeque::new(),
            kept: VecDeque::new(),
            askable: 0,
            told: 0,
            passed: 0,
            history: 0,
            unasked: 0,
            now_us,
            stalled_since: None,
            resting: None,
            idle_told: false,
            idle_unsure: false,
            hold: Hold::Free,
            draining: false,
            outbox: VecDeque::new(),
            orders: Vec::new(),
            lines: VecDeque::new(),
            finish: None,
            clean_up: None,
            quiet_since: None,
            block: None,
            blocking: 0,
            timers: BinaryHeap::new(),
            looks: Vec::new(),
            draws: 0,
            named: BTreeMap::new(),
            search: Search::default(),
        }
    }

    /// Adds a step and returns its place.
    pub(crate) fn add(&mut self, step: Step) -> usize {
        let place = self.steps.len();
        self.index.add(&step.id, place, &self.steps);
        if let Some(count) = self.counts.of(step.state) {
            *count += 1;
        }
        self.steps.push(step);
        place
    }

    /// Finds a step by its id.
    pub(crate) fn find(&self, id: &str) -> Option<usize> {
        self.index.find(id, &self.steps)
    }

    /// Moves a step to another state: the only way in which one does.
    pub(crate) fn set(&mut self, place: usize, state: State) {
        let was = std::mem::replace(&mut self.steps[place].state, state);
        if let Some(count) = self.counts.of(was) {
            *count -= 1;
        }
        if let Some(count) = self.counts.of(state) {
            *count += 1;
        }
    }

    /// Tells whether the run is paused (§9.6).
    pub(crate) fn is_paused(&self) -> bool {
        self.hold == Hold::Paused
    }

    /// Tells whether the code still goes where it went before (§2.3).
    pub(crate) fn is_replaying(&self) -> bool {
        self.passed < self.history || self.unasked > 0
    }

    /// Returns steps whose ends the journal has and the code has not asked for.
    #[cfg(feature = "test")]
    pub(crate) fn unasked_ends(&self) -> Vec<Arc<str>> {
        let unasked = self.steps.iter().filter(|step| step.asked == Asked::No);
        let cancelled =
            |step: &Step| step.end.as_ref().is_some_and(|end| end.status == StepStatus::Cancelled);
        let ended = |step: &&Step| matches!(step.state, State::Ended | State::Passed);
        let unasked = unasked.filter(ended).filter(|step| !cancelled(step));
        unasked.map(|step| step.id.clone()).collect()
    }

    /// Lets go of the wakers, each of which holds the run.
    pub(crate) fn forget_wakers(&mut self) {
        for step in &mut self.steps {
            step.waker = None;
        }
    }

    /// Blocks the run (§4.10).
    pub(crate) fn block(&mut self, cause: BlockCause<'static>) {
        self.phase = Phase::Blocked;
        self.block = Some(cause.clone());
        self.outbox.push_back(Out::Block(cause));
    }
}
