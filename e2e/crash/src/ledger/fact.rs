//! What a line of the ledger says.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::clock::Stamp;
use super::hash::Hash;
use crate::plan::{Fate, Starts};

/// One line of the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fact {
    /// When it was about to be written.
    pub at: Stamp,
    /// The process that wrote it, named once: a process that is started again has another name.
    pub process: String,
    /// What happened.
    pub what: What,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum What {
    /// A client read that its start was accepted.
    AckedStart {
        /// The idempotency key that the client chose.
        key: String,
        /// The run that the answer named.
        run: String,
        /// How many steps will be in its output, at least.
        steps: u32,
        /// How it will end if nobody cancels it.
        fate: Fate,
    },
    /// The code of a run that no client started was called.
    Born {
        /// The run.
        run: String,
        /// What started it.
        origin: Origin,
        /// How many steps will be in its output, at least.
        steps: u32,
        /// How it will end if nobody cancels it.
        fate: Fate,
    },
    /// The function of a step began; its first act.
    FnStart {
        /// The run.
        run: String,
        /// The step.
        step: String,
        /// The attempt, from 1.
        attempt: u32,
        /// How many attempts the step may have.
        attempts_max: u32,
        /// How often the function may start.
        starts: Starts,
        /// The step stands in a branch of a race, which may lose.
        racing: bool,
        /// The step is taken back where the run ends badly.
        undo: bool,
    },
    /// It was found out what became of a start whose outcome was lost.
    Verified {
        /// The run.
        run: String,
        /// The step.
        step: String,
        /// What the function had done; absent where it had done nothing.
        done: Option<Hash>,
    },
    /// The function of a step is about to return; its last act.
    FnEnd {
        /// The run.
        run: String,
        /// The step.
        step: String,
        /// The attempt.
        attempt: u32,
        /// What it returns; absent where it fails on purpose.
        value: Option<Hash>,
    },
    /// The workflow's code was given the result of a step: the engine has acknowledged it.
    AckedResult {
        /// The run.
        run: String,
        /// The step.
        step: String,
        /// The result.
        value: Hash,
        /// Where it has to come from.
        from: Source,
    },
    /// Somebody is about to send an event.
    AskedEvent {
        /// Its id; the run and step that send it where it is no client.
        id: String,
        /// Its data.
        value: Hash,
    },
    /// A client read that its event was accepted, or the code was told that its event was sent.
    AckedEvent {
        /// Its id, as it was asked with.
        id: String,
        /// It starts a run.
        starts: bool,
    },
    /// A step begins to be taken back.
    UndoStart {
        /// The run.
        run: String,
        /// The step.
        step: String,
        /// The result that is taken back.
        value: Hash,
    },
    /// The function for runs that end badly was called.
    Told {
        /// The run.
        run: String,
        /// The steps that completed, as it was told.
        completed: Vec<String>,
    },
    /// A client read a run that had ended, or that will not end any more.
    RunEnd {
        /// The run.
        run: String,
        /// Its workflow.
        workflow: String,
        /// The run and step, or the run, that started it, as the engine says.
        origin: Option<Origin>,
        /// The key of its start.
        key: Option<String>,
        /// Its status.
        status: String,
        /// What else it says about itself where it did not complete.
        why: Option<String>,
        /// Its output: each step with a function, with the result that the code was given.
        output: BTreeMap<String, Hash>,
        /// Its steps.
        steps: BTreeMap<String, StepRead>,
    },
    /// A client is about to ask for the cancel of a run.
    AskedCancel {
        /// The run.
        run: String,
    },
    /// A client read that its cancel was accepted.
    AckedCancel {
        /// The run.
        run: String,
        /// The run's status by the answer: that of its end where it had ended before.
        status: String,
    },
    /// A client read a run, be it ended or not.
    Seen {
        /// The run.
        run: String,
        /// When it was about to be asked for, by the monotonic clock.
        asked_ns: u64,
        /// Its status; absent where there was no such run.
        status: Option<String>,
        /// Its steps.
        steps: BTreeMap<String, StepRead>,
    },
    /// Something else than a kill was done to a server, its database, or the connection between them.
    Fault {
        /// What was done.
        fault: Fault,
        /// What it was done to.
        victim: String,
    },
    /// A process was killed and is gone.
    Kill {
        /// What was killed.
        target: Target,
        /// The name of the process.
        victim: String,
    },
}

/// What starts a run where no client does.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Origin {
    /// A step of another run, which waits for it.
    Step {
        /// The other run.
        run: String,
        /// The step.
        step: String,
    },
    /// A run that goes on with it.
    After {
        /// The run before.
        run: String,
    },
    /// An event.
    Event {
        /// Its id, as it was asked with.
        id: String,
    },
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Step { run, step } => write!(f, "step {step} of run {run}"),
            Self::After { run } => write!(f, "run {run}, which another one goes on with,"),
            Self::Event { id } => write!(f, "the event {id}"),
        }
    }
}

/// Where a result has to come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Source {
    /// The function of the step returned it.
    Function,
    /// Somebody sent it with an event.
    Event,
    /// The child of the step returned it.
    Child,
    /// The engine made it.
    Engine,
}

/// What can be killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Target {
    /// A server.
    Server,
    /// A runner.
    Runner,
}

/// What can be done to a server beside killing it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fault {
    /// A node stood still for longer than its lease, and went on.
    Pause,
    /// The answer to a commit of a node was lost, and its connection with it.
    Cut,
    /// The database was ended at once, and started again.
    Database,
    /// A node was told to stop, and stopped.
    Shutdown,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pause => "pauses",
            Self::Cut => "lost answers to commits",
            Self::Database => "ends of the database",
            Self::Shutdown => "shutdowns",
        })
    }
}

/// A step as the API shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepRead {
    /// Its kind.
    pub kind: String,
    /// Its status.
    pub status: String,
    /// The greatest number among its attempts that were not lost; 0 where it has none.
    pub attempts: u32,
    /// Its result.
    pub value: Option<Hash>,
}
