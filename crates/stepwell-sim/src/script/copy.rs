//! A run in this process.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::Arc;

use stepwell_core::status::StepStatus;

use crate::history::{Call, Held};
use crate::program::{Delivered, Input, Program};

/// Where a run stands in this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Its history is still arriving.
    Loading,
    /// Its code runs.
    Forward,
    /// Its end is decided.
    Ending,
    /// The node is told how it ended.
    Finished,
}

/// How an attempt ended.
#[derive(Clone, Debug)]
pub(super) enum Outcome {
    Value(Option<Arc<str>>),
    Error { terminal: bool, timed_out: bool, retry_in_ms: Option<u64> },
}

/// Something about a step that the node was told, or will be, and has not answered.
#[derive(Clone, Debug)]
pub(super) enum Tell {
    Ended { n: u32, started_at: u64, ended_at: u64, overlapped: bool, outcome: Outcome },
    Sleep,
    Skip,
    Invoke,
    Dropped,
    Wait,
    Emit,
}

/// Where a step stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Its next attempt begins when it is due.
    Due,
    /// Its function runs.
    Running(Attempt),
    /// It waits for an answer, or for the engine.
    Waiting,
    /// Its end is in the queue.
    Ended,
}

/// An attempt in progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Attempt {
    pub(super) call: Call,
    pub(super) n: u32,
    pub(super) started_at: u64,
    pub(super) deadline: Option<u64>,
    pub(super) overlapped: bool,
    pub(super) start_told: bool,
}

/// A step that was asked for or is open in the journal, and whose end was not delivered.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) state: State,
    /// The code waits for it.
    pub(super) asked: bool,
    pub(super) asked_at: u64,
    pub(super) after: u32,
    pub(super) attempts: u32,
    pub(super) first_started: Option<u64>,
    pub(super) due: u64,
    /// The function of an attempt that ran out of time still runs, since then.
    pub(super) stray: Option<(Call, u64)>,
    pub(super) tell: Option<Tell>,
    /// What the last attempt gave, until its end is settled.
    pub(super) result: Option<Arc<str>>,
}

impl Part {
    pub(super) fn new(now: u64) -> Self {
        Self {
            state: State::Due,
            asked: false,
            asked_at: now,
            after: 0,
            attempts: 0,
            first_started: None,
            due: now,
            stray: None,
            tell: None,
            result: None,
        }
    }
}

/// An end that waits to be delivered.
#[derive(Clone, Debug)]
pub(super) struct Queued {
    pub(super) place: usize,
    pub(super) status: StepStatus,
    pub(super) output: Option<Arc<str>>,
}

/// How the code ended.
#[derive(Clone, Debug)]
pub(super) enum Finish {
    Output(Arc<str>),
    Failed(Arc<str>),
    /// Another run goes on.
    Continued(Input),
    /// The run was ended from outside.
    Decided,
}

/// A run in this process.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(super) struct Copy {
    pub(super) held: Held,
    /// Its handle, while the connection holds it.
    pub(super) a: Option<u32>,
    pub(super) phase: Phase,
    pub(super) program: Arc<Program>,
    pub(super) places: HashMap<Arc<str>, usize>,
    pub(super) created_at_us: i64,
    pub(super) given: HashMap<usize, Delivered>,
    pub(super) parts: BTreeMap<usize, Part>,
    pub(super) dropped: HashSet<usize>,
    pub(super) queue: VecDeque<Queued>,
    /// How many ends the node has told.
    pub(super) told: u32,
    /// How many of them the code was given, or would not be.
    pub(super) passed: u32,
    /// No function begins, and the code is given nothing.
    pub(super) paused: bool,
    pub(super) idle_told: bool,
    /// The node was told so before it was known that it had news.
    pub(super) idle_unsure: bool,
    /// When something last happened.
    pub(super) active_at: u64,
    /// When to look at it again.
    pub(super) wake: u64,
    pub(super) finish: Option<Finish>,
    pub(super) finish_told: bool,
}

impl Copy {
    pub(super) fn new(held: Held, program: Arc<Program>, now: u64) -> Self {
        let ids = program.steps.iter().enumerate();
        let places = ids.map(|(place, step)| (step.id.clone(), place)).collect();
        Self {
            held,
            a: None,
            phase: Phase::Loading,
            program,
            places,
            created_at_us: 0,
            given: HashMap::new(),
            parts: BTreeMap::new(),
            dropped: HashSet::new(),
            queue: VecDeque::new(),
            told: 0,
            passed: 0,
            paused: false,
            idle_told: false,
            idle_unsure: false,
            active_at: now,
            wake: now,
            finish: None,
            finish_told: false,
        }
    }

    /// Returns the calls in progress.
    pub(super) fn calls(&self) -> Vec<Call> {
        let running = self.parts.values().filter_map(|part| match part.state {
            State::Running(attempt) => Some(attempt.call),
            State::Due | State::Waiting | State::Ended => None,
        });
        running.collect()
    }

    /// Finds the step of a call.
    pub(super) fn place_of(&self, call: Call) -> Option<usize> {
        let is = |part: &Part| match part.state {
            State::Running(attempt) if attempt.call == call => true,
            _ => part.stray.is_some_and(|(stray, _)| stray == call),
        };
        self.parts.iter().find(|(_, part)| is(part)).map(|(place, _)| *place)
    }
}
