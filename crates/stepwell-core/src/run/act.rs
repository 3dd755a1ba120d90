//! What runners say of the runs that they hold.

use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::time::Duration;

use serde_json::value::RawValue;

use super::child::InvokeStep;
use super::once::VerifyStep;
use super::race::EndRace;
use super::wait::{EmitStep, WaitStep};
use crate::failure::Failure;
use crate::id::RunId;
use crate::record::{BlockCause, LogLine, Opening};
use crate::retry::Policy;
use crate::search;
use crate::time::Timestamp;

/// What a runner says of a run that it holds.
#[derive(Debug)]
pub enum Act<'a> {
    /// A function runs; sent when it still does after some 50 ms (§4.3).
    StartStep(StartStep<'a>),
    /// An attempt ended.
    EndStep(EndStep<'a>),
    /// The code pauses.
    Sleep(SleepStep<'a>),
    /// The code runs another workflow as a child (§9.2).
    Invoke(InvokeStep<'a>),
    /// The code says that a step does not apply.
    Skip {
        /// The step's id.
        step: Cow<'a, str>,
        /// Its first record, with the reason as input.
        open: Opening<'a>,
    },
    /// The code dropped a step that had not ended (§5.6).
    Drop {
        /// The step's id.
        step: Cow<'a, str>,
        /// Its first record.
        open: Option<Opening<'a>>,
    },
    /// Code logged lines.
    Log {
        /// The step, absent for the handler.
        step: Option<Cow<'a, str>>,
        /// The lines.
        lines: Vec<LogLine<'a>>,
    },
    /// The code asked for steps in another order than recorded (§5.4).
    NoteOrder {
        /// The step whose end was next.
        expected: Cow<'a, str>,
        /// The step that was asked for.
        found: Cow<'a, str>,
    },
    /// The code and the journal cannot go on together (§4.10).
    Block(BlockCause<'a>),
    /// The runner gives the run back: it waits for the engine only.
    Release {
        /// How many step ends the code was given.
        seen: u32,
        /// What the run wants next.
        then: Then,
    },
    /// The handler ended.
    Finish(Finish<'a>),
    /// What was found out about a start (§4.5).
    Verify(VerifyStep<'a>),
    /// A race begins (§2).
    StartRace {
        /// The race.
        step: Cow<'a, str>,
        /// Its first record, with the names of its branches as input.
        open: Opening<'a>,
    },
    /// A branch of a race settled first.
    EndRace(EndRace<'a>),
    /// The code waits for an event.
    Wait(WaitStep<'a>),
    /// The code sends an event.
    Emit(EmitStep<'a>),
    /// Code sets search attributes (§9.4).
    SetSearch(search::Change),
}

/// What a run wants that its runner gave back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// It waits for the engine.
    Wait,
    /// A function of it was held back and could begin (§9.6).
    GoOn,
}

/// See [`Act::StartStep`].
#[derive(Debug)]
pub struct StartStep<'a> {
    /// The step's id.
    pub step: Cow<'a, str>,
    /// The attempt.
    pub attempt: crate::record::Attempt,
    /// The step's first record; needed where the step is new.
    pub open: Option<Opening<'a>>,
}

/// See [`Act::EndStep`].
#[derive(Debug)]
pub struct EndStep<'a> {
    /// The step's id.
    pub step: Cow<'a, str>,
    /// The attempt.
    pub attempt: crate::record::Attempt,
    /// When it ended.
    pub at: Timestamp,
    /// What the function gave.
    pub result: Result<Option<&'a RawValue>, AttemptError<'a>>,
    /// When to try again; the default where absent (§6.1).
    pub policy: Option<Policy>,
    /// Most time for all attempts and backoffs together (§2.1).
    pub total_timeout: Option<Duration>,
    /// The step's first record; needed where the step is new.
    pub open: Option<Opening<'a>>,
}

/// Why an attempt failed.
#[derive(Debug)]
pub struct AttemptError<'a> {
    /// The error.
    pub failure: Failure<'a>,
    /// Trying again is of no use (§6.2).
    pub terminal: bool,
    /// The code says when to try again (§6.2).
    pub retry_at: Option<Timestamp>,
    /// The attempt ran out of time (§6.4).
    pub timed_out: bool,
}

/// See [`Act::Sleep`].
#[derive(Debug)]
pub struct SleepStep<'a> {
    /// The step's id.
    pub step: Cow<'a, str>,
    /// When it wakes.
    pub until: Timestamp,
    /// Its first record.
    pub open: Opening<'a>,
}

/// See [`Act::Finish`].
#[derive(Debug)]
pub enum Finish<'a> {
    /// The handler returned a value, absent for none.
    Completed(Option<&'a RawValue>),
    /// The handler failed.
    Failed(Failure<'a>),
    /// The handler wants another run to go on with it (§2.3).
    Continued {
        /// That run, whose start the caller writes in the same batch.
        by: RunId,
    },
}
