//! Commands, effects and rejections, and the one entrance for all of them.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use serde_json::value::RawValue;

use super::act::Act;
use super::child::ChildEnded;
use super::once::Resolve;
use super::state::{Phase, Run};
use super::wait::Deliver;
use crate::clean_up::EndOptions;
use crate::failure::Failure;
use crate::id::RunId;
use crate::limits::Limits;
use crate::operation::Operation;
use crate::record::Record;
use crate::search;
use crate::status::{Kind, RunStatus, StepStatus};
use crate::time::Timestamp;

/// What a command is applied under.
#[derive(Clone, Copy, Debug)]
pub struct Env<'a> {
    /// Engine time.
    pub now: Timestamp,
    /// Random bits, new for each command.
    pub entropy: u64,
    /// The limits in force.
    pub limits: &'a Limits,
}

/// What a command yields: records to make durable and, once they are, effects to perform.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Encoded records, to be put behind the run's journal. Empty where nothing changed.
    pub records: Vec<u8>,
    /// What to do once the records are durable, in order.
    pub effects: Vec<Effect>,
}

/// What to do once the records of a command are durable.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Tell the runner that a step ended: its end may now be delivered to the code.
    Settle {
        /// The step.
        step: Arc<str>,
        /// When it ended.
        at: Timestamp,
        /// How it ended.
        status: StepStatus,
        /// The error to throw, where it failed; the runner knows a result that it sent.
        error: Option<Failure<'static>>,
    },
    /// Tell the runner that an attempt failed and when the next one is due.
    Retry {
        /// The step.
        step: Arc<str>,
        /// The number of the next attempt.
        n: u32,
        /// When it is due.
        at: Timestamp,
    },
    /// Tell the runner to start nothing more, to signal what is in flight and to finish (§7.2).
    End {
        /// The status that the run will end with.
        status: RunStatus,
    },
    /// Tell the runner to begin no function, and to give the code nothing (§9.6).
    Pause,
    /// Tell the runner to go on.
    Unpause,
    /// Tell the runner to drop the run.
    Evict,
    /// Tell the runner that what its handler ended with is durable: it may forget the run, which is
    /// given out again (§6.5, §7.5).
    Forget,
    /// Tell the runner that a start is durable: it may call the function (§4.5).
    Begin {
        /// The step.
        step: Arc<str>,
        /// The start.
        n: u32,
    },
    /// Tell a child that it is not wanted any more (§5.6, §7.7).
    CancelChild {
        /// The child, by the first run of its chain.
        child: RunId,
    },
    /// Tell those who wait that another run goes on with it, and its runner that it may forget it
    /// (§2.3).
    Continued {
        /// That run.
        by: RunId,
    },
    /// Tell those who wait that the run ended, and its runner that it may forget it.
    Ended {
        /// How it ended.
        status: RunStatus,
        /// Why it did not complete.
        error: Option<Failure<'static>>,
    },
    /// Tell the runner that a step ended with what the engine brought.
    Give {
        /// The step.
        step: Arc<str>,
        /// When it ended.
        at: Timestamp,
        /// How it ended.
        status: StepStatus,
        /// The error to throw, where it failed.
        error: Option<Failure<'static>>,
        /// The result.
        output: Option<Box<RawValue>>,
    },
    /// Look for events from before a wait was parked, or once more before it times out (§8.4); then
    /// say [`Command::Deliver`], [`Command::Looked`] or [`Command::TimeOutWait`].
    Look {
        /// The wait.
        step: Arc<str>,
    },
}

/// Why a command changed nothing. Not an error of the engine: the caller is told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Rejection {
    /// The run has ended (§6.6).
    #[error("the run has ended: {0}")]
    Ended(RunStatus),
    /// The end of the run is decided; nothing new begins (§7.1).
    #[error("the run is ending")]
    Ending,
    /// A step of the clean-up has to wait for others, or is none of it (§7.3).
    #[error("step `{0}` is not what the clean-up does next")]
    NotNext(Arc<str>),
    /// Another activation holds the run, or none does (§4.7).
    #[error("the run is not held under epoch {0}")]
    Fenced(u32),
    /// The run cannot be given to a runner now.
    #[error("the run does not want a runner")]
    NotReady,
    /// The run is not blocked.
    #[error("the run is not blocked")]
    NotBlocked,
    /// A message on a step misses what its first record needs.
    #[error("step `{0}` is new, and the message does not open it")]
    Unopened(Arc<str>),
    /// The message opens a step of a kind that it does not make.
    #[error("this message does not open step `{step}` as `{kind}`")]
    ForeignKind {
        /// The step.
        step: Arc<str>,
        /// The kind in its opening.
        kind: Kind,
    },
    /// The step is of another kind.
    #[error("step `{step}` is recorded as `{expected}`, not `{found}`")]
    KindChanged {
        /// The step.
        step: Arc<str>,
        /// The kind in the journal.
        expected: Kind,
        /// The kind in the message.
        found: Kind,
    },
    /// The step's outcome is not unknown, or is still being found out.
    #[error("step `{0}` is none whose unknown outcome blocks the run")]
    NotUnknown(Arc<str>),
    /// The step's function may not start again (§4.5).
    #[error("step `{step}` has started {starts} times and may not start again")]
    StartsSpent {
        /// The step.
        step: Arc<str>,
        /// How often it has started.
        starts: u32,
    },
    /// The end of a function that had to be told of before it was called (§4.5).
    #[error("step `{0}` ended without a start")]
    Unbegun(Arc<str>),
    /// Search attributes are over a limit (§9.4).
    #[error(transparent)]
    Search(#[from] search::Error),
    /// The attempt is not the one that is next.
    #[error("attempt {found} of step `{step}` is not the next, which is {expected}")]
    AttemptMismatch {
        /// The step.
        step: Arc<str>,
        /// The next attempt.
        expected: u32,
        /// The attempt in the message.
        found: u32,
    },
}

/// Something that happens to a run.
#[derive(Debug)]
pub enum Command<'a> {
    /// A runner gets the run.
    Activate(Activate<'a>),
    /// The runner that holds the run under this epoch says something.
    Runner {
        /// The fence.
        epoch: u32,
        /// What it says.
        act: Act<'a>,
    },
    /// The runner is gone. `counted`: code of the run was in progress (§4.4).
    Lose {
        /// The fence.
        epoch: u32,
        /// Whether the loss counts against the run.
        counted: bool,
    },
    /// A timer may be due.
    Fire,
    /// A person or program cancels the run (§7.1).
    Cancel {
        /// Who, for the history.
        by: Option<&'a str>,
        /// Why, for the history.
        reason: Option<&'a str>,
    },
    /// An operator acts on the run (§9.5).
    Operate(Operate<'a>),
    /// An operator says how a step ended whose outcome is unknown (§4.5).
    Resolve(Resolve<'a>),
    /// A child of the run ended (§9.3).
    ChildEnded(ChildEnded<'a>),
    /// A blocked run is tried again, for a reason other than an operator's wish (§4.10).
    Unblock {
        /// What made it worth trying.
        by: &'static str,
    },
    /// An event that a wait asks for (§8.2). It changes nothing where the wait has ended.
    Deliver(Deliver<'a>),
    /// No event from before a wait was parked matched it (§8.4).
    Looked {
        /// The wait.
        step: &'a str,
    },
    /// A last look for events found nothing: the wait ends where its time is over (§8.6).
    TimeOutWait {
        /// The wait.
        step: &'a str,
    },
}

/// What an operator does to a run.
#[derive(Clone, Copy, Debug)]
pub struct Operate<'a> {
    /// What.
    pub act: Operation,
    /// Who, for the history.
    pub by: Option<&'a str>,
    /// Why, for the history.
    pub reason: Option<&'a str>,
}

/// A runner that gets a run.
#[derive(Debug)]
pub struct Activate<'a> {
    /// The random part of the fence.
    pub nonce: u64,
    /// The runner's name.
    pub runner: &'a str,
    /// The runner's instance.
    pub instance: &'a str,
    /// The version of the workflow there.
    pub version: Option<&'a str>,
    /// The runner's build.
    pub build: Option<&'a str>,
    /// The runner has nothing else to run.
    pub alone: bool,
    /// What the workflow says of how its runs end; absent where it says nothing.
    pub ends: Option<&'a EndOptions>,
}

impl Run {
    /// Applies a command: pushes records to `out`, folds them into the state, adds effects.
    ///
    /// A repeated message changes nothing and gives its effects again, so a runner that missed an
    /// answer gets it.
    ///
    /// # Errors
    /// [`Rejection`] when the command does not fit the state; then nothing changed.
    pub fn apply(
        &mut self,
        command: Command<'_>,
        env: Env<'_>,
        out: &mut Outcome,
    ) -> Result<(), Rejection> {
        if let Phase::Ended(status) = self.phase {
            return Err(Rejection::Ended(status));
        }
        let mut change = Change { run: self, env, out };
        match command {
            Command::Activate(activate) => change.activate(&activate),
            Command::Runner { epoch, act } => change.on_act(epoch, act),
            Command::Lose { epoch, counted } => change.lose(epoch, counted),
            Command::Fire => {
                change.fire();
                Ok(())
            }
            Command::Cancel { by, reason } => {
                change.cancel(by, reason);
                Ok(())
            }
            Command::Operate(operate) => change.operate(operate),
            Command::Resolve(resolve) => change.resolve(resolve),
            Command::ChildEnded(ended) => {
                change.child_ended(&ended);
                Ok(())
            }
            Command::Unblock { by } => change.unblock(by),
            Command::Deliver(deliver) => {
                change.deliver(deliver);
                Ok(())
            }
            Command::Looked { step } => {
                change.looked(step);
                Ok(())
            }
            Command::TimeOutWait { step } => {
                change.time_out_wait(step);
                Ok(())
            }
        }
    }
}

/// A command at work: the state, what it is applied under, and what it yields.
pub(super) struct Change<'r, 'e> {
    pub(super) run: &'r mut Run,
    pub(super) env: Env<'e>,
    pub(super) out: &'r mut Outcome,
}

impl Change<'_, '_> {
    /// Pushes a record and folds it: the only way in which a command changes a run.
    pub(super) fn push(&mut self, record: &Record<'_>) {
        let before = self.out.records.len();
        record.encode(&mut self.out.records);
        self.run.fold(record);
        self.run.journal_bytes += (self.out.records.len() - before) as u64;
    }

    pub(super) fn effect(&mut self, effect: Effect) {
        self.out.effects.push(effect);
    }

    fn on_act(&mut self, epoch: u32, act: Act<'_>) -> Result<(), Rejection> {
        let held = self.run.activation.as_ref().filter(|held| held.epoch == epoch);
        if held.is_none_or(|held| held.evicted && !matches!(act, Act::Release { .. })) {
            return Err(Rejection::Fenced(epoch));
        }
        if self.began_too_late(&act)? {
            return Ok(());
        }
        match act {
            Act::StartStep(start) => self.start_step(start)?,
            Act::EndStep(end) => self.end_step(end)?,
            Act::Sleep(sleep) => self.sleep(sleep)?,
            Act::Invoke(invoke) => self.invoke(invoke)?,
            Act::Skip { step, open } => self.skip(&step, open)?,
            Act::Drop { step, open } => self.drop_step(&step, open)?,
            Act::Log { step, lines } => self.log(step, lines),
            Act::NoteOrder { expected, found } => self.note_order(expected, found),
            Act::Block(cause) => self.block(cause),
            Act::Release { seen, then } => self.release(seen, then),
            Act::Finish(finish) => self.finish(finish),
            Act::Verify(verify) => self.verify(&verify)?,
            Act::StartRace { step, open } => self.start_race(step, open)?,
            Act::EndRace(end) => self.end_race(end)?,
            Act::Wait(wait) => self.wait(wait)?,
            Act::Emit(emit) => self.emit(emit)?,
            Act::SetSearch(change) => self.set_search(change)?,
        }
        self.bound_journal();
        Ok(())
    }
}
